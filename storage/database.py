"""Engine, sessions and migrations for SQLite and PostgreSQL."""

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import sessionmaker
from sqlmodel import Session

from storage.keeping_apart import keep_to

Sessions = Callable[[], Session]

logger = logging.getLogger(__name__)

TURN = "trellis_writes"  # in a connection's info: it is this one's turn to write
READS = "trellis_reads"  # the execution option of a transaction that will not write
APPLICATION = "trellis"  # how its connections are named in pg_stat_activity
MIGRATIONS_LOCK = 0x7265_6C6C  # any number, the same in all processes


@dataclass(frozen=True)
class Limits:
    """How many connections one PostgreSQL engine may hold, and how long it waits. docs/postgresql.md says how to choose."""

    pool: int = 5  # connections that stay open
    overflow: int = 10  # more of them at busy moments
    connect_seconds: int = 5
    statement_seconds: int = 60  # 0: no limit
    lock_seconds: int = 10  # 0: no limit

    def arguments(self) -> dict[str, Any]:
        """A database machine that vanishes is noticed in 30 s; a process that freezes inside a transaction lets go of its
        rows after a minute."""
        waits = {
            "statement_timeout": self.statement_seconds * 1000,
            "lock_timeout": self.lock_seconds * 1000,
            "idle_in_transaction_session_timeout": 60_000,
        }
        alive = {"keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}
        options = " ".join(f"-c {name}={value}" for name, value in waits.items())
        return {"application_name": APPLICATION, "connect_timeout": self.connect_seconds, "options": options} | alive


def open_database(url: str, *, read_only: bool = False, limits: Limits | None = None) -> Engine:
    """An engine for `sqlite:///…` or `postgresql+psycopg://…`.

    SQLite runs with a write-ahead log, full synchronisation and foreign keys, and every transaction takes
    the write lock at once (BEGIN IMMEDIATE), so that a claim can't fail half-way. A `read_only` engine takes no
    lock and refuses to write: any number of readers work beside the one who writes.
    `hide_parameters`: an error's text must not carry what somebody wrote.
    """
    if not url.startswith("sqlite"):
        limits = limits or Limits()
        return create_engine(
            url,
            pool_size=limits.pool,
            max_overflow=limits.overflow,
            pool_timeout=10,
            pool_pre_ping=True,  # a connection that broke meanwhile is replaced, not handed out
            connect_args=limits.arguments(),
            execution_options={"postgresql_readonly": True} if read_only else {},
            hide_parameters=True,
        )
    turn = Lock()
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        _write_ahead(connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", "busy_timeout=30000"):
            connection.execute(f"PRAGMA {pragma}")
        if read_only:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        if read_only or connection.get_execution_options().get(READS):
            connection.exec_driver_sql("BEGIN")
            return
        # Who waits for SQLite itself looks again after ever longer sleeps: threads of one process take turns instead.
        # It ends when the connection goes back to the pool; one that is kept for more transactions keeps it.
        connection.info[TURN] = connection.info.get(TURN) or turn.acquire(timeout=30)
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine, "checkin")
    def _next(_connection: Any, record: Any) -> None:
        if record.info.pop(TURN, False):
            turn.release()

    return engine


def _write_ahead(connection: Any) -> None:
    """A file that is new to it is refused at once, whatever the time-out, while another process does the same."""
    for _ in range(100):
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode=WAL")
            return
        time.sleep(0.1)
    connection.execute("PRAGMA journal_mode=WAL")


def make_sessions(engine: Engine, workspace: str = "") -> Sessions:
    """Rows stay readable after commit: services return them, adapters draw them.

    With a `workspace` they see and write its rows alone; without one, everybody's.
    """
    sessions = sessionmaker(engine, class_=Session, expire_on_commit=False)
    if workspace:
        keep_to(sessions, workspace)
    return sessions


@contextmanager
def reading(sessions: Sessions) -> Iterator[Session]:
    """A session that only reads: on SQLite it waits for no writer, and none waits for it."""
    with sessions() as session:
        session.connection(execution_options={READS: True})
        yield session


def empty_the_log(sessions: Sessions) -> None:
    """SQLite's write-ahead log goes into the database and is cut to nothing: words that were taken away since stand in it.

    While others read or write it may not come about; then the next time. PostgreSQL clears up by itself.
    """
    with sessions() as session:
        engine = session.get_bind()
    if engine.dialect.name != "sqlite" or not isinstance(engine, Engine):
        return
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA busy_timeout=200")  # meanwhile nobody can write
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.cursor().execute("PRAGMA busy_timeout=30000")
        connection.close()


def migrate(url: str, revision: str = "head") -> None:
    """Bring the database to `revision`; safe to run at every start, by any number of processes at once.

    A database that a newer version has upgraded already is left as it is: migrations only add, so this version can go on
    working while the newer one is rolled out.
    """
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = open_database(url, limits=Limits(pool=1, overflow=1, statement_seconds=0))
    try:
        with one_at_a_time(engine):
            if newer := _newer_than_we_know(engine, alembic_config(url)):
                logger.warning("the database is at revision %s, newer than this version of Trellis", newer)
            else:
                command.upgrade(alembic_config(url), revision)
    finally:
        engine.dispose()


@contextmanager
def one_at_a_time(engine: Engine) -> Iterator[None]:
    """PostgreSQL: the others wait here. SQLite's own write lock does as much. Gone with its connection, whatever happens."""
    if engine.dialect.name != "postgresql":
        yield
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as guard:
        guard.exec_driver_sql("SET lock_timeout = 0")  # a long migration of somebody else is no error
        guard.exec_driver_sql(f"SELECT pg_advisory_lock({MIGRATIONS_LOCK})")
        try:
            yield
        finally:
            guard.exec_driver_sql(f"SELECT pg_advisory_unlock({MIGRATIONS_LOCK})")
            guard.exec_driver_sql("RESET lock_timeout")


def _newer_than_we_know(engine: Engine, config: Config) -> str:
    """The database's revision, when it is higher than any of ours; "" otherwise."""
    scripts = ScriptDirectory.from_config(config)
    with engine.connect() as connection:
        here = MigrationContext.configure(connection).get_current_revision() or ""
    known = {script.revision for script in scripts.walk_revisions()}
    return here if here not in known and here > max(known) else ""


def alembic_config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = url
    return config
