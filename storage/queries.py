"""Queries that have a name."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, select

from storage.models import Handoff


def handoffs_asked_at(session: Session, person_id: int, asked_at: datetime) -> Sequence[Handoff]:
    """Handoffs of a person that were asked for at exactly this moment: those of the current transaction."""
    session.flush()
    return session.exec(select(Handoff).where(Handoff.person_id == person_id, Handoff.asked_at == asked_at)).all()
