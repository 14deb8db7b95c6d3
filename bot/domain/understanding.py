"""How a message becomes a decision: answer, clarify, abstain or hand off.

In this order: safety rules, other languages, a choice from what was offered, follow-ups, the matcher. Nothing here
knows Slack, files or the clock.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from bot.domain.cards import Language
from bot.domain.context import Neighbours, likelier, programs_meant, spelled_out, with_the_job
from bot.domain.dialogue import Dialogue, chosen, follow_up, leads_on
from bot.domain.disguised import put_together, seen
from bot.domain.language import language_of
from bot.domain.outside import OtherLanguage
from bot.domain.people import Employee
from bot.domain.role_mentions import RoleReader, RolesAsked
from bot.domain.safety import SafetyRule, safety_card

Outcome = Literal["answer", "clarify", "abstain", "handoff"]

# The top card is answered when its chance of being right is at least this; thresholds come from cross-validation.
ANSWER_FROM = 0.5
# A card that goes on from what was just talked about.
ANSWER_EXPECTED_FROM = 0.15
# Below this chance that the message is about anything here, Trellis says that it does not know.
OFFER_FROM = 0.25
MOST_OFFERED = 3
# A safety card is answered at this chance already: to miss one is far worse than to raise one too many.
SAFETY_FROM = 0.3
HUMAN = "assistant/human"


class Candidate(Protocol):
    @property
    def card(self) -> str: ...
    @property
    def probability(self) -> float: ...


class Ranking(Protocol):
    """Cards, the likeliest first; `confidence` is the chance that the first is right, `in_scope` that any is."""

    @property
    def candidates(self) -> Sequence[Candidate]: ...
    @property
    def confidence(self) -> float: ...
    @property
    def in_scope(self) -> float: ...


class Rank(Protocol):
    def __call__(
        self, message: str, allowed: Callable[[str], bool] = ..., likelier: Callable[[str], float] = ...
    ) -> Ranking: ...


@dataclass(frozen=True)
class Decision:
    """`cards[0]` is answered; in a clarify they are the choices, in an abstain the nearest topics.

    `also` is the card of a second question in the same message. `outside` names a topic that Trellis is not for,
    `other_language` a language without content.
    """

    outcome: Outcome
    cards: tuple[str, ...]
    confidence: float
    language: Language
    roles: RolesAsked = field(default_factory=RolesAsked)
    also: str | None = None
    outside: str | None = None
    other_language: str | None = None
    safety: bool = False


@dataclass(frozen=True)
class Understanding:
    """Everything that reading a message needs, built once from the content."""

    rank: Rank
    mend: Callable[[str], str]  # spelling
    roles: RoleReader
    safety_rules: Sequence[SafetyRule]
    other_languages: Mapping[str, OtherLanguage]
    titles: Mapping[Language, Mapping[str, str]] = field(default_factory=dict)
    neighbours: Neighbours = field(default_factory=Neighbours)

    def decide(self, text: str, employee: Employee, dialogue: Dialogue) -> Decision:
        """What to do with `text`, written by `employee` in the middle of `dialogue`."""
        as_written, text = text, seen(text)
        found = language_of(text, self.other_languages)
        language: Language = found if found in ("en", "es") else (employee.language or "en")  # type: ignore[assignment]
        mended = self.mend(text)
        ways = dict.fromkeys((text, mended, *put_together(text), as_written))
        if card := next(filter(None, (safety_card(way, self.safety_rules) for way in ways)), None):
            return Decision("answer", (card,), 1.0, language, safety=card.startswith("safety/"))
        if found in self.other_languages:
            return Decision("abstain", (), 1.0, language, other_language=found)
        text = mended
        if card := chosen(text, dialogue, self.titles[language]):
            roles = RolesAsked(dialogue.from_, dialogue.to, (), dialogue.roles)
            return self._answer(card, 1.0, language, roles)

        def role_title(role: str) -> str:
            return self.titles[language].get(f"roles/{role}", role)

        text = spelled_out(text, dialogue, role_title)
        text = with_the_job(text, dialogue, self.roles.read(text), role_title)
        roles = self.roles.read(text)
        if settled := follow_up(text, dialogue, roles):
            return self._answer(settled[0], 0.9, language, settled[1])
        if programs := programs_meant(text, dialogue, roles, self.neighbours):
            best = self.rank(text, lambda card: card in programs).candidates
            card = next((each.card for each in best if each.card in programs and each.probability > 0), programs[0])
            return self._answer(card, 0.9, language, roles)
        return self._match(text, employee, dialogue, language, roles)

    def _match(self, text: str, employee: Employee, dialogue: Dialogue, language: Language, roles: RolesAsked) -> Decision:
        def allowed(card: str) -> bool:
            return employee.is_manager or not card.startswith("managers/")

        expected = likelier(text, dialogue, self.neighbours)
        ranking = self.rank(text, allowed, expected)
        if dialogue.cards and leads_on(text):
            ranking = self._with_context(text, dialogue, language, allowed, ranking)
        ranked, confidence = [(each.card, each.probability) for each in ranking.candidates], ranking.confidence
        first = ranked[0][0]
        for card, chance in ranked:
            if card.startswith("safety/") and chance >= SAFETY_FROM:
                return Decision("answer", (card,), chance, language, safety=True)
        if first.startswith("outside/"):
            nearest = tuple(card for card, _ in ranked[1:4] if not card.startswith("outside/"))[:2]
            return Decision("abstain", nearest, confidence, language, roles, outside=first)
        inside = [(card, chance) for card, chance in ranked if not card.startswith("outside/")]
        if choices := _roles_to_choose_from(first, roles):
            return Decision("clarify", choices, confidence, language, roles)
        if confidence >= (ANSWER_EXPECTED_FROM if expected(first) > 1 else ANSWER_FROM):
            return self._maybe_two(text, self._answer(first, confidence, language, roles), allowed)
        if ranking.in_scope >= OFFER_FROM and len(inside) > 1:
            offered = tuple(card for card, _ in inside[:MOST_OFFERED])
            return Decision("clarify", offered, confidence, language, roles)
        nearest = tuple(card for card, _ in inside[:2])
        return Decision("abstain", nearest, confidence, language, roles)

    def _with_context(
        self, text: str, dialogue: Dialogue, language: Language, allowed: Callable[[str], bool], alone: Ranking
    ) -> Ranking:
        """A message that leans on the last answer is read together with it, when that is clearer."""
        together = self.rank(f"{self.titles[language].get(dialogue.cards[0], '')}: {text}", allowed)
        again = together.candidates[0].card == dialogue.cards[0]
        return alone if again or alone.confidence >= together.confidence else together

    def _answer(self, card: str, confidence: float, language: Language, roles: RolesAsked) -> Decision:
        outcome: Outcome = "handoff" if card == HUMAN else "answer"
        return Decision(outcome, (card,), confidence, language, roles)

    def _maybe_two(self, text: str, decision: Decision, allowed: Callable[[str], bool]) -> Decision:
        """A second question after "and", "y" or a question mark, when each half clearly asks for another card."""
        halves = two_halves(text)
        if halves is None:
            return decision
        first, second = (self.rank(half, allowed) for half in halves)
        one, two = first.candidates[0].card, second.candidates[0].card
        sure = min(first.confidence, second.confidence) >= ANSWER_FROM + 0.2
        if (
            not sure
            or one == two
            or two.startswith(("outside/", "assistant/"))
            or one.startswith(("outside/", "assistant/"))
        ):
            return decision
        roles = self.roles.read(halves[0])
        return replace(decision, cards=(one, two), also=two, roles=roles if roles.named else decision.roles)


def _roles_to_choose_from(card: str, roles: RolesAsked) -> tuple[str, ...]:
    """The role cards that "aide" or "tech" may mean, when the message says no more than that; `card` is the likeliest."""
    if roles.named or not roles.ambiguous:
        return ()
    choices = tuple(f"roles/{role}" for role in roles.ambiguous[-1].roles[:MOST_OFFERED])
    return choices if card in choices else ()


def two_halves(text: str) -> tuple[str, str] | None:
    """The message parted where a second question seems to begin; None when it is one."""
    text = " ".join(text.split())  # a heap of blanks would be looked through once for each of them
    for mark in (r"\? (?=\S)", r"[,;.]? (?:and also|also|and|plus|y también|y tambien|además|ademas|y) "):
        parts = re.split(mark, text, maxsplit=1)
        if len(parts) == 2 and all(len(part.split()) >= 3 for part in parts):
            return parts[0], parts[1]
    return None
