"""How hard a text is to read: Flesch-Kincaid for English, Fernández Huerta for Spanish."""

import re
from functools import cache

from pyphen import Pyphen

SENTENCE_END = re.compile(r"[.!?:]+(?:\s|$)")


@cache
def _hyphens(language: str) -> Pyphen:
    return Pyphen(lang="es" if language == "es" else "en_US")


def _rates(text: str, language: str) -> tuple[float, float]:
    """(words a sentence, syllables a word)"""
    words = re.findall(r"[^\W\d_]+", text)
    if not words:
        return 0.0, 0.0
    syllables = sum(len(_hyphens(language).inserted(word).split("-")) for word in words)
    return len(words) / max(1, len(SENTENCE_END.findall(text))), syllables / len(words)


def reading_grade_en(text: str) -> float:
    """U.S. school grade. Kincaid et al. 1975: 0.39 · words/sentence + 11.8 · syllables/word − 15.59."""
    words, syllables = _rates(text, "en")
    return 0.39 * words + 11.8 * syllables - 15.59


def reading_ease_es(text: str) -> float:
    """0 (hard) to 100 (easy). Fernández Huerta 1959: 206.84 − 60 · syllables/word − 1.02 · words/sentence."""
    words, syllables = _rates(text, "es")
    return 206.84 - 60 * syllables - 1.02 * words
