"""Safety rules: words that must reach a fixed, human-first reply every time, before any matching.

The rules stand in content/safety/rules.yaml so that a reviewer can read and correct them. A pattern is plain words;
`*` stands for up to four words, `(a|b)` for a choice, `(a|b)?` for a choice that may be left out, `word~` for a word with any
ending, `#` for a number.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from bot.domain.cards import Content


class SafetyRule(Content):
    """One fixed reply and the words that lead to it. `unless` are figures of speech and look-alikes."""

    card: str
    when: tuple[str, ...]
    unless: tuple[str, ...] = ()


def plain(text: str) -> str:
    """Lower case, no accents, no punctuation but apostrophes inside words, single spaces."""
    text = text.replace("’", "'").lower()
    text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^\w']+", " ", text).replace("'", "").split())


_WILD = {"*": r"(?:\w+ ){0,4}", "#": r"\d+ "}


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    words = []
    for word in re.findall(r"\([^)]*\)[~?]?|\S+", pattern):
        if word in _WILD:
            words.append(_WILD[word])
            continue
        if word.endswith(")?"):
            words.append(f"(?:(?:{_choices(word[1:-2])}) )?")
            continue
        ending = r"\w*" if word.endswith("~") else ""
        word = word.rstrip("~")
        if word.startswith("("):
            words.append(f"(?:{_choices(word[1:-1])}){ending} ")
        else:
            words.append(re.escape(plain(word)) + ending + " ")
    return re.compile(r"(?<!\w)" + "".join(words))


def _choices(choices: str) -> str:
    return "|".join(_ending(plain(choice.rstrip("~")), choice) for choice in choices.split("|"))


def _ending(word: str, choice: str) -> str:
    return re.escape(word) + (r"\w*" if choice.endswith("~") else "")


def _says(patterns: Sequence[str], text: str) -> bool:
    return any(_compiled(pattern).search(text) for pattern in patterns)


def safety_card(text: str, rules: Sequence[SafetyRule]) -> str | None:
    """The card of the first rule that the message meets; None when none does. Order in the file is priority."""
    said = plain(text) + " "
    for rule in rules:
        if _says(rule.when, said) and not _says(rule.unless, said):
            return rule.card
    return None
