"""Reads the roles that a message names, and whether they are where someone is, wants to be, or compares."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.domain.safety import plain


@dataclass(frozen=True)
class Mention:
    """A role named at words `start`..`end` of the plain text. Several `roles`: the word is ambiguous."""

    start: int
    end: int
    words: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class RolesAsked:
    """`from_` is the job someone has, `to` the one wanted, `compare` two or more side by side, `named` all in order."""

    from_: str | None = None
    to: str | None = None
    compare: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    ambiguous: tuple[Mention, ...] = ()


# Words before a role that say: this is where I am. Plain text; checked against the words just before a mention.
HAVE = re.compile(
    r"(?:\b(?:im|i am|ive been|i been|been|being|as|now|currently|from|after|work as|working as|i work in|i work|work in|working in|"
    r"works in|in|started in|job in|do|doing|did|i do|i push|at the|leave|leaving|out of|"
    r"soy|fui|trabajo de|trabajo como|trabajo en|estoy de|estoy en|ando en|ando de|llevo|de|desde|como|dejar|salir de|en|ya soy|aqui en)"
    r"(?: (?:a|an|the|la|el|los|las|un|una|al|my|mi|years?|anos?|yrs?|\d+|now|also|just|only|already|full time|part time))*)$"
)
WANT = re.compile(
    r"(?:\b(?:to|become|becoming|be|being|into|for|turn into|wanna be|want to be|want|get into|go into|towards?|till|until|"
    r"a|hasta|ser|hacerme|volverme|convertirme en|llegar a|quiero|para|pa|puesto de|estudiar|meterme a|meterme de|subir a|pasar a)"
    r"(?: (?:a|an|the|la|el|los|las|un|una|ser|be|de|become|my|mi|full|licensed|certified))*)$"
)
STRONG_WANT = re.compile(
    r"\b(?:wanna|want|become|to be|into|be an?|be the|ser|quiero|kiero|hacerme|convertirme|llegar a|volverme|dream|aspire|hope to|"
    r"qualify|enough for|need for|apply for|missing for|missing to)\b"
)
HERE = re.compile(r"^(?: (?:here|aqui|rn|right now|now|ahorita|ahora))")
COMPARE = re.compile(
    r"\b(?:or|vs|versus|compared|than|o|contra|comparad[oa]|better|mejor|difference|diferencia|between|entre)\b"
)


SHORTEST_ALIKE = 6  # shorter words must be right


class RoleReader:
    """Finds roles by title, lay title, abbreviation or a small misspelling. Build once from the content."""

    def __init__(self, titles: Mapping[str, Iterable[str]], ambiguous: Mapping[str, Sequence[str]]) -> None:
        """`titles`: role slug → ways to say it; `ambiguous`: word → the roles that it may mean."""
        self._phrases: dict[str, tuple[str, ...]] = {}
        for slug, names in titles.items():
            for name in names:
                for form in _forms(plain(name)):
                    self._phrases[form] = tuple(dict.fromkeys((*self._phrases.get(form, ()), slug)))
        for word, roles in ambiguous.items():
            self._phrases[plain(word)] = tuple(roles)
        self._longest = max((len(phrase.split()) for phrase in self._phrases), default=1)
        self._alike: dict[tuple[str, int], list[str]] = {}  # long ones, by first letter and number of words
        for phrase in self._phrases:
            if len(phrase) >= SHORTEST_ALIKE:
                self._alike.setdefault((phrase[0], phrase.count(" ")), []).append(phrase)
        self.name = sha256(repr(sorted(self._phrases.items())).encode()).hexdigest()[:16]
        self._closest = lru_cache(maxsize=20_000)(self._find_closest)

    def mentions(self, text: str) -> list[Mention]:
        """Longest names first at each place, from left to right."""
        words = plain(text).split()
        found: list[Mention] = []
        at = 0
        while at < len(words):
            mention = self._mention_at(words, at)
            if mention:
                found.append(mention)
            at = mention.end if mention else at + 1
        return found

    def _mention_at(self, words: list[str], at: int) -> Mention | None:
        for length in range(min(self._longest, len(words) - at), 0, -1):
            said = " ".join(words[at : at + length])
            phrase = said if said in self._phrases else self._closest(said)
            if phrase:
                return Mention(at, at + length, said, self._phrases[phrase])
        return None

    def _find_closest(self, said: str) -> str | None:
        """A known name at most one typing slip away, two in a long one; short words must be right."""
        alike = self._alike.get((said[:1], said.count(" ")), ())
        if len(said) < SHORTEST_ALIKE or not alike:
            return None
        best = process.extractOne(said, alike, scorer=OSA.distance, score_cutoff=1 if len(said) < 10 else 2)
        return best[0] if best and best[0] not in _REAL_WORDS.get(said, ()) else None

    def read(self, text: str) -> RolesAsked:
        """The roles of a message with their parts in it."""
        said = plain(text)
        words = said.split()
        mentions = self.mentions(text)
        clear = [mention for mention in mentions if len(mention.roles) == 1]
        named = tuple(dict.fromkeys(mention.roles[0] for mention in clear))
        ambiguous = tuple(mention for mention in mentions if len(mention.roles) > 1)
        if len(named) >= 2 and _compares(words, clear):
            return RolesAsked(compare=named[:3], named=named, ambiguous=ambiguous)
        from_, to = _places(words, clear)
        return RolesAsked(from_, to, (), named, ambiguous)


# A slip away from a role's name, yet a word of its own.
_REAL_WORDS: dict[str, tuple[str, ...]] = {"nursing": ("nurse",), "security": (), "cooking": ("cook",)}


def _forms(name: str) -> list[str]:
    """The name, and its plain English or Spanish plural."""
    plural = name + ("es" if name[-1:] in "rnlz" and not name.endswith(("er", "on", "tech")) else "s")
    return [name, plural, name + "s"] if len(name) > 3 else [name, name + "s"]


def _compares(words: list[str], mentions: list[Mention]) -> bool:
    """Two roles with only a comparing word or little else between them."""
    first, second = mentions[0], next(m for m in mentions[1:] if m.roles != mentions[0].roles)
    between = " ".join(words[first.end : second.start])
    return bool(
        re.fullmatch(
            r"(?:(?:a|an|the|un|una|el|la|que|de|to be|ser|be|being|with|and|y|con) )*"
            r"(?:or|vs|versus|compared to|than|o|u|contra|v)(?: (?:a|an|the|un|una|el|la|to be|be|ser|de|que))*",
            between,
        )
    ) or (
        between in ("and", "y", "and a", "and an")
        and bool(re.search(r"\b(?:between|entre|difference|diferencia|compare|better|more|mas)\b", " ".join(words)))
    )


def _places(words: list[str], mentions: list[Mention]) -> tuple[str | None, str | None]:
    """(from, to): by the words before each mention; of two roles without a clue the first is where someone is."""
    from_ = to = None
    for mention in mentions:
        before = " ".join(words[max(0, mention.start - 60) : mention.start])[-60:]  # 60 words have 60 letters at least
        role = mention.roles[0]
        if WANT.search(before) and not (from_ is None and HAVE.search(before) and not STRONG_WANT.search(before)):
            to = role if to is None else to
        elif HAVE.search(before) or HERE.match(" " + " ".join(words[mention.end : mention.end + 2])):
            from_ = role if from_ is None else from_
    unplaced = [m.roles[0] for m in mentions if m.roles[0] not in (from_, to)]
    if unplaced and from_ is None and to is not None:
        from_ = unplaced[0]
    elif unplaced and to is None and from_ is not None:
        to = unplaced[-1]
    elif len(unplaced) >= 2 and from_ is None and to is None:
        from_, to = unplaced[0], unplaced[1]
    return (from_, to) if from_ != to else (None, to)
