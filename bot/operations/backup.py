"""Backup and restore of the whole database, checked on the way out and on the way in."""

import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from alembic.script import ScriptDirectory
from sqlalchemy import Engine, func, inspect, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, SQLModel, col, select

from bot.operations import postgresql_tools
from bot.operations.faults import BackupProblem
from bot.operations.settings_faults import trouble_with_database
from storage.database import APPLICATION, alembic_config, migrate, open_database
from storage.models import Checkin, Exchange, OutboxItem, Person

COUNTED = {"people": Person, "exchanges": Exchange, "check-ins": Checkin}
BEGINS_WITH = {"SQLite": b"SQLite format 3\0", "PostgreSQL": b"PGDMP"}
GONE_WITHIN = 3.0  # seconds


@dataclass(frozen=True)
class Contents:
    """What a backup or a restored database holds, to compare the two."""

    revision: str
    counts: dict[str, int]

    def __str__(self) -> str:
        return ", ".join(f"{number} {name}" for name, number in self.counts.items()) + f", schema {self.revision}"


def back_up(url: str, file: Path) -> Contents:
    """A copy as of one moment, while Trellis runs on. The file appears whole or not at all, readable for its owner only.

    Raises BackupProblem.
    """
    if file.exists():
        raise BackupProblem(f"{file} is there already; backups are never overwritten. Choose another name.")
    if not file.parent.is_dir():
        raise BackupProblem(f"There is no folder {file.parent}.")
    _must_be_there(url)
    with _whole_or_nothing(file) as new:
        if _is_sqlite(url):
            _copy_sqlite(_path_of(url), new)
            with closing(sqlite3.connect(new)) as connection:
                connection.execute("PRAGMA journal_mode=DELETE")  # one file; Trellis turns the write-ahead log on again
            _check_sqlite(new)
            return _contents_of_file(new)
        postgresql_tools.dump(url, new)
        if not (revision := postgresql_tools.revision_in(new)):
            raise BackupProblem("The database has no tables of Trellis: is DATABASE_URL right?")
        return Contents(revision, contents_of(url).counts)


def back_up_to(url: str, out: BinaryIO) -> Contents:
    """The same into a stream, for a place that only others can write to. PostgreSQL's goes there as it is made, so only the
    end, without a BackupProblem, says that it is whole; SQLite's is made and checked beside the database first.
    """
    if _is_sqlite(url):
        _must_be_there(url)
        with _scratch_file(url) as file:
            held = back_up(url, file)
            with file.open("rb") as read:
                shutil.copyfileobj(read, out)
    else:
        with _engine(url) as engine:
            if not inspect(engine).has_table("alembic_version"):
                raise BackupProblem("The database has no tables of Trellis: is DATABASE_URL right?")
        postgresql_tools.dump_to(url, out)
        held = contents_of(url)
    out.flush()
    return held


def restore_from(url: str, given: BinaryIO, now: datetime, *, overwrite: bool) -> Contents:
    """Out of a stream, which is checked as a whole before anything is touched: it is kept on disk meanwhile."""
    with _scratch_file(url) as file:
        with file.open("wb") as kept:
            shutil.copyfileobj(given, kept)
        return restore(url, file, now, overwrite=overwrite)


@contextmanager
def _scratch_file(url: str) -> Iterator[Path]:
    """For a whole database: beside SQLite's, where there is room for another; PostgreSQL's in TMPDIR."""
    folder = _path_of(url).parent if _is_sqlite(url) else None
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".trellis-backup-", dir=folder) as made:
            yield Path(made) / "standard input"
    except OSError as error:
        raise BackupProblem(f"The backup could not be passed on: {error.strerror}.") from error


def restore(url: str, file: Path, now: datetime, *, overwrite: bool) -> Contents:
    """Put the backup in the place of what is in the database, bring it up to date, and have every message that may have
    gone out since the backup read back in Slack before it is sent again.

    Raises BackupProblem; the database is then as it was before.
    """
    if not file.is_file():
        raise BackupProblem(f"There is no file {file}.")
    sqlite = _is_sqlite(url)
    _must_fit(file, sqlite)
    if sqlite:
        _check_sqlite(file)
    _must_be_known(_contents_of_file(file).revision if sqlite else postgresql_tools.revision_in(file), url, file)
    if not overwrite and (held := _held(url)):
        raise BackupProblem(f"The database holds {held} already. To replace all of it with the backup: --yes")
    _must_be_idle(url)
    if sqlite:
        target = _path_of(url)
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy_sqlite(file, target)
    else:
        postgresql_tools.load(url, file)
    migrate(url)
    _doubt_what_may_have_gone_out(url, now)
    return contents_of(url)


def contents_of(url: str) -> Contents:
    with _engine(url) as engine, Session(engine) as session:
        counts = {name: session.exec(select(func.count()).select_from(table)).one() for name, table in COUNTED.items()}
        return Contents(
            str(session.connection().exec_driver_sql("SELECT version_num FROM alembic_version").scalar()), counts
        )


def _must_fit(file: Path, sqlite: bool) -> None:
    """A backup of the other kind of database is no damaged file."""
    with file.open("rb") as read:
        begins = read.read(16)
    made_by, ours = ("PostgreSQL", "SQLite") if sqlite else ("SQLite", "PostgreSQL")
    if begins.startswith(BEGINS_WITH[made_by]):
        raise BackupProblem(f"{file} is a backup of {made_by}, and DATABASE_URL names {ours}. Restore it into {made_by}.")


def _must_be_idle(url: str) -> None:
    """A Trellis that runs would write on into what was restored. Who has just been stopped gets a moment to be gone."""
    until = time.monotonic() + GONE_WITHIN
    while used := _used_by(url):
        if time.monotonic() > until:
            raise BackupProblem(f"{used} Stop every process of Trellis that uses this database, then restore.")
        time.sleep(0.2)


def _used_by(url: str) -> str:
    """Who has the database open beside us, as a sentence; "" for nobody."""
    if not _is_sqlite(url):
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        with _engine(url) as engine, engine.connect() as connection:
            number = connection.exec_driver_sql(f"{others} AND application_name = '{APPLICATION}'").scalar()
        return f"Trellis holds {number} connections to the database." if number else ""
    if not _path_of(url).is_file():
        return ""
    try:
        with closing(sqlite3.connect(_path_of(url), timeout=0)) as connection:  # nobody else may have it open for that
            connection.execute("PRAGMA journal_mode=DELETE")  # Trellis turns the write-ahead log on again
    except sqlite3.Error as error:
        return f"{_path_of(url)} is in use." if getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY") else ""
    return ""


def _held(url: str) -> str:
    """What would be lost; "" for a database without people, also when it has no tables yet."""
    if _is_sqlite(url) and not _path_of(url).exists():
        return ""
    with _engine(url) as engine:
        tables = set(inspect(engine).get_table_names())
        known: list[type[SQLModel]] = [table for table in COUNTED.values() if table.__tablename__ in tables]
        with Session(engine) as session:
            if not any(session.exec(select(func.count()).select_from(table)).one() for table in known):
                return ""
    return str(contents_of(url))


def _doubt_what_may_have_gone_out(url: str, now: datetime) -> None:
    """The backup does not know what was sent after it was made: whatever was due since is looked for in Slack first."""
    with _engine(url) as engine, Session(engine) as session:
        due = update(OutboxItem).where(col(OutboxItem.due_at) <= now, col(OutboxItem.state).in_(("ready", "sending")))
        session.connection().execute(due.values(state="doubt", due_at=now, lease_until=None, token=OutboxItem.token + 1))
        session.commit()


def _must_be_known(revision: str, url: str, file: Path) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(alembic_config(url)).walk_revisions()}
    if not revision:
        raise BackupProblem(f"{file} holds no database of Trellis.")
    if revision not in known:
        raise BackupProblem(f"{file} was made by a newer Trellis (schema {revision}). Install that version, then restore.")


# --- SQLite ------------------------------------------------------------------------------------------------------


def _must_be_there(url: str) -> None:
    if _is_sqlite(url) and not _path_of(url).is_file():
        raise BackupProblem(f"There is no database {_path_of(url)}: is DATABASE_URL right?")


def _copy_sqlite(source: Path, target: Path) -> None:
    """SQLite's backup interface: consistent although others read and write meanwhile, and all or nothing in the target."""
    try:
        with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target, timeout=30)) as write:
            read.backup(write)
    except sqlite3.Error as error:
        raise BackupProblem(f"{source} could not be copied to {target}: {error}.") from error


def _check_sqlite(file: Path) -> None:
    """Reads every page. Raises BackupProblem for a file that is damaged or no database."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("PRAGMA integrity_check").fetchone()[0]
            orphans = connection.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.Error as error:
        raise BackupProblem(f"{file} is damaged or not a database: {error}.") from error
    if found != "ok" or orphans:
        raise BackupProblem(
            f"{file} is damaged: {found if found != 'ok' else f'a row of {orphans[0]} has lost its parent'}."
        )


def _contents_of_file(file: Path) -> Contents:
    """Without a trace: opened as our database it would get a write-ahead log beside it."""
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        try:
            revision = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
            counts = {
                name: connection.execute(f"SELECT count(*) FROM {table.__tablename__}").fetchone()[0]
                for name, table in COUNTED.items()
            }
        except (sqlite3.Error, TypeError) as error:
            raise BackupProblem(f"{file} holds no database of Trellis.") from error
    return Contents(revision, counts)


def _is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def _path_of(url: str) -> Path:
    return Path(make_url(url).database or "")


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    try:
        yield engine
    except OperationalError as error:
        raise BackupProblem(" ".join(trouble_with_database(url, error))) from error
    finally:
        engine.dispose()


@contextmanager
def _whole_or_nothing(file: Path) -> Iterator[Path]:
    """A new file beside it, for its owner only; it gets the name when all went well and is on the disk."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    os.close(handle)
    new = Path(name)
    try:
        yield new
        with new.open("rb+") as written:
            os.fsync(written.fileno())
        os.replace(new, file)
    except OSError as error:
        raise BackupProblem(f"{file} could not be written: {error.strerror}.") from error
    finally:
        for left in ("", "-journal"):
            Path(f"{new}{left}").unlink(missing_ok=True)
