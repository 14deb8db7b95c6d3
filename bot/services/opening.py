"""Who may open a conversation, and why: decided in one place for reading, claiming and giving away. Each opening is written down."""

from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from bot.services.audit import record
from storage.models import Attention, AuditEntry, Conversation, Person

OPEN_FOR = timedelta(minutes=30)  # looking again within this time is the same opening


def conversation_for(session: Session, coach: Person, conversation_id: int) -> Conversation:
    """The conversation, if it can be this coach's business. Raises LookupError when there is none in the coach's workspace,
    and likewise when the coach is the employee's own manager, who must not even learn that it exists."""
    conversation = session.get(Conversation, conversation_id)
    if conversation is None or conversation.workspace != coach.workspace:
        raise LookupError(conversation_id)
    if manages(session, coach, conversation.person_id):
        raise LookupError(conversation_id)
    return conversation


def manages(session: Session, staff: Person, person_id: int) -> bool:
    """Is one of the staff this employee's own manager? Then nothing that the employee says is for them, whatever their role."""
    person = session.get(Person, person_id)
    return person is not None and person.manager_id == staff.id


def may_open(session: Session, coach: Person, conversation_id: int, now: datetime) -> str | None:
    """The reason that is plain to see: what the inbox says, having been given it, or having opened it just now. None: ask."""
    row = session.get(Attention, conversation_id)
    if row and row.reason:
        return row.reason
    if row and row.assigned_to == coach.id and _given_by_another(session, coach, conversation_id):
        return "assigned"
    return "opened just now" if _opened_lately(session, coach, conversation_id, now) else None


def open_conversation(session: Session, coach: Person, conversation_id: int, reason: str, now: datetime) -> None:
    """Write down who opened it, when and why: once in half an hour. Raises LookupError when it is not for this coach."""
    conversation = conversation_for(session, coach, conversation_id)
    if not _opened_lately(session, coach, conversation_id, now):
        record(
            session,
            coach,
            "opened",
            now,
            subject_id=conversation.person_id,
            conversation_id=conversation_id,
            reason=reason,
        )


def reveal(session: Session, coach: Person, conversation_id: int, reason: str, now: datetime) -> None:
    """Learn the name, for a reason that the employee can read later."""
    conversation = conversation_for(session, coach, conversation_id)
    record(
        session, coach, "revealed", now, subject_id=conversation.person_id, conversation_id=conversation_id, reason=reason
    )


def _given_by_another(session: Session, coach: Person, conversation_id: int) -> bool:
    """Was it somebody else who made the conversation the coach's, the last time that it was given to anybody?"""
    given = select(AuditEntry.act, AuditEntry.actor_id).where(
        AuditEntry.workspace == coach.workspace,
        AuditEntry.conversation_id == conversation_id,
        col(AuditEntry.act).in_(("assigned", "claimed")),
    )
    last = session.exec(given.order_by(col(AuditEntry.id).desc())).first()
    return last is not None and last[0] == "assigned" and last[1] != coach.id


def _opened_lately(session: Session, coach: Person, conversation_id: int, now: datetime) -> bool:
    opened = select(AuditEntry.id).where(
        AuditEntry.workspace == coach.workspace,
        AuditEntry.conversation_id == conversation_id,
        AuditEntry.act == "opened",
        AuditEntry.actor_id == coach.id,
        col(AuditEntry.at) > now - OPEN_FOR,
    )
    return session.exec(opened).first() is not None
