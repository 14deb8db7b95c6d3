"""One conversation with everything around it, as the coach's page shows it. Only reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from bot.services.audit import full_name, names_of
from bot.services.coach_inbox import has_revealed, known_conversations, pseudonym
from bot.services.notes import labels_on, notes_on
from bot.services.opening import conversation_for
from bot.services.stepping_in import Claim, claim_of
from storage.models import (
    Attention,
    Checkin,
    CoachMessage,
    Conversation,
    Exchange,
    Feedback,
    Handoff,
    Label,
    Note,
    OutboxItem,
    Person,
    QuestionEdit,
    Review,
)

MOST_EXCHANGES = 200  # of one conversation, the latest


@dataclass(frozen=True)
class Told:
    """An exchange with what belongs to it."""

    exchange: Exchange
    edits: list[QuestionEdit]
    feedback: Feedback | None
    reviews: list[Review]
    notes: list[Note]
    labels: list[Label]

    @property
    def at(self) -> datetime:
        return self.exchange.asked_at


@dataclass(frozen=True)
class Written:
    """A message between coach and employee; `delivery` is the outbox's word for the coach's ("sent", "dead" …)."""

    message: CoachMessage
    author: str  # "" when the employee wrote it
    delivery: str

    @property
    def at(self) -> datetime:
        return self.message.at


@dataclass(frozen=True)
class Story:
    """Everything on the page. `who` is a name only when `known`."""

    conversation: Conversation
    attention: Attention | None
    person: Person
    who: str
    known: bool
    events: Sequence[Told | Written]  # by time
    left_out: int  # older exchanges that are not shown
    handoffs: Sequence[Handoff]
    claim: Claim | None
    notes: list[Note]  # on the person, not on one message
    labels: list[Label]
    revealed: bool  # this coach has given a reason to learn who it is
    earlier: Sequence[Conversation]  # the person's other chats, once revealed: each of them is a chat of its own to open
    other_chats: int
    checkins: Sequence[Checkin]  # the latest two; what each side said of them is nobody else's business
    names: dict[int, str]  # of coaches, by person id


def tell(session: Session, coach: Person, conversation_id: int, secret: str) -> Story:
    """The whole story. Raises LookupError when there is no such conversation for this coach."""
    conversation = conversation_for(session, coach, conversation_id)
    person = session.get_one(Person, conversation.person_id)
    known = conversation_id in known_conversations(session, [conversation_id])
    revealed = has_revealed(session, coach, conversation_id)
    known = known or revealed
    notes, labels = list(notes_on(session, person.id or 0)), list(labels_on(session, person.id or 0))
    exchanges = _exchanges(session, conversation_id, notes, labels)
    written = _written(session, conversation_id)
    asked = select(Handoff).where(Handoff.person_id == person.id).order_by(col(Handoff.id).desc())
    handoffs = session.exec(asked if known else asked.where(Handoff.conversation_id == conversation_id)).all()
    checkins = select(Checkin).where(Checkin.person_id == person.id).order_by(col(Checkin.planned_on).desc()).limit(2)
    others = select(Conversation).where(Conversation.person_id == person.id, Conversation.id != conversation_id)
    earlier = session.exec(others.order_by(col(Conversation.last_at).desc()).limit(10)).all()
    coaches = [*(h.claimed_by for h in handoffs), *(n.author_id for n in notes), *(w.message.author_id for w in written)]
    coaches += [review.reviewer_id for told in exchanges for review in told.reviews]
    events: list[Told | Written] = [*exchanges, *written]
    return Story(
        conversation=conversation,
        attention=session.get(Attention, conversation_id),
        person=person,
        who=full_name(person) if known else pseudonym(conversation_id, secret),
        known=known,
        events=sorted(events, key=lambda event: event.at),
        left_out=_count_left_out(session, conversation_id, exchanges),
        handoffs=handoffs,
        claim=claim_of(session, conversation_id),
        notes=[note for note in notes if note.exchange_id is None],
        labels=[label for label in labels if label.exchange_id is None],
        revealed=revealed,
        earlier=earlier if revealed else [],
        other_chats=len(earlier),
        checkins=session.exec(checkins).all(),
        names=names_of(session, coaches),
    )


def _exchanges(session: Session, conversation_id: int, notes: Sequence[Note], labels: Sequence[Label]) -> list[Told]:
    latest = select(Exchange).where(Exchange.conversation_id == conversation_id).order_by(col(Exchange.id).desc())
    exchanges = session.exec(latest.limit(MOST_EXCHANGES)).all()
    ids = [exchange.id for exchange in exchanges]
    edits = session.exec(select(QuestionEdit).where(col(QuestionEdit.exchange_id).in_(ids))).all()
    thumbs = {each.exchange_id: each for each in session.exec(select(Feedback).where(col(Feedback.exchange_id).in_(ids)))}
    reviews = session.exec(select(Review).where(col(Review.exchange_id).in_(ids))).all()
    return [
        Told(
            exchange=exchange,
            edits=[edit for edit in edits if edit.exchange_id == exchange.id],
            feedback=thumbs.get(exchange.id or 0),
            reviews=[review for review in reviews if review.exchange_id == exchange.id],
            notes=[note for note in notes if note.exchange_id == exchange.id],
            labels=[label for label in labels if label.exchange_id == exchange.id],
        )
        for exchange in exchanges
    ]


def _written(session: Session, conversation_id: int) -> list[Written]:
    messages = session.exec(
        select(CoachMessage).where(CoachMessage.conversation_id == conversation_id).order_by(col(CoachMessage.id))
    ).all()
    names = names_of(session, [message.author_id for message in messages])
    outbox = select(OutboxItem.id, OutboxItem.state).where(
        col(OutboxItem.id).in_([message.outbox_id for message in messages if message.outbox_id])
    )
    states = dict(session.exec(outbox).all())
    return [
        Written(message, names.get(message.author_id or 0, ""), states.get(message.outbox_id, "")) for message in messages
    ]


def _count_left_out(session: Session, conversation_id: int, shown: Sequence[Told]) -> int:
    if len(shown) < MOST_EXCHANGES:
        return 0
    return len(session.exec(select(Exchange.id).where(Exchange.conversation_id == conversation_id)).all()) - len(shown)
