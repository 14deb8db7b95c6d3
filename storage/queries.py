"""Queries that have a name."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, select

from storage.models import Handoff


def handoffs_asked_at(session: Session, person_id: int, asked_at: datetime) -> Sequence[Handoff]:
    """Handoffs of a person that were asked for at exactly this moment: those of the current transaction."""
    session.flush()
    return session.exec(select(Handoff).where(Handoff.person_id == person_id, Handoff.asked_at == asked_at)).all()


def forget_in_search(session: Session) -> None:
    """Words that were taken back leave SQLite's search index too: it only marks them, until it is rewritten."""
    session.flush()
    if session.get_bind().dialect.name == "sqlite":
        session.connection().execute(text("INSERT INTO exchange_search(exchange_search) VALUES ('optimize')"))


_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")


def one_after_the_other(session: Session, name: str) -> None:
    """Until its end no other transaction that names the same passes this line. SQLite's write transactions do so anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(_TURN, {"name": name})


def insert_new(session: Session, table: type[SQLModel], rows: Sequence[dict[str, Any]]) -> None:
    """Insert many rows; those that break a unique key are there already and stay as they are."""
    if not rows:
        return
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.connection().execute(insert(table).on_conflict_do_nothing(), rows)
