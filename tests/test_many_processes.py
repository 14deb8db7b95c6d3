"""Any number of processes on one database: starting at once, upgrading one after the other, draining the same queues."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import inspect, text
from sqlmodel import col, select

from bot.bench.chaos import Trial, run_trial
from bot.services import queues
from storage.database import Limits, migrate, open_database
from storage.models import InboxItem, OutboxItem
from tests.conftest import NOW, WORKSPACE

RELEASED = "0004"  # the schema of the oldest version that may still be running beside the newest
QUESTIONS = ["what does a cook make", "who pays for school", "I need child care", "hola", "what can I do next"]


@pytest.fixture
def empty_url(database_url) -> str:
    """A database with nothing in it at all."""
    if database_url.startswith("sqlite"):
        Path(database_url.removeprefix("sqlite:///")).unlink()
        return database_url
    engine = open_database(database_url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return database_url


def test_three_processes_that_start_at_once_set_up_the_database_once(empty_url):
    starts = [
        subprocess.Popen([sys.executable, "-m", "bot", "db", "upgrade"], env=os.environ | {"DATABASE_URL": empty_url})
        for _ in range(3)
    ]
    assert [start.wait(60) for start in starts] == [0, 0, 0]
    engine = open_database(empty_url)
    assert inspect(engine).has_table("person")
    engine.dispose()


def test_migrations_leave_everything_that_the_running_version_uses_and_ask_nothing_new_of_it(empty_url):
    """Expand first, contract a release later: while the newest version starts, the one before goes on writing its rows.

    A migration that must take something away waits until no running version uses it; then RELEASED here moves up.
    """
    migrate(empty_url, RELEASED)
    engine = open_database(empty_url)
    inspector = inspect(engine)
    before = {table: {each["name"]: each for each in inspector.get_columns(table)} for table in inspector.get_table_names()}
    rules = {table: _unique_rules(inspector, table) for table in before}
    migrate(empty_url)
    inspector = inspect(engine)
    problems = []
    for table, columns in before.items():
        if not inspector.has_table(table):
            problems.append(f"{table} is gone")
            continue
        now = {each["name"]: each for each in inspector.get_columns(table)}
        problems += [f"{table}.{name} is gone" for name in columns.keys() - now.keys()]
        for name, column in now.items():
            was = columns.get(name)
            if was is None and not column["nullable"] and column["default"] is None:
                problems.append(f"{table}.{name} is new, and older versions don't fill it: it needs a server_default")
            if was and was["nullable"] and not column["nullable"]:
                problems.append(f"{table}.{name} may no longer be empty")
            if was and str(was["type"]) != str(column["type"]):
                problems.append(f"{table}.{name} has another type")
        problems += [f"{table}: {rule} must be unique now" for rule in _unique_rules(inspector, table) - rules[table]]
    engine.dispose()
    assert problems == []


def _unique_rules(inspector, table) -> set[tuple[str, ...]]:
    indexes = [index["column_names"] for index in inspector.get_indexes(table) if index["unique"]]
    constraints = [rule["column_names"] for rule in inspector.get_unique_constraints(table)]
    return {tuple(name or "" for name in names) for names in (*indexes, *constraints)}


def test_a_process_of_the_old_version_starts_beside_the_new_one(database_url, caplog):
    engine = open_database(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    migrate(database_url)
    assert "revision 9999, newer than this version" in caplog.text
    engine.dispose()


def test_a_statement_that_never_ends_is_given_up(database_url):
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite has no such limit")
    engine = open_database(database_url, limits=Limits(statement_seconds=7, lock_seconds=3, pool=2, overflow=1))
    with engine.connect() as connection:
        told = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in ("statement_timeout", "lock_timeout")]
    assert told == ["7s", "3s"]
    assert engine.pool.size() == 2
    engine.dispose()


def test_three_processes_drain_one_inbox_and_one_outbox_and_nobody_hears_anything_twice(sessions, database_url, slack):
    """Three real processes, each with `deliver` alone, on the same rows."""

    asked = _questions(sessions, slack)
    with sessions() as session:
        for number in range(40):
            user = ("UROSA", "UDWAYNE", "UMARTA")[number % 3]
            queues.put(session, WORKSPACE, f"reminder:{number}", user, {"text": f"reminder {number}"}, NOW)
        session.commit()
    settings = {"SLACK_BOT_TOKEN": "xoxb-local", "SLACK_API_URL": slack.api_url, "DATABASE_URL": database_url}
    command = [sys.executable, "-m", "bot", "run", "--only", "deliver"]
    crew = [subprocess.Popen(command, env=os.environ | settings) for _ in range(3)]
    try:
        slack.workspace.until(lambda: len(_keys(slack)) >= len(asked) + 40, 120)
        for process in crew:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(20) for process in crew] == [0, 0, 0]
    finally:
        for process in crew:
            process.kill()
    keys = _keys(slack)
    assert set(Counter(keys).values()) == {1}
    for user in ("UROSA", "UDWAYNE", "UMARTA"):
        own = [key for key in keys if key in {f"reply:{each}" for each in asked if each.endswith(f":{user}")}]
        assert own == sorted(own), "in the order in which they were asked"
    with sessions() as session:
        assert session.exec(select(InboxItem).where(col(InboxItem.done_at).is_(None))).all() == []
        assert session.exec(select(OutboxItem).where(OutboxItem.state != "sent")).all() == []


def _questions(sessions, slack) -> list[str]:
    """What a crash left behind: eight questions of each of three people."""
    asked = []
    for number in range(24):
        user = ("UROSA", "UDWAYNE", "UMARTA")[number % 3]
        channel = slack.workspace.direct_message(user).id
        body = {"user": user, "channel": channel, "thread_ts": "", "text": QUESTIONS[number % 5]}
        key = f"{number:03}:{user}"
        queues.receive(sessions, WORKSPACE, key, f"{channel}:", "message", body | {"ts": f"{number}.0"}, NOW)
        asked.append(key)
    return asked


def _keys(slack) -> list[str]:
    """The key of each message of the app, in the order in which Slack took them."""
    sent = [message for channel in list(slack.workspace.channels.values()) for message in list(channel.messages)]
    ours = sorted((message for message in sent if message.get("bot_id")), key=lambda message: float(message["ts"]))
    return [message["metadata"]["event_payload"]["id"] for message in ours]


def test_under_procrastinate_no_reminder_is_lost_or_sent_twice_whatever_fails(tmp_path, make_database, request):
    """The chaos of test_chaos.py, with that engine ringing for the jobs."""
    if request.config.getoption("--database") != "postgresql":
        pytest.skip("Procrastinate needs PostgreSQL")
    trial = Trial(reminders=60, processes=2, database="postgresql", speed=20, limit=200, engine="procrastinate")
    found = run_trial(trial, tmp_path, Path("content"), lambda words: None)
    assert (found.lost, found.twice) == (0, 0)
    assert found.kills > 3
