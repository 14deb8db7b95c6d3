"""Words that people use, English and Spanish: from pyspellchecker's lists (film subtitles), the rare ones left out."""

from functools import cache

from spellchecker import SpellChecker

# Seen at least this often; below, the English list holds as many slips as words, and the Spanish one is short.
COMMON = {"en": 300, "es": 0}


@cache
def ordinary_words() -> frozenset[str]:
    """Lower case, as `plain` writes them: without accents."""
    from bot.domain.safety import plain

    found = set()
    for language, least in COMMON.items():
        counted = SpellChecker(language=language, distance=1).word_frequency.dictionary
        common = [word for word, count in counted.items() if count >= least]
        found.update(word if word.isascii() and word.isalpha() else plain(word) for word in common)
    return frozenset(found)
