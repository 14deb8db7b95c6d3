"""Mends spelling before a message is read: chat short forms, sounds, slips of the finger.

Only towards words that the content uses; a word that people use is left alone. Without it, 5 % mistyped letters cost 12
to 15 points on public sets; with it, 2 to 3 (our trial).
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from hashlib import sha256

from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.domain.safety import plain

SHORTEST = 4  # shorter words are mended by sound and short forms only: too many are one slip apart
MOST_LEFT_OUT = 2  # vowels that a short form without any may lack
OFTEN = 3  # a word typed so often in the examples is meant, unless a commoner one sounds the same
SHORTEST_FOR_TWO = 8  # from here on two slips are mended

# What sounds the same is written the same: Spanish first, then what both languages share.
_SOUNDS = [(re.compile(pattern), sound) for pattern, sound in (
    (r"qu(?=[ei])|q|c(?![eihy])|ck", "k"), (r"c(?=[eiy])|z", "s"), (r"ph", "f"), (r"sch|sk", "sk"), (r"(?<![cst])h", ""), (r"v", "b"),
    (r"ll", "y"), (r"gu(?=[ei])", "g"), (r"g(?=[ei])", "j"), (r"y$", "i"), (r"(.)\1+", r"\1"),
)]  # fmt: skip


class Speller:
    def __init__(
        self, reviewed: Iterable[str], typed: Iterable[str], ordinary: Collection[str], short_forms: Mapping[str, str]
    ) -> None:
        """The words to mend towards are those of the `reviewed` texts, and the ordinary ones of those that people `typed`;
        `ordinary` words are never mended; `short_forms`: “pls” → “please”."""
        self._typed = Counter(word for text in typed for word in plain(text).split())
        counted = Counter({word: times for word, times in self._typed.items() if word in ordinary})
        counted.update(word for text in reviewed for word in plain(text).split() if not word.isdigit())
        self._ordinary = ordinary
        self._short_forms = {plain(short): long for short, long in short_forms.items()}
        self._own = {word: count for word, count in counted.items() if len(word) > 2}
        self._words = sorted(self._own)
        self._by_sound: dict[str, list[str]] = {}
        self._by_bones: dict[str, list[str]] = {}
        for word in self._words:
            self._by_sound.setdefault(sound(word), []).append(word)
            self._by_bones.setdefault(bones(word), []).append(word)
        self.name = sha256(repr((self._own, self._short_forms, sorted(ordinary))).encode()).hexdigest()[:16]
        self._word = lru_cache(maxsize=50_000)(self._mended_as_typed)

    def mend(self, text: str) -> str:
        """The text with its words mended; marks and spaces stay as they are."""
        return re.sub(r"[^\W_](?:[\w'’]*\w)?", lambda found: self._word(found.group()), text)

    def _mended_as_typed(self, typed: str) -> str:
        said = plain(typed)
        if " " in said or not said:
            return typed
        mended = self._mended(said)
        return typed if mended == said else mended

    def _mended(self, word: str) -> str:
        if word in self._short_forms:
            return self._short_forms[word]
        if word in self._own or word in self._ordinary or any(c.isdigit() for c in word) or len(word) < 3:
            return word
        typed = self._typed[word]
        found = {near: 0.3 for near in self._by_sound.get(sound(word), ()) if self._own[near] > typed}
        if typed >= OFTEN:
            return self._best(found) or word
        slips = 0 if len(word) < SHORTEST else 1 if len(word) < SHORTEST_FOR_TWO else 2
        if not re.search(r"[aeiou]", word[1:]):
            for near in self._by_bones.get(bones(word), ()):
                if len(near) <= len(word) + MOST_LEFT_OUT:
                    found.setdefault(near, 0.5)
        if slips:
            for near, distance, _ in process.extract(word, self._words, scorer=OSA.distance, score_cutoff=slips, limit=20):
                cost = distance + (0.4 if near[0] != word[0] else 0) - (0.3 if bones(near) == bones(word) else 0)
                found[near] = min(found.get(near, 9.0), cost)
        return self._best(found) or word

    def _best(self, found: Mapping[str, float]) -> str | None:
        """The cheapest; of two that cost about the same, the one that the content uses more."""
        return min(found, key=lambda near: (found[near] - min(self._own[near], 50) / 200, near), default=None)


def sound(word: str) -> str:
    """How a word sounds, roughly: “kiero” and “quiero” are the same."""
    for pattern, replacement in _SOUNDS:
        word = pattern.sub(replacement, word)
    return word


def bones(word: str) -> str:
    """First letter and consonants: “nxt” and “next” are the same."""
    heard = sound(word)
    return heard[:1] + re.sub(r"[aeiou]", "", heard[1:])
