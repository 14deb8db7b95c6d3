"""The doctor looks at the database: there, up to date, writable, room on the disk, nothing stuck. Writes nothing."""

import os
import shutil
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from bot.operations.faults import kind_of
from bot.operations.figures import figures
from bot.operations.findings import Finding, ok, warning, wrong
from bot.operations.probes import INBOX_LAG_ALLOWED, OUTBOX_LAG_ALLOWED
from bot.operations.settings_faults import (
    HOW_A_DATABASE_IS_NAMED,
    problem_with_database,
    shown,
    trouble_with_database,
)
from bot.services.roster import people_by_workspace
from storage.database import Limits, alembic_config, open_database

LITTLE_ROOM, NO_ROOM = 2_000, 200  # MB


def examine_database(url: str, served: Collection[str], now: datetime) -> Iterator[Finding]:
    """`served`: the workspaces that this Trellis works for; empty when that can't be told now."""
    if problem := problem_with_database(url):
        yield wrong("database", problem, HOW_A_DATABASE_IS_NAMED)
        return
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        file = Path(address.database or "")
        yield from _room(file)
        if not file.is_absolute():
            mend = f"Write DATABASE_URL=sqlite:///{file.absolute()}"
            yield warning("database's path", f"{file} is another file in each folder, so also after an upgrade.", mend)
        if not file.exists():
            yield _not_yet(file)
            return
    engine = open_database(url, limits=Limits(pool=1, overflow=0, statement_seconds=10))
    try:
        yield from _reached(engine, url, shown(address), served, now)
    except SQLAlchemyError as error:
        yield wrong("database", *trouble_with_database(url, error))
    finally:
        engine.dispose()


def _not_yet(file: Path) -> Finding:
    folder = _nearest(file)
    if not os.access(folder, os.W_OK):
        mend = f"Give the user that runs Trellis {folder}, or choose another DATABASE_URL."
        return wrong("database", f"There is no {file} yet, and {folder} can't be written to.", mend)
    return warning("database", f"There is no {file} yet.", "trellis db upgrade makes it; so does the first start.")


def _nearest(file: Path) -> Path:
    """The folder that it stands in, or the nearest above that there is."""
    return next((each for each in file.absolute().parents if each.exists()), Path("/"))


def _reached(engine: Engine, url: str, shown: str, served: Collection[str], now: datetime) -> Iterator[Finding]:
    with engine.connect() as connection:
        here = MigrationContext.configure(connection).get_current_revision()
    yield ok("database", f"{shown} answers.")
    yield _writable(engine)
    scripts = ScriptDirectory.from_config(alembic_config(url))
    newest, known = scripts.get_current_head(), {script.revision for script in scripts.walk_revisions()}
    if here == newest:
        yield ok("schema", f"Up to date ({here}).")
        yield from _stuck(engine, now)
        yield from _roster(engine, served)
    elif here is None or here in known:
        yield wrong("schema", f"At {here or 'nothing'}, this version needs {newest}.", "trellis db upgrade")
    else:
        yield wrong(
            "schema", f"At {here}, which is newer than this version of Trellis.", "Install the newer version here too."
        )


def _writable(engine: Engine) -> Finding:
    """A table is made and taken back in one transaction."""
    try:
        with engine.connect() as connection, connection.begin() as transaction:
            connection.execute(text("CREATE TABLE doctor_was_here (x integer)"))
            transaction.rollback()
    except SQLAlchemyError as error:
        mend = "Trellis needs the right to write and to make tables; on a standby, connect to the primary; look for a full disk."
        return wrong("writing", f"The database can't be written to ({kind_of(error)}).", mend)
    return ok("writing", "The database can be written to.")


def _stuck(engine: Engine, now: datetime) -> Iterator[Finding]:
    with Session(engine) as session:
        seen = figures(session, now)
    about = "messages"
    if seen.inbox_lag > INBOX_LAG_ALLOWED.total_seconds():
        yield warning(
            about,
            f"A question waits since {seen.inbox_lag / 60:.0f} minutes.",
            "Is trellis run running? trellis sweep answers it now.",
        )
    if max(seen.outbox_lag, seen.outbox_oldest_tried) > OUTBOX_LAG_ALLOWED.total_seconds():
        late = max(seen.outbox_lag, seen.outbox_oldest_tried) / 60
        yield warning(
            about,
            f"A message is late by {late:.0f} minutes.",
            "Is Slack reached (see above)? trellis deliver sends what is due.",
        )
    if failed := {cause: number for cause, number in seen.outbox_failed.items() if number}:
        told = ", ".join(f"{number} × {cause}" for cause, number in failed.items())
        yield warning(
            about,
            f"Slack will never take some: {told}.",
            "The console's inbox names them; docs/operations.md says what each cause means.",
        )


def _roster(engine: Engine, served: Collection[str]) -> Iterator[Finding]:
    """People whom nobody here serves: imported with a mistyped --workspace, or of a workspace that was given up."""
    with Session(engine) as session:
        people = people_by_workspace(session)
    for workspace, number in people.items():
        if served and workspace not in served:
            mend = f"If it is a typo: a file that holds the header only, trellis roster import FILE --workspace {workspace} --yes"
            yield warning("roster", f"{number} people belong to {workspace}, which is not served here.", mend)


def _room(file: Path) -> Iterator[Finding]:
    folder = _nearest(file)
    free = shutil.disk_usage(folder).free / 1e6
    says, mend = f"{free / 1000:.1f} GB are free in {folder}.", "Make room: a full disk stops Trellis from taking questions."
    if free < NO_ROOM:
        yield wrong("disk", says, mend)
    elif free < LITTLE_ROOM:
        yield warning("disk", says, mend)
    else:
        yield ok("disk", says)
