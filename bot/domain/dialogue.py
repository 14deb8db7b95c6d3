"""What was said before: enough to understand "the second one", "and part time?" or a bare role name."""

import re
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.domain.role_mentions import RolesAsked
from bot.domain.safety import plain

FORGET_AFTER = timedelta(minutes=30)

ORDINALS = {
    0: ("1", "first", "the first", "first one", "the first one", "number 1", "uno", "primera", "primero", "la primera", "el primero"),
    1: ("2", "second", "the second", "second one", "the second one", "number 2", "dos", "segunda", "segundo", "la segunda", "el segundo"),
    2: ("3", "third", "the third", "third one", "the third one", "number 3", "tres", "tercera", "tercero", "la tercera", "el tercero", "last one", "the last one", "la ultima", "el ultimo"),
}  # fmt: skip
LEADS_ON = re.compile(
    r"^(?:and|but|ok|okay|so|what about|how about|then|also|or|y|pero|entonces|tambien|o)\b|"
    r"\b(?:it|that|those|this|these|they|them|there|then|instead|the same|eso|esa|ese|esos|esas|lo mismo|alla|ahi|ellos|entonces)\b"
)
ABOUT_THE_WAY = re.compile(
    r"\b(?:how long|how many (?:years|months)|how much|cost|costs|price|expensive|years|months|(?<!part )(?<!full )time|take|takes|steps|start|first|"
    r"cuanto (?:tiempo|tarda|dura|cuesta|sale)|cuantos (?:anos|meses)|cuesta|costar|costo|tarda|dura|pasos|empiezo|primero|caro)\b"
)
ASKS_FOR_HELP = re.compile(
    r"\b(?:help|helps|hospital|lakeshore|employer|they pay|covers?|ayuda|ayudan|hospital|empleador|cubre|pagan)\b"
)
# "and LPNs", "what about a cook", "y el de rayos x": another role, the same question.
BARE = re.compile(
    r"^(?:and|y|or|o|ok|but|pero|so|then|what about|how about|que tal|que hay de|que de|what of)(?: \S+){1,5}$"
)
GET_IN = re.compile(
    r"\b(?:get in|get there|get to that|get into (?:it|that)|become one|how do i|como (?:llego|entro|le hago|me hago))\b"
)
THOSE_TWO = re.compile(
    r"\b(?:which|cual|between|entre|those two|the two|of those|esos dos|los dos|las dos|de esas|de esos)\b"
)


@dataclass(frozen=True)
class Dialogue:
    """What the conversation is about. Kept as JSON in the conversation's row."""

    cards: tuple[str, ...] = ()  # what was answered last
    offered: tuple[str, ...] = ()  # what was offered to choose from
    asked: str = ""  # "role_now" or "role_wanted": the question that Trellis asked
    from_: str | None = None
    to: str | None = None
    roles: tuple[str, ...] = ()  # roles talked about, the latest last
    at: str = ""  # ISO time of the last exchange

    @classmethod
    def recall(cls, kept: dict[str, Any], now: datetime) -> "Dialogue":
        """From the row; nothing when the last exchange is too long ago."""
        if not kept or now - datetime.fromisoformat(kept["at"]) > FORGET_AFTER:
            return cls()
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in kept.items()})

    def keep(self, now: datetime) -> dict[str, Any]:
        return asdict(replace(self, at=now.isoformat()))


def chosen(text: str, dialogue: Dialogue, titles: dict[str, str]) -> str | None:
    """The offered card that a typed choice means: "2", "the second one", or its title."""
    said = plain(text)
    for number, card in enumerate(dialogue.offered):
        if said in ORDINALS.get(number, ()) or said == plain(titles[card]):
            return card
    return None


def leads_on(text: str) -> bool:
    """Does the message lean on what went before?"""
    said = plain(text)
    return len(said.split()) <= 12 and bool(LEADS_ON.search(said))


def follow_up(text: str, dialogue: Dialogue, roles: RolesAsked) -> tuple[str, RolesAsked] | None:
    """The card and roles that a follow-up means, where what went before settles it."""
    said = plain(text)
    last = dialogue.cards[0] if dialogue.cards else ""
    short = len(said.split()) <= 12
    if dialogue.asked and len(roles.named) == 1 and short:
        named = roles.named[0]
        if dialogue.asked == "role_now":
            return (last or "pathways/next-roles"), RolesAsked(named, dialogue.to, (), roles.named)
        return (last or "pathways/path-to"), RolesAsked(dialogue.from_, named, (), roles.named)
    if last == "pathways/path-to" and short and roles.from_ and not roles.to and not ABOUT_THE_WAY.search(said):
        return last, RolesAsked(roles.from_, dialogue.to, (), roles.named)
    if (
        last.startswith(("pathways/path-to", "pathways/gap", "roles/"))
        and short
        and len(roles.named) == 1
        and (leads_on(text) or GET_IN.search(said))
    ):
        named = roles.named[0]
        if last.startswith("roles/"):
            if roles.from_ and GET_IN.search(said) and dialogue.roles:
                return "pathways/path-to", RolesAsked(roles.from_, dialogue.roles[-1], (), roles.named)
            if BARE.search(said):
                return f"roles/{named}", RolesAsked(None, None, (), roles.named)
            return None
        return last, RolesAsked(dialogue.from_, named, (), roles.named)
    if not roles.named and len(dialogue.roles) >= 2 and short and THOSE_TWO.search(said):
        return "pathways/compare", RolesAsked(None, None, dialogue.roles[-2:], dialogue.roles[-2:])
    if not roles.named and last == "pathways/path-to" and dialogue.to and len(said.split()) <= 9 and _about_the_way(said):
        return last, RolesAsked(dialogue.from_, dialogue.to, (), ())
    return None


def _about_the_way(said: str) -> bool:
    """Time, cost or steps of the route just shown; not who helps to pay for it."""
    return bool(ABOUT_THE_WAY.search(said)) and not ASKS_FOR_HELP.search(said)
