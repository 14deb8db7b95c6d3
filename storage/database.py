"""Engine, sessions and migrations for SQLite and PostgreSQL."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import sessionmaker
from sqlmodel import Session

Sessions = Callable[[], Session]


def open_database(url: str, *, read_only: bool = False) -> Engine:
    """An engine for `sqlite:///…` or `postgresql+psycopg://…`.

    SQLite runs with a write-ahead log, full synchronisation and foreign keys, and every transaction takes
    the write lock at once (BEGIN IMMEDIATE), so that a claim can't fail half-way. A `read_only` engine takes no
    lock and refuses to write: any number of readers work beside the one who writes.
    `hide_parameters`: an error's text must not carry what somebody wrote.
    """
    if not url.startswith("sqlite"):
        options = {"postgresql_readonly": True} if read_only else {}
        return create_engine(
            url, pool_size=10, max_overflow=10, pool_pre_ping=True, execution_options=options, hide_parameters=True
        )
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", "busy_timeout=30000"):
            connection.execute(f"PRAGMA {pragma}")
        if read_only:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def make_sessions(engine: Engine) -> Sessions:
    """Rows stay readable after commit: services return them, adapters draw them."""
    return sessionmaker(engine, class_=Session, expire_on_commit=False)


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database to `revision`; safe to run at every start."""
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    command.upgrade(alembic_config(url), revision)


def alembic_config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = url
    return config
