"""A message made ready for the matcher: spelling mended, and its shape once the roles in it are taken out."""

import re
from dataclasses import dataclass

from bot.domain.matching.speller import Speller
from bot.domain.role_mentions import RoleReader
from bot.domain.safety import plain

A_ROLE = "jobtitle"  # stands for any role in a shape
COMPUTERS = "infotech"
# The computer people, not the pronoun: written large, or before a word that goes with them.
INFORMATION_TECHNOLOGY = re.compile(
    r"\bIT\b(?!['’])|\b[Ii]t (?=(?:jobs?|support|dep(?:t|artment)|techs?|technician|help ?desk|desk|guys?|people|person|"
    r"apprentice\w*|training|specialist|side|field|work(?:er)?s?\b(?! (?:for|out|with|if|when|on))|stuff|security)\b)"
)


@dataclass(frozen=True)
class Said:
    """`shape` is the text with every role in it replaced by one word: “from jobtitle to jobtitle”; `roles` are those roles."""

    text: str
    shape: str
    roles: frozenset[str]


class Reader:
    """Reads utterances when learning and messages when answering in the same way."""

    def __init__(self, speller: Speller, roles: RoleReader) -> None:
        self._speller, self._roles = speller, roles

    @property
    def name(self) -> str:
        """Changes whenever a message could be read differently."""
        return f"{self._speller.name} {self._roles.name}"

    def read(self, message: str) -> Said:
        text = plain(self.mend(message))
        mentions = self._roles.mentions(text)
        if not mentions:
            return Said(text, text, frozenset())
        words, shape, at = text.split(), [], 0
        for mention in mentions:
            shape += [*words[at : mention.start], A_ROLE]
            at = mention.end
        roles = frozenset(role for mention in mentions for role in mention.roles)
        return Said(text, " ".join([*shape, *words[at:]]), roles)

    def mend(self, message: str) -> str:
        """The message with its spelling mended, marks and capitals as they are; "IT" is told apart from "it"."""
        return tell_it_apart(self._speller.mend(message))


def tell_it_apart(message: str) -> str:
    """ "IT" as in computers becomes a word of its own; the pronoun stays."""
    return message if message.isupper() else INFORMATION_TECHNOLOGY.sub(f"{COMPUTERS} ", message)
