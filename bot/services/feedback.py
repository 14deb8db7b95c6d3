"""What employees say of an answer, and what they change in a question afterwards."""

from datetime import datetime

from sqlmodel import Session, col, select

from bot.domain.privacy import redact
from bot.services.attention import reassess
from storage.models import Exchange, Feedback, Person, QuestionEdit
from storage.queries import forget_in_search


def give_feedback(session: Session, person: Person, exchange_id: int, helpful: bool, reason: str, now: datetime) -> bool:
    """Keep a thumb; a later one replaces it. False when the exchange is not this person's."""
    exchange = session.get(Exchange, exchange_id)
    if exchange is None or exchange.person_id != person.id:
        return False
    known = session.exec(
        select(Feedback).where(Feedback.exchange_id == exchange_id, Feedback.person_id == person.id)
    ).first()
    feedback = known or Feedback(exchange_id=exchange_id, person_id=person.id or 0, given_at=now, helpful=helpful)
    feedback.helpful, feedback.given_at = helpful, now
    feedback.reason = "" if helpful else reason or feedback.reason
    session.add(feedback)
    reassess(session, exchange.conversation_id)
    return True


def note_edit(session: Session, workspace: str, person: Person, question_ts: str, text: str, now: datetime) -> None:
    """An employee changed a message: both wordings are kept, redacted. Hidden questions stay hidden."""
    exchange = _exchange(session, workspace, person, question_ts)
    if exchange and exchange.question and redact(text) != exchange.question:
        session.add(QuestionEdit(exchange_id=exchange.id or 0, edited_at=now, question=redact(text)))


def note_deletion(session: Session, workspace: str, person: Person, question_ts: str, now: datetime) -> None:
    """An employee deleted a message: its words go, that there was one stays."""
    if exchange := forget_words(session, workspace, person, question_ts):
        exchange.question_deleted_at = now


def forget_words(session: Session, workspace: str, person: Person, question_ts: str) -> Exchange | None:
    """The words of a message go, earlier wordings too; returns what is left of it, None when it was no question."""
    exchange = _exchange(session, workspace, person, question_ts)
    if exchange and exchange.question:
        exchange.question = ""
        forget_in_search(session)
        for edit in session.exec(select(QuestionEdit).where(QuestionEdit.exchange_id == exchange.id)):
            session.delete(edit)
    return exchange


def _exchange(session: Session, workspace: str, person: Person, question_ts: str) -> Exchange | None:
    """The message as it was first answered: an edit may have been answered after it."""
    own = select(Exchange).where(Exchange.workspace == workspace, Exchange.person_id == person.id)
    first = own.where(Exchange.question_ts == question_ts).order_by(col(Exchange.id))
    return session.exec(first).first() if question_ts else None
