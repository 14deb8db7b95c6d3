"""Runs migrations on the URL that storage.database.migrate passes in."""

from alembic import context
from sqlmodel import SQLModel

import storage.models  # noqa: F401  registers the tables
from storage.database import Limits, open_database


def is_modelled(name: str | None, kind: str, _parents: object) -> bool:
    """The full-text index and its tables are made by migration 0004; models can't describe them."""
    return "exchange_search" not in (name or "")


engine = open_database(context.config.attributes["url"], limits=Limits(pool=1, overflow=0, statement_seconds=0))
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        include_name=is_modelled,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
engine.dispose()
