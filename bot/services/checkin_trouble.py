"""What goes wrong with a check-in reaches the coach's list, never the other side."""

from datetime import datetime

from sqlmodel import Session, col, select

from bot.services.attention import reassess
from storage.models import Attention, Checkin, CheckinTrouble, Conversation, Person
from storage.queries import insert_new


def raise_trouble(session: Session, checkin: Checkin, reason: str, now: datetime) -> None:
    """checkin-disputed, checkin-overdue or not-reached: a coach should look. Once a check-in and reason."""
    session.flush()
    row = {"checkin_id": checkin.id, "person_id": checkin.person_id, "reason": reason, "at": now}
    insert_new(session, CheckinTrouble, [row])
    person = session.get_one(Person, checkin.person_id)
    reassess(session, _conversation_of(session, person, now).id or 0)


def settle_troubles(session: Session, checkin: Checkin, now: datetime) -> None:
    """It took place, was skipped or is over: nobody has to look any more."""
    open_ones = select(CheckinTrouble).where(
        CheckinTrouble.checkin_id == checkin.id, col(CheckinTrouble.settled_at).is_(None)
    )
    found = session.exec(open_ones).all()
    for trouble in found:
        trouble.settled_at = now
    if found:
        shown = select(Attention.conversation_id).where(Attention.person_id == checkin.person_id)
        for conversation in session.exec(shown.where(col(Attention.reason).in_({each.reason for each in found}))).all():
            reassess(session, conversation)


def _conversation_of(session: Session, person: Person, now: datetime) -> Conversation:
    """The latest with this person; a new one for who has never written. A coach can write into it."""
    latest = select(Conversation).where(Conversation.person_id == person.id, Conversation.thread_ts == "")
    found = session.exec(latest.order_by(col(Conversation.last_at).desc(), col(Conversation.id).desc())).first()
    if found:
        return found
    made = Conversation(
        workspace=person.workspace,
        person_id=person.id or 0,
        channel=person.slack_id or "",
        started_at=now,
        last_at=now,
        language=person.language or "en",
    )
    session.add(made)
    session.flush()
    return made
