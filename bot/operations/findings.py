"""What the doctor found: each thing a sentence, and one more on how to mend it."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True)
class Finding:
    """`about` names what was looked at; `mend` is "" when there is nothing to do."""

    about: str
    level: Level
    says: str
    mend: str = ""


def ok(about: str, says: str) -> Finding:
    return Finding(about, "ok", says)


def warning(about: str, says: str, mend: str) -> Finding:
    return Finding(about, "warning", says, mend)


def wrong(about: str, says: str, mend: str) -> Finding:
    return Finding(about, "wrong", says, mend)
