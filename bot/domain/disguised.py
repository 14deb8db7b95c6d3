"""Words that a person sees and a pattern would miss: with letters that can't be seen, or spelled out letter by letter."""

import re
import unicodedata
from itertools import groupby

from bot.domain.safety import plain

_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u3164\ufe00-\ufe0f]"
)  # joiners, fillers and variants that are no format characters
_WORDS_OF_ONE_LETTER = ("i", "a", "y", "o", "u")  # of the two languages, and of chats


def seen(text: str) -> str:
    """`text` without what can't be seen: zero-width characters, soft hyphens, marks of direction."""
    return _UNSEEN.sub("", "".join(c for c in text if unicodedata.category(c) != "Cf"))


def put_together(text: str) -> tuple[str, ...]:
    """Plain readings of a message in which words are spelled out ("k i l l  m e", "k.i.l.l"); none when there is none.

    Two blanks part words. "I d i e" may begin with a word of one letter: it is read both ways.
    """
    parts = [plain(part).split() for part in re.split(r"\s{2,}", text)]
    runs = [[list(run) for _, run in groupby(words, _is_letter)] for words in parts]
    if not any(len(run) > 2 and _is_letter(run[0]) for part in runs for run in part):
        return ()
    readings = (" ".join(_joined(run, part, apart) for part in runs for run in part) for apart in (False, True))
    return tuple(dict.fromkeys(readings))


def _is_letter(word: str) -> bool:
    return len(word) == 1 and word.isalpha()


def _joined(run: list[str], part: list[list[str]], apart: bool) -> str:
    """Three letters and more are a word, two when they stand by themselves; `apart`: the first may be one of its own."""
    if not _is_letter(run[0]) or (len(run) < 3 and len(part) > 1):
        return " ".join(run)
    first = 1 if apart and len(run) > 2 and run[0] in _WORDS_OF_ONE_LETTER else 0
    return " ".join([*run[:first], "".join(run[first:])])
