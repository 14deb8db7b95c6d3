"""What a message means in the middle of a conversation: "the second one", "is there a class for it", "and if it's full?"."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.domain.dialogue import Dialogue
from bot.domain.role_mentions import RolesAsked
from bot.domain.safety import plain

MOST_WORDS = 14  # a longer message says itself what it is about
A_FRAGMENT = 5  # words; so short a message leans on the last answer twice as much
# How much likelier a card is than without the conversation; found on the development set.
JUST_OFFERED, RELATED, SAME_KIND = 6.0, 6.0, 5.0

FIRST_ONE = re.compile(
    r"\b(?:the )?first (?:one|job|role)\b|\b(?:la|el|del|al) primer[ao]?\b(?! (?:clase|dia|paso|vez))|\bthe former\b"
)
OTHER_ONE = re.compile(
    r"\b(?:the )?(?:second|other|last) (?:one|job|role)\b|\b(?:la|el|del|al) (?:segund[ao]|otr[ao]|ultim[ao])\b(?! (?:clase|dia|paso|vez|vida))|\bthe latter\b"
)
THIS_JOB = re.compile(r"\b(?:it|that|this|that job|that one|this one|eso|ese|esa|ese puesto|ese trabajo)\b")
A_CLASS = re.compile(
    r"\b(?:class|classes|course|courses|training|trainings|program|programs|apprenticeship|school for|learn (?:it|that|this)|study for|"
    r"clase|clases|curso|cursos|programa|programas|entrenamiento|capacitacion|aprendizaje|aprendo|aprender|estudio|estudiar)\b"
)
WHICH = re.compile(
    r"\b(?:is there|are there|theres|any|where|what|which|tell me about|show me|teach|offer|offers|have|got|learn (?:it|that|this)|"
    r"hay|donde|cual|cuales|que|dan|tienen|ofrecen|existe|aprendo|estudio)\b"
)
AND_FOR = re.compile(r"^(?:and|y|what about|how about|ok and|or|o)(?: (?:for|para|the|el|la|al|a|an|un|una|of|de))*\b")
ABOUT_A_CLASS = re.compile(  # when, how full, how to get in: not which class there is
    r"\b(?:when|cuando|full|lleno|llena|sign up|apply|inscrib\w+|apunt\w+|aplic\w+|how long|cuanto (?:dura|tiempo)|paid|pagan?|pay me|"
    r"pass|fail|miss|repruebo|falto|online|en linea|cost|cuesta|free|gratis)\b"
)


@dataclass(frozen=True)
class Neighbours:
    """Which cards lie near which, from the content."""

    related: Mapping[str, frozenset[str]] = field(default_factory=dict)  # card → those that it leads on to
    programs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # role → the cards of programs that lead to it
    roles: Mapping[str, str] = field(default_factory=dict)  # card of a role or program → the role that it is about


def likelier(text: str, dialogue: Dialogue, neighbours: Neighbours) -> Callable[[str], float]:
    """How much likelier each card is after what was said before; 1.0 for every card where the message stands alone."""
    if not dialogue.cards or len(plain(text).split()) > MOST_WORDS:
        return lambda card: 1.0
    last = dialogue.cards[0]
    kind, near = last.partition("/")[0], neighbours.related.get(last, frozenset())
    lean = 2 if len(plain(text).split()) <= A_FRAGMENT else 1

    def factor(card: str) -> float:
        if card in dialogue.offered:
            return JUST_OFFERED**lean
        if card in near:
            return RELATED**lean
        return SAME_KIND**lean if card.partition("/")[0] == kind and kind != "roles" and card != last else 1.0

    return factor


def spelled_out(text: str, dialogue: Dialogue, role_title: Callable[[str], str]) -> str:
    """The message with "the first one" or "the other one" replaced by the role that it means."""
    if len(dialogue.roles) < 2 or not dialogue.cards or len(plain(text).split()) > MOST_WORDS:
        return text
    first, second = dialogue.roles[-2:]
    if FIRST_ONE.search(plain(text)):
        return FIRST_ONE.sub(role_title(first), plain(text))
    if OTHER_ONE.search(plain(text)):  # after a comparison the second; else the one that was not just talked about
        other = second if dialogue.cards[0] == "pathways/compare" else first
        return OTHER_ONE.sub(role_title(other), plain(text))
    return text


def with_the_job(text: str, dialogue: Dialogue, roles: RolesAsked, role_title: Callable[[str], str]) -> str:
    """ "that or sterile processing, which pays more": the job of before stands beside the one that is named."""
    said = plain(text)
    if (
        len(roles.named) == 1
        and dialogue.roles
        and re.search(r"\b(?:that|it|eso|ese|esa) (?:or|o|vs|u)\b|\b(?:or|o|vs) (?:that|eso|ese|esa)\b", said)
    ):
        return THIS_JOB.sub(role_title(dialogue.roles[-1]), said, count=1)
    return text


def programs_meant(text: str, dialogue: Dialogue, roles: RolesAsked, neighbours: Neighbours) -> tuple[str, ...]:
    """The programs among which "is there a class for it" must be answered; none when it asks for something else."""
    said = plain(text)
    role = roles.named[-1] if roles.named else dialogue.to or (dialogue.roles[-1] if dialogue.roles else None)
    if not dialogue.cards or role is None or len(said.split()) > MOST_WORDS:
        return ()
    which_class = A_CLASS.search(said) and WHICH.search(said) and not ABOUT_A_CLASS.search(said)
    same_for_another = dialogue.cards[0].startswith("programs/") and len(roles.named) == 1 and AND_FOR.search(said)
    return neighbours.programs.get(role, ()) if which_class or same_for_another else ()
