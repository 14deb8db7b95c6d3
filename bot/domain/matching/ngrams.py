"""A text as weighed words and letters: word 1-2-grams and letter 2-4-grams, the rare ones heavier (TF-IDF)."""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import numpy as np

SEEN_IN = 2  # pairs of words and letter groups seen in fewer utterances say nothing


@dataclass(frozen=True)
class Weighed:
    """The features of one text that the content knows: their numbers, and their weights (each kind of length 1)."""

    numbers: np.ndarray
    weights: np.ndarray


class NGrams:
    """`words` and `letters` number the known features one after the other; `rarity` has one weight a feature."""

    def __init__(self, words: Sequence[str], letters: Sequence[str], rarity: np.ndarray) -> None:
        self.words, self.letters, self.rarity = tuple(words), tuple(letters), rarity
        self._word_numbers = {word: number for number, word in enumerate(self.words)}
        self._letter_numbers = {group: number for number, group in enumerate(self.letters, len(self.words))}
        self._letters_of = lru_cache(maxsize=50_000)(self._known_letters)  # people use the same words again and again

    @classmethod
    def learn(cls, texts: Sequence[str]) -> "NGrams":
        """Which features there are, from plain texts."""
        words = Counter(word for text in texts for word in set(_words(text)))
        letters = Counter(group for text in texts for group in set(_letters(text)))
        known_words = sorted(word for word, count in words.items() if count >= SEEN_IN or " " not in word)
        known_letters = sorted(group for group, count in letters.items() if count >= SEEN_IN)
        seen_in = [words[word] for word in known_words] + [letters[group] for group in known_letters]
        rarity = np.log((1 + len(texts)) / (1 + np.array(seen_in))) + 1
        return cls(known_words, known_letters, rarity.astype(np.float32))

    def __len__(self) -> int:
        return len(self.words) + len(self.letters)

    def of(self, text: str) -> Weighed:
        """The features of a plain text."""
        kinds = (
            self._weighed(Counter(map(self._word_numbers.get, _words(text)))),
            self._weighed(Counter(chain.from_iterable(map(self._letters_of, text.split())))),
        )
        return Weighed(np.concatenate([k.numbers for k in kinds]), np.concatenate([k.weights for k in kinds]))

    def _known_letters(self, word: str) -> tuple[int, ...]:
        return tuple(number for group in _letters(word) if (number := self._letter_numbers.get(group)) is not None)

    def _weighed(self, counts: Counter[int | None]) -> Weighed:
        """`counts`: how often each feature comes; what is not known counts as None."""
        counts.pop(None, None)
        numbers = np.array(sorted(counts), dtype=np.int32)  # type: ignore[type-var]
        times = np.array([counts[number] for number in numbers.tolist()], dtype=np.float32)
        weights = (1 + np.log(times)) * self.rarity[numbers]
        return Weighed(numbers, (weights / max(float(np.linalg.norm(weights)), 1e-9)).astype(np.float32))


def _words(text: str) -> Iterator[str]:
    words = text.split()
    yield from words
    for first, second in itertools.pairwise(words):
        yield f"{first} {second}"


def _letters(text: str) -> Iterator[str]:
    """Inside each word with a blank at either end; a short word counts as a whole."""
    for word in text.split():
        padded = f" {word} "
        for length in (2, 3, 4):
            if len(padded) <= length:
                yield padded
                break
            for start in range(len(padded) - length + 1):
                yield padded[start : start + length]
