"""A reply in words: what was decided about a message, worded for this employee. Stores nothing."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Protocol

from bot.domain.cards import Language
from bot.domain.dialogue import Dialogue
from bot.domain.lattice import Lattice
from bot.domain.people import Employee
from bot.domain.role_mentions import RolesAsked
from bot.domain.understanding import Decision, Understanding
from bot.knowledge_base import KnowledgeBase, Page

NONE_OF_THESE = "none-of-these"  # the button beside the choices
URGENT = (("safety/crisis",), ("safety/violence-threat",))
NOT_KEPT = (
    "safety/",
    "supports/domestic-violence",
    "supports/substance-use",
    "supports/mental-health",
)  # the category is kept, not the words


@dataclass(frozen=True)
class Choice:
    """A button: `card` (or NONE_OF_THESE) is asked for when it is pressed."""

    card: str
    label: str


@dataclass(frozen=True)
class Reply:
    """What the employee gets. Adapters draw it: Block Kit, plain text, JSON."""

    decision: Decision
    pages: tuple[Page, ...]  # the answers; none when Trellis asks back or does not know
    lead: str = ""  # words before the pages or the choices
    choices: tuple[Choice, ...] = ()
    closing: str = ""  # words after them
    privacy_note: str = ""  # at first contact
    ask_for_feedback: bool = False
    coach_label: str = ""  # label of the way to a person; always there

    @property
    def is_urgent(self) -> bool:
        """One of the two most serious safety replies."""
        return self.decision.outcome == "answer" and self.decision.cards[:1] in URGENT

    @property
    def hides_the_words(self) -> bool:
        """Of such a question the category is kept, not the words; nor of one that can't be read: it may be a cry for help."""
        return bool(self.decision.other_language) or any(card.startswith(NOT_KEPT) for card in self.decision.cards)

    @property
    def needs_a_coach(self) -> bool:
        """A coach is asked for when the employee wants one, and when it is urgent."""
        return self.decision.outcome == "handoff" or self.is_urgent

    @property
    def text(self) -> str:
        """Everything in plain words, for screen readers, notifications and the log."""
        parts = [self.lead]
        for page in self.pages:
            parts += [f"*{page.title}*", page.text, page.small_print]
        parts += [f"• {choice.label}" for choice in self.choices if not self.pages]
        return "\n".join(part for part in [*parts, self.closing, self.privacy_note] if part)


class WorkOut(Protocol):
    """Answers that are worked out for one employee; None for a card that stands as it is.

    `text` is the message, "" when a button was pressed: dates, amounts and wishes are read from it.
    """

    @property
    def lattice(self) -> Lattice: ...

    def __call__(
        self, card: str, roles: RolesAsked, employee: Employee, language: Language, today: date, text: str = ""
    ) -> Page | None: ...


@dataclass(frozen=True)
class Answering:
    """What answering needs. `draw` makes Slack's payload from a reply; services know no Block Kit."""

    kb: KnowledgeBase
    understanding: Understanding
    work_out: WorkOut

    def reply(
        self, text: str, employee: Employee, dialogue: Dialogue, today: date, *, first_contact: bool = False
    ) -> tuple[Reply, Dialogue]:
        """The reply to a message and what the conversation is about afterwards. Nothing is stored."""
        decision = self.understanding.decide(text, employee, dialogue)
        return self.word(decision, employee, dialogue, today, first_contact=first_contact, text=text)

    def reply_with_card(
        self, card: str, employee: Employee, dialogue: Dialogue, today: date, language: Language
    ) -> tuple[Reply, Dialogue]:
        """The reply to a pressed button."""
        if card == NONE_OF_THESE:
            return self.word(Decision("abstain", (), 1.0, language), employee, dialogue, today)
        roles = RolesAsked(dialogue.from_, dialogue.to, dialogue.roles[-2:] if card == "pathways/compare" else ())
        if card.startswith("roles/"):
            roles = RolesAsked(None, card.removeprefix("roles/"), (), (card.removeprefix("roles/"),))
        outcome = "handoff" if card == "assistant/human" else "answer"
        decision = Decision(outcome, (card,), 1.0, language, roles, safety=card.startswith("safety/"))
        return self.word(decision, employee, dialogue, today)

    def word(
        self,
        decision: Decision,
        employee: Employee,
        dialogue: Dialogue,
        today: date,
        *,
        first_contact: bool = False,
        text: str = "",
    ) -> tuple[Reply, Dialogue]:
        """A decision in words for this employee. `text` is the message, where there is one."""
        language, say = decision.language, self.kb.say
        note = say("who_sees_this", language) if first_contact else ""
        reply = Reply(decision, (), privacy_note=note, coach_label=say("talk_to_a_person", language))
        match decision.outcome:
            case "handoff":
                page = self._page(decision.cards[0], decision, employee, today, text)
                reply = replace(reply, pages=(page,), closing=say("handoff_done", language))
            case "answer":
                cards = decision.cards if decision.also else decision.cards[:1]
                pages = tuple(self._page(card, decision, employee, today, text) for card in cards)
                following = dict.fromkeys(card for page in pages for card in page.next if card not in cards)
                reply = replace(
                    reply,
                    lead=say("two_answers", language) if len(pages) > 1 else "",
                    pages=pages,
                    choices=() if decision.safety else self._choices(list(following)[:4], language),
                    ask_for_feedback=not decision.safety and not decision.cards[0].startswith("assistant/"),
                )
            case "clarify":
                choices = self._choices(decision.cards, language)
                neither = Choice(NONE_OF_THESE, say("none_of_these", language))
                reply = replace(reply, lead=say("clarify", language), choices=(*choices, neither))
            case "abstain":
                reply = self._abstain(reply, decision, employee, today)
        return reply, self._after(decision, dialogue, reply)

    def _abstain(self, reply: Reply, decision: Decision, employee: Employee, today: date) -> Reply:
        language, say = decision.language, self.kb.say
        if decision.other_language:
            other = self.kb.other_languages[decision.other_language]
            return replace(reply, lead=other.reply, coach_label=other.button)
        lead = say("abstain", language)
        if decision.outside:
            lead = self.kb.outside_answer(decision.outside, employee, language, today)
        choices = self._choices(decision.cards, language) if not decision.outside else ()
        if choices:
            lead += "\n" + say("abstain_nearest", language)
        return replace(reply, lead=lead, choices=choices, closing=say("abstain_person", language))

    def _page(self, card: str, decision: Decision, employee: Employee, today: date, text: str) -> Page:
        worked_out = self.work_out(card, decision.roles, employee, decision.language, today, text)
        return worked_out or self.kb.page(card, employee, decision.language, today)

    def _choices(self, cards: Any, language: Language) -> tuple[Choice, ...]:
        return tuple(Choice(card, self.kb.title(card, language)) for card in cards if self.kb.has(card))

    def _after(self, decision: Decision, dialogue: Dialogue, reply: Reply) -> Dialogue:
        roles = decision.roles
        named = roles.compare or tuple(role for role in (*roles.named, roles.to) if role)
        if decision.outcome == "answer" and (about := self.understanding.neighbours.roles.get(decision.cards[0])):
            named = (*named, about)
        talked = (*(role for role in dialogue.roles if role not in named), *dict.fromkeys(named))[-4:]
        cards = decision.cards if decision.outcome == "answer" else dialogue.cards
        asked = ""
        if decision.outcome == "answer" and decision.cards[0] in ("pathways/path-to", "pathways/gap"):
            asked = "role_wanted" if not (roles.to or dialogue.to) else "role_now" if not roles.from_ else ""
        return Dialogue(
            cards=tuple(cards),
            offered=tuple(choice.card for choice in reply.choices if choice.card != NONE_OF_THESE),
            asked=asked,
            from_=roles.from_ or dialogue.from_,
            to=roles.to or dialogue.to,
            roles=talked,
        )
