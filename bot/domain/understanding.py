"""How a message becomes a decision: answer, clarify, abstain or hand off.

In this order: safety rules, other languages, a choice from what was offered, follow-ups, the matcher. Nothing here
knows Slack, files or the clock.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from bot.domain.cards import Language
from bot.domain.dialogue import Dialogue, chosen, follow_up, leads_on
from bot.domain.language import language_of
from bot.domain.outside import OtherLanguage
from bot.domain.people import Employee
from bot.domain.role_mentions import RoleReader, RolesAsked
from bot.domain.safety import SafetyRule, safety_card

Outcome = Literal["answer", "clarify", "abstain", "handoff"]

# The top card is answered when its chance of being right is at least this; thresholds come from cross-validation.
ANSWER_FROM = 0.5
# Below this chance that the message is about anything here, Trellis says that it does not know.
OFFER_FROM = 0.25
MOST_OFFERED = 3
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


Rank = Callable[[str, Callable[[str], bool]], Ranking]


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
    ask: str = ""  # "role_now", "role_wanted" or "which_role": what Trellis asks back


@dataclass(frozen=True)
class Understanding:
    """Everything that reading a message needs, built once from the content."""

    rank: Rank
    roles: RoleReader
    safety_rules: Sequence[SafetyRule]
    other_languages: Mapping[str, OtherLanguage]
    titles: Mapping[Language, Mapping[str, str]] = field(default_factory=dict)

    def decide(self, text: str, employee: Employee, dialogue: Dialogue) -> Decision:
        """What to do with `text`, written by `employee` in the middle of `dialogue`."""
        found = language_of(text, self.other_languages)
        language: Language = found if found in ("en", "es") else (employee.language or "en")  # type: ignore[assignment]
        if card := safety_card(text, self.safety_rules):
            return Decision("answer", (card,), 1.0, language, safety=card.startswith("safety/"))
        if found in self.other_languages:
            return Decision("abstain", (), 1.0, language, other_language=found)
        if card := chosen(text, dialogue, self.titles[language]):
            roles = RolesAsked(dialogue.from_, dialogue.to, (), dialogue.roles)
            return self._answer(card, 1.0, language, roles)
        roles = self.roles.read(text)
        if settled := follow_up(text, dialogue, roles):
            return self._answer(settled[0], 0.9, language, settled[1])
        return self._match(text, employee, dialogue, language, roles)

    def _match(self, text: str, employee: Employee, dialogue: Dialogue, language: Language, roles: RolesAsked) -> Decision:
        def allowed(card: str) -> bool:
            return employee.is_manager or not card.startswith("managers/")

        ranking = self.rank(text, allowed)
        if dialogue.cards and leads_on(text):
            ranking = self._with_context(text, dialogue, language, allowed, ranking)
        ranked = _fit_roles([(c.card, c.probability) for c in ranking.candidates], roles)
        first, confidence = ranked[0][0], _shifted(ranking, ranked)
        if first.startswith("outside/"):
            nearest = tuple(card for card, _ in ranked[1:4] if not card.startswith("outside/"))[:2]
            return Decision("abstain", nearest, confidence, language, roles, outside=first)
        inside = [(card, chance) for card, chance in ranked if not card.startswith("outside/")]
        if confidence >= ANSWER_FROM:
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


def two_halves(text: str) -> tuple[str, str] | None:
    """The message parted where a second question seems to begin; None when it is one."""
    for mark in (r"\?\s+(?=\S)", r"[,;.]?\s+(?:and also|also|and|plus|y también|y tambien|además|ademas|y)\s+"):
        parts = re.split(mark, text.strip(), maxsplit=1)
        if len(parts) == 2 and all(len(part.split()) >= 3 for part in parts):
            return parts[0], parts[1]
    return None


def _fit_roles(ranked: Sequence[tuple[str, float]], roles: RolesAsked) -> list[tuple[str, float]]:
    """Chances corrected by the roles named: a role's card that was not named is unlikely when another was."""

    def corrected(card: str, chance: float) -> float:
        if card == "pathways/compare" and roles.compare:
            return chance * 4 + 0.05
        if card == "pathways/path-to" and roles.from_ and roles.to:
            return chance * 3 + 0.03
        if card.startswith("roles/") and roles.named:
            return chance * (1.5 if card.removeprefix("roles/") in roles.named else 0.25)
        return chance

    weighed = [(card, corrected(card, chance)) for card, chance in ranked]
    total = sum(chance for _, chance in weighed) or 1.0
    before = sum(chance for _, chance in ranked)
    return sorted(((card, chance / total * before) for card, chance in weighed), key=lambda pair: -pair[1])


def _shifted(ranking: Ranking, ranked: Sequence[tuple[str, float]]) -> float:
    """The gate's confidence, moved with the correction of the first card."""
    first = ranking.candidates[0]
    card, chance = ranked[0]
    if card == first.card:
        return max(ranking.confidence, min(0.97, ranking.confidence * (chance / max(first.probability, 1e-6)) ** 0.5))
    return min(0.9, max(chance, ranking.confidence * 0.8))
