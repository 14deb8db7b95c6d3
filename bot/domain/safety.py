"""Safety rules: words that must reach a fixed, human-first reply every time, before any matching.

The rules stand in content/safety/rules.yaml so that a reviewer can read and correct them. A pattern is plain words;
`*` stands for up to four words, `(a|b)` for a choice, `(a|b)?` for a choice that may be left out, `word~` for a word with any
ending, `#` for a number.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from pydantic import field_validator

from bot.domain.cards import Content


class SafetyRule(Content):
    """One fixed reply and the words that lead to it. `unless` are figures of speech and look-alikes."""

    card: str
    when: tuple[str, ...]
    unless: tuple[str, ...] = ()

    @field_validator("when", "unless")
    @classmethod
    def _can_be_met(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        """A pattern that is written wrong would never be met, and nobody would notice."""
        wrong = [pattern for pattern in patterns if not _READABLE.fullmatch(pattern)]
        if wrong:
            named = ", ".join(f"“{pattern}”" for pattern in wrong)
            raise ValueError(
                f"can't be read: {named}. Between blanks may stand: a word, word~, *, #, (a|b), (a|b)~ or (a|b)?; "
                "no brackets, * or # inside a choice or a word: write two patterns instead"
            )
        return patterns


@lru_cache(maxsize=64)  # one message is looked at a dozen times
def plain(text: str) -> str:
    """Lower case, no accents, no punctuation but apostrophes inside words, single spaces."""
    text = text.replace("’", "'").lower()
    text = _without_marks(unicodedata.normalize("NFKD", _without_marks(text)))
    return " ".join(re.sub(r"[^\w']+", " ", text).replace("'", "").split())


def _without_marks(text: str) -> str:
    """Without accents that stand by themselves. Before a text is normalised too: a heap of them would be sorted one by one."""
    return text if text.isascii() else "".join(c for c in text if not unicodedata.combining(c))


_CHOICE = r"\([^()*#?]+\)[~?]?"
_READABLE = re.compile(rf"(?:{_CHOICE}|\*|#|[^\s()|*#?]+)(?:\s+(?:{_CHOICE}|\*|#|[^\s()|*#?]+))*")
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


@lru_cache(maxsize=4096)
def _needed(pattern: str) -> frozenset[str]:
    """Words of which a message must have one to meet the pattern; none when the pattern names no whole word.

    Most patterns are passed over by this alone: it is what keeps hundreds of them quick.
    """
    choices = []
    for part in re.findall(r"\([^)]*\)[~?]?|\S+", pattern):
        if part in _WILD or "~" in part or part.endswith("?"):
            continue
        if part.startswith("("):
            choices.append(frozenset(plain(choice).partition(" ")[0] for choice in part[1:-1].split("|")))
        else:
            choices += [frozenset([word]) for word in plain(part).split()]
    return min((each for each in choices if "" not in each), key=len, default=frozenset())


def _says(patterns: Sequence[str], text: str, words: frozenset[str]) -> bool:
    return any(
        (not (needed := _needed(pattern)) or not needed.isdisjoint(words)) and _compiled(pattern).search(text)
        for pattern in patterns
    )


def safety_card(text: str, rules: Sequence[SafetyRule]) -> str | None:
    """The card of the first rule that the message meets; None when none does. Order in the file is priority."""
    said = plain(text) + " "
    words = frozenset(said.split())
    for rule in rules:
        if _says(rule.when, said, words) and not _says(rule.unless, said, words):
            return rule.card
    return None
