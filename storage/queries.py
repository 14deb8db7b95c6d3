"""Queries that have a name."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import insert, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, select

from storage.keeping_apart import must_lie_in
from storage.models import Handoff

RowT = TypeVar("RowT", bound=SQLModel)


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


@cache
def _insert(table: type[SQLModel]) -> Any:
    columns: Any = table.__table__.columns  # type: ignore[attr-defined]
    return insert(table).returning(columns.id), [column.name for column in columns if column.name != "id"]


def insert_row(session: Session, row: RowT) -> RowT:
    """Insert a new row now, and give it its id. It is not part of the session: later changes of it are not written.

    For what every question writes: a fraction of what the session's own way takes. Raises CrossedOver.
    """
    must_lie_in(session, row)
    statement, names = _insert(type(row))
    values = {name: getattr(row, name) for name in names}
    row.id = session.connection().execute(statement, values).scalar_one()  # type: ignore[attr-defined]
    return row


def insert_new(session: Session, table: type[SQLModel], rows: Sequence[dict[str, Any]]) -> None:
    """Insert many rows; those that break a unique key are there already and stay as they are."""
    if not rows:
        return
    of_dialect = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.connection().execute(of_dialect(table).on_conflict_do_nothing(), rows)
