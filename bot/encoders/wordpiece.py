"""WordPiece: words into the pieces that BERT-like encoders know."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

_WORDS = re.compile(r"[^\W_]+|[^\w\s]|_")
_TOO_LONG = 100  # such a word is unknown as a whole


class WordPieces:
    """`vocabulary`: one piece a line, its number the line's; "##" begins a piece inside a word."""

    def __init__(self, vocabulary: Path) -> None:
        lines = vocabulary.read_text(encoding="utf-8").splitlines()
        self._number = {piece: number for number, piece in enumerate(lines)}
        self._unknown, self._begin, self._end = (self._number[name] for name in ("[UNK]", "[CLS]", "[SEP]"))
        self._of_word = lru_cache(maxsize=50_000)(self._pieces)

    def numbers(self, text: str, most: int) -> list[int]:
        """Piece numbers with the marks of begin and end, at most `most`."""
        found = [number for word in _words(text) for number in self._of_word(word)]
        return [self._begin, *found[: most - 2], self._end]

    def _pieces(self, word: str) -> tuple[int, ...]:
        """The longest known piece first, again and again."""
        if len(word) > _TOO_LONG:
            return (self._unknown,)
        numbers, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = word[start:end] if start == 0 else "##" + word[start:end]
                if piece in self._number:
                    numbers.append(self._number[piece])
                    start = end
                    break
            else:
                return (self._unknown,)
        return tuple(numbers)


def _words(text: str) -> Iterator[str]:
    """Lower case without accents; every punctuation mark and every Chinese character is a word of its own."""
    bare = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(c) != "Mn")
    for word in _WORDS.findall(bare):
        yield from word if any("一" <= c <= "鿿" for c in word) else (word,)
