"""Keeps, for every conversation, why it needs a coach: written whenever something happens in it."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session, col, select

from bot.domain.attention import NOTHING, Sign, most_urgent, sign_of_exchange
from storage.models import Attention, CheckinTrouble, CoachMessage, Conversation, Exchange, Feedback, Handoff, Person

LATEST = 50  # exchanges looked at: what is older than these and was never handled no longer decides


def reassess(session: Session, conversation_id: int) -> Attention | None:
    """Where the conversation stands now, from its handoffs, exchanges and messages, in the caller's transaction."""
    session.flush()
    conversation = session.get(Conversation, conversation_id)
    if conversation is None:
        return None
    row = session.get(Attention, conversation_id)
    exchanges = _latest(session, conversation_id)
    sign = most_urgent(_signs(session, conversation, exchanges, row.handled_at if row else None), conversation.started_at)
    message = session.exec(
        select(CoachMessage).where(CoachMessage.conversation_id == conversation_id).order_by(col(CoachMessage.id).desc())
    ).first()
    moments = [conversation.last_at, *([message.at] if message else [])]
    if row is None:
        row = _blank(conversation, session.get(Person, conversation.person_id))
    _place(row, sign)
    row.last_at, row.language = max(moments), conversation.language
    row.topic = _topic(next((exchange.cards for exchange in exchanges if exchange.cards), [])) or row.topic
    session.add(row)
    return row


def attention_of(session: Session, conversation: Conversation) -> Attention | None:
    """What is kept about a conversation; None while nothing is."""
    return session.get(Attention, conversation.id) if conversation.id else None


def first_attention(session: Session, conversation: Conversation, person: Person) -> Attention:
    """Of a conversation that has just begun and has no exchange yet: troubles with check-ins come along from the one before."""
    row = _blank(conversation, person)
    _place(row, most_urgent(_troubles(session, conversation, None), conversation.started_at))
    session.add(row)
    return row


def _blank(conversation: Conversation, person: Person | None) -> Attention:
    return Attention(
        conversation_id=conversation.id or 0,
        workspace=conversation.workspace,
        person_id=conversation.person_id,
        level=NOTHING,
        turn=0,
        since=conversation.started_at,
        last_at=conversation.last_at,
        site=(person.site if person else None) or "",
    )


def one_more(row: Attention, exchange: Exchange, now: datetime) -> None:
    """What `reassess` would find after one more exchange and nothing else: this is done with every question, and quick."""
    sign = _sign_of(Outline(*(getattr(exchange, name) for name in Outline._fields)), row.handled_at)
    if sign and (sign.level, sign.turn) < (row.level, row.turn):
        _place(row, sign)
    row.last_at, row.language = now, exchange.language
    row.topic = _topic(exchange.cards) or row.topic


def _place(row: Attention, sign: Sign) -> None:
    if sign.level < row.level:
        row.snoozed_until = None  # something more urgent happened: it comes back at once
    row.reason, row.level, row.turn, row.since = sign.reason, sign.level, sign.turn, sign.at


def _topic(cards: Sequence[str]) -> str:
    return cards[0].split("/")[0] if cards else ""


class Outline(NamedTuple):
    """What decides about an exchange. The replies themselves are long, and this is read with every question."""

    id: int
    outcome: str
    confidence: float
    cards: list[str]
    asked_at: datetime


def _latest(session: Session, conversation_id: int) -> list[Outline]:
    columns = [getattr(Exchange, name) for name in Outline._fields]
    wanted = select(*columns).where(Exchange.conversation_id == conversation_id)  # type: ignore[call-overload]
    return [Outline(*row) for row in session.exec(wanted.order_by(col(Exchange.id).desc()).limit(LATEST))]


def _signs(
    session: Session, conversation: Conversation, exchanges: list[Outline], handled_at: datetime | None
) -> list[Sign]:
    conversation_id = conversation.id or 0
    signs = _troubles(session, conversation, handled_at)
    open_ones = select(Handoff).where(Handoff.conversation_id == conversation_id, Handoff.state != "resolved")
    for handoff in session.exec(open_ones):
        if handoff.state == "waiting":
            signs.append(Sign("danger" if handoff.urgent else "waiting", handoff.asked_at))
        else:
            signs.append(_with_coach(session, conversation_id, handoff))
    for exchange in exchanges:
        if sign := _sign_of(exchange, handled_at):
            signs.append(sign)
    down = select(Feedback).where(
        col(Feedback.exchange_id).in_([exchange.id for exchange in exchanges]), col(Feedback.helpful).is_(False)
    )
    signs += [
        Sign("thumbs-down", each.given_at) for each in session.exec(down) if handled_at is None or each.given_at > handled_at
    ]
    return signs


def _sign_of(exchange: Outline, handled_at: datetime | None) -> Sign | None:
    if handled_at and exchange.asked_at <= handled_at:
        return None
    return sign_of_exchange(exchange.outcome, exchange.confidence, exchange.cards, exchange.asked_at)


def _troubles(session: Session, conversation: Conversation, handled_at: datetime | None) -> list[Sign]:
    """Check-ins of this person that a coach should look at: in their latest conversation only."""
    newer = select(Conversation.id).where(Conversation.person_id == conversation.person_id, Conversation.thread_ts == "")
    if (
        session.exec(newer.order_by(col(Conversation.last_at).desc(), col(Conversation.id).desc())).first()
        != conversation.id
    ):
        return []
    found = select(CheckinTrouble).where(CheckinTrouble.person_id == conversation.person_id)
    return [
        Sign(each.reason, each.at)
        for each in session.exec(found.where(col(CheckinTrouble.settled_at).is_(None)))
        if handled_at is None or each.at > handled_at
    ]


def _with_coach(session: Session, conversation_id: int, handoff: Handoff) -> Sign:
    """Claimed: is it the coach's turn to write? The wait counts from the first message without an answer."""
    claimed_at = handoff.claimed_at or handoff.asked_at
    since = None
    messages = select(CoachMessage).where(
        CoachMessage.conversation_id == conversation_id, col(CoachMessage.at) >= claimed_at
    )
    for message in session.exec(messages.order_by(col(CoachMessage.id))):
        since = None if message.author_id else since or message.at
    return Sign("reply-due", since) if since else Sign("with-coach", claimed_at)
