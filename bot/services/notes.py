"""Notes and labels: what coaches keep for each other. Nothing that writes to employees may import this."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from bot.domain.privacy import redact
from bot.services.audit import record
from bot.services.stepping_in import CantDo
from storage.models import Exchange, Label, Note, Person

MOST_WORDS = 4000
LONGEST_LABEL = 40


def add_note(
    session: Session, coach: Person, person_id: int, text: str, now: datetime, exchange_id: int | None = None
) -> None:
    """A note on a person, or on one message of theirs; numbers that must not be stored are taken out."""
    words = text.replace("\0", "").strip()
    if not words:
        raise CantDo("The note is empty.")
    if len(words) > MOST_WORDS:
        raise CantDo(f"A note has at most {MOST_WORDS} characters.")
    _check_own(session, person_id, exchange_id)
    session.add(
        Note(
            workspace=coach.workspace,
            person_id=person_id,
            exchange_id=exchange_id,
            author_id=coach.id or 0,
            at=now,
            text=redact(words),
        )
    )
    record(session, coach, "noted", now, subject_id=person_id)


def notes_on(session: Session, person_id: int) -> Sequence[Note]:
    return session.exec(select(Note).where(Note.person_id == person_id).order_by(col(Note.id))).all()


def add_label(
    session: Session, coach: Person, person_id: int, name: str, now: datetime, exchange_id: int | None = None
) -> None:
    """A label on a person or a message; the same one again changes nothing."""
    name = " ".join(redact(name.replace("\0", "")).lower().split())[:LONGEST_LABEL]
    if not name:
        raise CantDo("The label has no name.")
    _check_own(session, person_id, exchange_id)
    same = select(Label).where(Label.person_id == person_id, Label.name == name)
    if session.exec(same.where(Label.exchange_id == exchange_id)).first() is None:
        session.add(
            Label(
                workspace=coach.workspace,
                name=name,
                person_id=person_id,
                exchange_id=exchange_id,
                added_by=coach.id or 0,
                at=now,
            )
        )


def drop_label(session: Session, coach: Person, label_id: int) -> None:
    label = session.get(Label, label_id)
    if label and label.workspace == coach.workspace:
        session.delete(label)


def labels_on(session: Session, person_id: int) -> Sequence[Label]:
    return session.exec(select(Label).where(Label.person_id == person_id).order_by(Label.name)).all()


def _check_own(session: Session, person_id: int, exchange_id: int | None) -> None:
    exchange = session.get(Exchange, exchange_id) if exchange_id else None
    if exchange_id and (exchange is None or exchange.person_id != person_id):
        raise CantDo("This message does not belong to this person.")
