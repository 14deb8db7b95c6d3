"""Bad days, through the same door as people: whatever breaks, every question is answered once."""

import itertools
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, event, make_url
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from bot.app import tick
from bot.localslack.web_api import WebApi
from bot.localslack.workspace import SlackError
from bot.running import Job
from bot.services.delivery import deliver_due
from bot.services.inbox import Desk, sweep
from bot.services.queues import INBOX_LEASE, OUTBOX_LEASE
from bot.slack.sender import SlackSender
from storage.models import Checkin, Exchange, Handoff, InboxItem, OutboxItem, QuestionEdit
from tests.conftest import NOW, World


def rows(world: World, table: Any) -> list[Any]:
    with world.desk.sessions() as session:
        return list(session.exec(select(table)).all())


def work(world: World) -> list[Job]:
    """One round of what `trellis run` does again and again; the jobs come back with what they say of themselves."""
    jobs = [Job("work", partial(tick, world.desk))]
    for job in jobs:
        job.once(world.desk.clock)
    return jobs


def live_on(world: World, *, minutes: float, every: float = 0.5) -> None:
    """Time passes for everybody, and the bot does its rounds."""
    until = world.passed + timedelta(minutes=minutes)
    while world.passed < until:
        world.passed = min(until, world.passed + timedelta(minutes=every))
        work(world)


def replies(world: World) -> Counter[str]:
    """How often each question got its reply, by the question's ts."""
    keys = [message["metadata"]["event_payload"]["id"] for message in world.posted]
    return Counter(key.rpartition(":")[2] for key in keys if key.startswith("reply:"))


def answered_once(world: World, *questions: str) -> None:
    assert replies(world) == Counter(dict.fromkeys(questions, 1))
    assert all(item.done_at for item in rows(world, InboxItem))
    assert {item.state for item in rows(world, OutboxItem)} == {"sent"}


# --- the database ------------------------------------------------------------------------------------------------


@contextmanager
def out_of_reach(engine: Engine) -> Iterator[None]:
    """SQLite: another process holds the write lock and does not let go. PostgreSQL: the server takes nobody in."""
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "checkout")
        def no_patience(connection: Any, *_: Any) -> None:
            connection.execute("PRAGMA busy_timeout=0")  # 30 seconds in production

        with closing(sqlite3.connect(engine.url.database or "", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
        return
    name, admin = engine.url.database, make_url(engine.url).set(drivername="postgresql", database="postgres")
    with psycopg.connect(admin.render_as_string(hide_password=False), autocommit=True) as server:
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        try:
            yield
        finally:
            server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def engine_of(desk: Desk) -> Engine:
    return desk.sessions.kw["bind"]  # type: ignore[attr-defined]


def test_the_database_is_gone_for_a_minute_and_what_is_asked_meanwhile_comes_again_and_is_answered_once(world):
    with out_of_reach(engine_of(world.desk)):
        asked = [world.say("UROSA", "quién paga la escuela"), world.say("UDWAYNE", "what does a cook make")]
        assert [job.failures for job in work(world)] == [1], "the round failed, the process goes on"
        assert world.posted == []
    live_on(world, minutes=7)  # Slack tells about it again after a minute, and after five more
    answered_once(world, *asked)


def test_the_database_goes_away_between_the_acknowledgement_and_the_answer(world, monkeypatch):
    from bot.services.inbox import work_through

    def while_it_is_gone(desk: Desk, conversation: str) -> None:
        with out_of_reach(engine_of(desk)):
            work_through(desk, conversation)

    with monkeypatch.context() as patch:
        patch.setattr("bot.slack.listeners.work_through", while_it_is_gone)
        asked = world.say("UDWAYNE", "who pays for school")
    assert world.posted == []
    live_on(world, minutes=1)
    answered_once(world, asked)


def test_the_database_goes_away_just_when_slack_has_taken_the_reply(world, monkeypatch):
    post, held = SlackSender.post, []

    def post_then_gone(self: SlackSender, item: OutboxItem) -> Any:
        outcome = post(self, item)
        held.append(out_of_reach(engine_of(world.desk)))
        held[-1].__enter__()
        return outcome

    with monkeypatch.context() as patch:
        patch.setattr(SlackSender, "post", post_then_gone)
        asked = world.say("UDWAYNE", "I need child care")
    assert len(world.posted) == 1
    work(world)
    held.pop().__exit__(None, None, None)
    live_on(world, minutes=4)
    answered_once(world, asked)
    assert rows(world, Exchange)[0].reply_ts == world.last["ts"]


def test_a_form_that_could_not_be_kept_stays_open_and_nothing_of_it_is_lost(world):
    rosa = world.slack.as_user("UROSA")
    rosa.say("hola")
    rosa.shortcut("ask_career")
    with out_of_reach(engine_of(world.desk)), pytest.raises(SlackError, match="dispatch_failed"):
        rosa.submit({"question": "cuánto gana una enfermera"})
    assert rosa.modal, "Slack keeps a form open that was not acknowledged"
    rosa.submit({"question": "cuánto gana una enfermera"})
    assert len(rows(world, Exchange)) == 2


# --- the disk ----------------------------------------------------------------------------------------------------


@contextmanager
def no_room(engine: Engine) -> Iterator[None]:
    """SQLite: not one page more. PostgreSQL: new rows are refused as on a full disk."""
    if engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(engine.url.database or "", isolation_level=None)) as other:
            pages = other.execute("PRAGMA page_count").fetchone()[0]
            other.execute(f"PRAGMA max_page_count={pages}")
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")

        @event.listens_for(engine, "checkout")
        def full(connection: Any, *_: Any) -> None:
            connection.execute(f"PRAGMA max_page_count={pages}")

        yield
        event.remove(engine, "checkout", full)

        @event.listens_for(engine, "checkout")
        def room_again(connection: Any, *_: Any) -> None:
            connection.execute("PRAGMA max_page_count=4294967294")

        return
    refuse = "BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END"
    tables = ("inbox", "outbox", "exchange")
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $${refuse}$$")
        for table in tables:
            connection.exec_driver_sql(
                f"CREATE TRIGGER full_disk BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION full_disk()"
            )
    yield
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP FUNCTION full_disk CASCADE")


def fill_up(world: World) -> None:
    """Rows, large ones and then small ones, until not one more is taken: no page has room left."""
    numbers = itertools.count()
    for size in (900, 100, 1):
        for make in (old_question, old_message):
            with world.desk.sessions() as session, pytest.raises(OperationalError):
                while True:
                    session.add(make(str(next(numbers)), "x" * size))
                    session.commit()


def old_question(key: str, text: str) -> InboxItem:
    return InboxItem(
        workspace="W", key=key, conversation="", kind="message", body={"text": text}, received_at=NOW, done_at=NOW
    )


def old_message(key: str, text: str) -> OutboxItem:
    payload = {"text": text}
    return OutboxItem(workspace="W", key=key, channel="", payload=payload, created_at=NOW, due_at=None, state="sent")


def test_a_full_disk_refuses_questions_instead_of_losing_them_and_they_are_answered_when_there_is_room(world):
    world.say("UDWAYNE", "hello")
    before = replies(world)
    with no_room(engine_of(world.desk)):
        fill_up(world)
        asked = [world.say("UDWAYNE", f"what does a cook make{' really' * number * 40}") for number in (1, 2, 3)]
        live_on(world, minutes=0.5)
        assert replies(world) == before
    live_on(world, minutes=7)
    assert replies(world) - before == Counter(dict.fromkeys(asked, 1))
    assert rows(world, Handoff) == [], "nobody is sent to a coach for our full disk"


def test_a_question_that_was_kept_waits_for_room_however_long_that_takes(world, monkeypatch):
    world.say("UDWAYNE", "hello")
    with monkeypatch.context() as patch:
        patch.setattr("bot.slack.listeners.work_through", lambda *_: None)
        asked = world.say("UDWAYNE", "who pays for school")
    with no_room(engine_of(world.desk)):
        fill_up(world)
        live_on(world, minutes=20, every=1)
        assert replies(world)[asked] == 0
    live_on(world, minutes=2)
    assert replies(world)[asked] == 1
    assert rows(world, Handoff) == []
