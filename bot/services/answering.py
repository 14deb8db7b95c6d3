"""Answer a question: who asks, the reply, and the commit that keeps the exchange and puts the reply into the outbox."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, update
from sqlmodel import Session, col, select

from bot.domain.cards import Language
from bot.domain.dialogue import Dialogue
from bot.domain.people import Employee
from bot.knowledge_base import KnowledgeBase
from bot.services import queues
from bot.services.about_me import told_by, with_told
from bot.services.attention import attention_of, first_attention, one_more, reassess
from bot.services.replying import NONE_OF_THESE, Answering, Reply
from storage.models import Conversation, Exchange, Handoff, InboxItem, OutboxItem, Person
from storage.queries import insert_row

NEW_CONVERSATION_AFTER = timedelta(hours=8)

# Built once, like all that every question needs: building a statement takes longer than the database does. Those on bare
# columns go past the session, and name person or workspace themselves (storage/keeping_apart.py).
_MANAGED_BY = select(Person.id).where(Person.manager_id == bindparam("person"), Person.status != "terminated").limit(1)
_HERE = (
    select(Conversation)
    .where(
        Conversation.workspace == bindparam("workspace"),
        Conversation.channel == bindparam("channel"),
        Conversation.thread_ts == bindparam("thread_ts"),
    )
    .order_by(col(Conversation.last_at).desc())
    .limit(1)
)
_TALKED = update(Conversation).where(col(Conversation.id) == bindparam("conversation"))
_DRAWN = update(Exchange).where(col(Exchange.id) == bindparam("exchange"))
_OF_PERSON = select(Conversation.id).where(Conversation.person_id == bindparam("person")).limit(1)
_WITH_KEY = select(InboxItem.id).where(InboxItem.workspace == bindparam("workspace"), InboxItem.key == bindparam("key"))


def employee_of(person: Person, session: Session) -> Employee:
    """The roster row as the domain knows it, with what the person told about themselves."""
    manages = session.connection().execute(_MANAGED_BY, {"person": person.id}).first()
    on_the_roster = Employee(
        first_name=person.first_name,
        language=person.language if person.language in ("en", "es") else None,  # type: ignore[arg-type]
        role=person.role,
        site=person.site,
        hours_per_week=person.hours_per_week,
        shift=person.shift,  # type: ignore[arg-type]
        hired_on=person.hired_on,
        in_role_since=person.in_role_since,
        good_standing=person.good_standing,
        is_manager=manages is not None,
    )
    return with_told(on_the_roster, told_by(session, person))


def today_for(person: Person, now: datetime, zone: str) -> date:
    """The date where the person is; `zone` is the employer's, when the person's is not known."""
    return now.astimezone(ZoneInfo(person.zone or zone)).date()


Draw = Callable[[KnowledgeBase, Reply, int, Language], dict[str, Any]]


@dataclass(frozen=True)
class Asking:
    """Who asks, where, and what was said before: all that the reply depends on.

    `conversation` is the one that goes on, if any does; `taken_back`: deleted before it came to us.
    """

    employee: Employee
    conversation: Conversation | None
    dialogue: Dialogue
    today: date
    language: Language
    first_contact: bool
    taken_back: bool


@dataclass(frozen=True)
class Prepared:
    """A reply that is not kept or sent yet, and the question as it is kept."""

    conversation: Conversation | None
    question: str
    reply: Reply
    dialogue: Dialogue


def asked_by(session: Session, item: InboxItem, person: Person, kb: KnowledgeBase, now: datetime) -> Asking:
    """Reads what `prepare` needs. It stays true until the item is finished: a conversation is worked on by one at a time."""
    conversation = _going_on(session, item, now)
    language = conversation.language if conversation else person.language
    return Asking(
        employee_of(person, session),
        conversation,
        Dialogue.recall(conversation.dialogue, now) if conversation else Dialogue(),
        today_for(person, now, kb.employer["zone"]),
        "es" if language == "es" else "en",
        conversation is None and _is_first(session, person),
        item.kind == "message" and _was_taken_back(session, item),
    )


def prepare(item: InboxItem, asking: Asking, answering: Answering) -> Prepared:
    """The reply to an inbox item of kind `message` or `choice`, or to what an `edit` says now. Touches no database."""
    kb, employee, dialogue, today = answering.kb, asking.employee, asking.dialogue, asking.today
    if item.kind == "choice":
        card, language = item.body["card"], item.body.get("language") or asking.language
        reply, dialogue = answering.reply_with_card(card, employee, dialogue, today, language)
        question = kb.say("none_of_these", language) if card == NONE_OF_THESE else kb.title(card, language)
    else:
        question = item.body.get("text", "")
        reply, dialogue = answering.reply(question, employee, dialogue, today, first_contact=asking.first_contact)
    return Prepared(asking.conversation, question, reply, dialogue)


def answer(
    session: Session, item: InboxItem, person: Person, prepared: Prepared, kb: KnowledgeBase, draw: Draw, now: datetime
) -> OutboxItem:
    """Keep and send what was prepared, in the caller's transaction: exchange, dialogue, handoff, outbox row and the
    item's end are one commit. Returns the outbox row, ready to be delivered."""
    reply, conversation = prepared.reply, prepared.conversation
    state = {"dialogue": prepared.dialogue.keep(now), "last_at": now, "language": reply.decision.language}
    if conversation:
        session.connection().execute(_TALKED, state | {"conversation": conversation.id})
        row = attention_of(session, conversation)
    else:
        conversation = insert_row(session, _new_conversation(item, person, now, **state))
        row = first_attention(session, conversation, person)
    exchange = _keep(session, item, person, conversation, reply, prepared.question, kb.revision, now)
    payload = draw(kb, reply, exchange.id or 0, reply.decision.language)
    session.connection().execute(_DRAWN, {"exchange": exchange.id, "reply_blocks": payload.get("blocks", [])})
    if conversation.thread_ts:
        payload["thread_ts"] = conversation.thread_ts
    queues.finish(session, item, now)
    sent = queues.put_reply(session, item, conversation.channel, payload, now, exchange.id or 0)
    if reply.needs_a_coach:
        _hand_off(session, person, conversation, exchange, reply, now)
    if row is None or reply.needs_a_coach:
        reassess(session, conversation.id or 0)
    else:
        one_more(row, exchange, now)
    return sent


def taken_back(message: str) -> str:
    """The inbox key of a deletion, from that of the message. Slack may tell of both in either order."""
    return f"{message}:deleted"


def _was_taken_back(session: Session, item: InboxItem) -> bool:
    """Deleted before it came to us: what an employee took back is neither answered nor kept."""
    deletion = {"workspace": item.workspace, "key": taken_back(item.key)}
    return session.connection().execute(_WITH_KEY, deletion).first() is not None


def conversation_at(session: Session, item: InboxItem, person: Person, now: datetime) -> Conversation:
    """The conversation that goes on, or a new one."""
    return _going_on(session, item, now) or _begin(session, item, person, now)


def _begin(session: Session, item: InboxItem, person: Person, now: datetime) -> Conversation:
    conversation = _new_conversation(item, person, now, last_at=now, language=person.language or "en")
    session.add(conversation)
    session.flush()
    return conversation


def _new_conversation(item: InboxItem, person: Person, now: datetime, **state: Any) -> Conversation:
    return Conversation(
        workspace=item.workspace,
        person_id=person.id or 0,
        channel=item.body["channel"],
        thread_ts=item.body.get("thread_ts", ""),
        started_at=now,
        **state,
    )


def _going_on(session: Session, item: InboxItem, now: datetime) -> Conversation | None:
    thread_ts = item.body.get("thread_ts", "")
    place = {"workspace": item.workspace, "channel": item.body["channel"], "thread_ts": thread_ts}
    latest = session.exec(_HERE, params=place).first()
    return latest if latest and (thread_ts or now - latest.last_at < NEW_CONVERSATION_AFTER) else None


def _is_first(session: Session, person: Person) -> bool:
    return session.connection().execute(_OF_PERSON, {"person": person.id}).first() is None


def _keep(
    session: Session,
    item: InboxItem,
    person: Person,
    conversation: Conversation,
    reply: Reply,
    question: str,
    revision: str,
    now: datetime,
) -> Exchange:
    decision = reply.decision
    exchange = Exchange(
        workspace=item.workspace,
        conversation_id=conversation.id or 0,
        person_id=person.id or 0,
        inbox_key=item.key,
        asked_at=item.received_at,
        question="" if reply.hides_the_words else question,
        question_ts=item.body.get("ts", ""),
        language=decision.language,
        outcome=decision.outcome,
        cards=list(decision.cards),
        confidence=round(decision.confidence, 4),
        reply_text=reply.text,
        content_revision=revision,
    )
    return insert_row(session, exchange)


def _hand_off(
    session: Session, person: Person, conversation: Conversation, exchange: Exchange, reply: Reply, now: datetime
) -> None:
    reason = reply.decision.cards[0] if reply.is_urgent else "asked"
    ask_for_coach(session, person, conversation, exchange, reason, now, urgent=reply.is_urgent)


def ask_for_coach(
    session: Session,
    person: Person,
    conversation: Conversation | None,
    exchange: Exchange | None,
    reason: str,
    now: datetime,
    *,
    urgent: bool = False,
) -> Handoff:
    """One waiting handoff a person and reason; asking again changes nothing."""
    waiting = session.exec(
        select(Handoff).where(Handoff.person_id == person.id, Handoff.state != "resolved", Handoff.reason == reason)
    ).first()
    if waiting:
        return waiting
    handoff = Handoff(
        workspace=person.workspace,
        person_id=person.id or 0,
        conversation_id=conversation.id if conversation else None,
        exchange_id=exchange.id if exchange else None,
        reason=reason,
        urgent=urgent,
        asked_at=now,
    )
    session.add(handoff)
    session.flush()
    return handoff
