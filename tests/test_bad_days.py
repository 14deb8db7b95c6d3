"""Bad days, through the same door as people: whatever breaks, every question is answered once."""

import dataclasses
import itertools
import os
import shutil
import signal
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, event, make_url
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from bot.app import build_slack_app
from bot.config import Settings
from bot.content_watch import ContentWatch, look_when_told, watches_of
from bot.knowledge_base.base import revision
from bot.localslack.delivery import Delivery
from bot.localslack.web_api import WebApi
from bot.localslack.workspace import SlackError
from bot.running import assemble
from bot.services import inbox
from bot.services.delivery import NotSent, deliver_due
from bot.services.inbox import Desk, sweep
from bot.services.queues import claim_next, claim_one, put
from bot.services.replying import Answering
from bot.slack.receiving import SocketReception
from bot.slack.sender import SlackSender
from bot.workspaces import one_workspace
from storage.models import Exchange, Handoff, InboxItem, OutboxItem
from tests.conftest import NOW, WORKSPACE, World
from tests.http_servers import wait_for


def rows(world: World, table: Any) -> list[Any]:
    with world.desk.sessions() as session:
        return list(session.exec(select(table)).all())


def dm(world: World, user: str) -> str:
    return world.slack.workspace.direct_message(user).id


def work(world: World) -> dict[str, int]:
    """One round of what `trellis run` does again and again for questions and messages; how often each job failed."""
    settings = Settings(_env_file=None)
    jobs = assemble(settings, one_workspace(settings, world.desk), ["deliver"], threading.Event()).jobs
    for job in jobs:
        job.once(world.desk.clock)
    return {job.name: job.failures for job in jobs}


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
        failed = work(world)
        failed.pop("log")  # SQLite's own: it waits for nobody
        assert set(failed.values()) == {1}, "the round failed, the process goes on"
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
            while keeps(world, make(str(next(numbers)), "x" * size)):
                pass


def keeps(world: World, row: Any) -> bool:
    try:
        with world.desk.sessions() as session:
            session.add(row)
            session.commit()
    except OperationalError:
        return False
    return True


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


# --- Slack -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["error", "error_after", "ratelimited", "drop"])
def test_slack_is_down_for_ten_minutes_and_each_reply_comes_once_when_it_is_back(world, fault):
    world.say("UROSA", "hola")
    before = replies(world)
    world.slack.fault(fault, "*", times=1_000_000)
    asked = []
    for question in ("what does a cook make", "who pays for school", "I need child care"):
        asked.append(world.say("UROSA", question))
        live_on(world, minutes=3)
    live_on(world, minutes=1)
    world.slack.web_api.journal.faults.clear()
    live_on(world, minutes=5)
    assert replies(world) - before == Counter(dict.fromkeys(asked, 1))
    order = [message["metadata"]["event_payload"]["id"].rpartition(":")[2] for message in world.posted]
    assert order[-3:] == asked, "in the order in which she asked"


def test_slack_answers_too_late_and_nobody_reads_the_same_twice(world):
    impatient = SlackSender("xoxb-local", world.slack.api_url, timeout=0.2)  # ten seconds in production
    world.say("UDWAYNE", "hello")
    with world.desk.sessions() as session:
        put(session, WORKSPACE, "reply:late", dm(world, "UDWAYNE"), {"text": "later"}, world.now())
        session.commit()
    world.slack.fault("hang")
    deliver_due(world.desk.sessions, impatient, world.desk.clock)
    assert [item.state for item in rows(world, OutboxItem)] == ["sent", "doubt"]
    live_on(world, minutes=2)
    assert replies(world)["late"] == 1
    assert {item.state for item in rows(world, OutboxItem)} == {"sent"}


@pytest.mark.parametrize(("retry_after", "waits"), [("120", 120), ("soon", 5), ("", 5), ("-3", 5), ("99999999", 3600)])
def test_slack_says_how_long_to_wait_and_we_wait_whatever_it_says(world, monkeypatch, retry_after, waits):
    def limited(*_: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
        return 429, {"ok": False, "error": "ratelimited"}, {"Retry-After": retry_after}

    with monkeypatch.context() as patch:
        patch.setattr(WebApi, "call", limited)
        answer = SlackSender("xoxb-local", world.slack.api_url).post(old_message("k", "hello"))
    assert answer == NotSent(timedelta(seconds=waits), "rate limited")


def test_with_slack_away_not_every_message_is_tried_and_left_in_doubt(world):
    """A circuit breaker: thousands of doubts would be thousands of calls to read back, when Slack is weakest."""
    for number in range(40):
        with world.desk.sessions() as session:
            put(session, WORKSPACE, f"reminder:{number}", f"D{number}", {"text": "hello"}, world.now())
            session.commit()
    world.slack.fault("error", "*", times=1_000_000)
    live_on(world, minutes=0.5)
    in_doubt = [item for item in rows(world, OutboxItem) if item.state == "doubt"]
    assert 0 < len(in_doubt) <= 10


# --- what Slack sends twice, late or in the wrong order ----------------------------------------------------------


def test_events_come_three_times_and_in_the_wrong_order(world):
    channel = dm(world, "UDWAYNE")

    def told(ts: str, text: str, event_id: str) -> None:
        event = {"type": "message", "channel_type": "im", "channel": channel, "user": "UDWAYNE", "text": text, "ts": ts}
        world.deliver(event, event_id)

    first, second = f"{NOW.timestamp():.6f}", f"{NOW.timestamp() + 3:.6f}"
    for number in range(3):
        told(second, "who pays for school", f"Ev2-{number}")
        told(first, "what does a cook make", "Ev1")
    answered_once(world, first, second)


def test_a_message_that_was_deleted_before_it_came_is_not_kept(world):
    with out_of_reach(engine_of(world.desk)):
        asked = world.say("UDWAYNE", "can I get tuition back")
    world.slack.as_user("UDWAYNE").delete(asked)
    live_on(world, minutes=7)
    assert rows(world, Exchange) == []
    assert world.posted == []
    assert all(item.done_at and not item.body for item in rows(world, InboxItem))


def test_a_message_that_was_changed_before_it_came_is_answered_once(world):
    with out_of_reach(engine_of(world.desk)):
        asked = world.say("UDWAYNE", "what does a nurze make")
    world.slack.as_user("UDWAYNE").edit(asked, "what does a nurse make")
    live_on(world, minutes=7)
    answered_once(world, asked)


# --- clocks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("away", [timedelta(days=-400), timedelta(days=400), timedelta(days=-20_000)])
def test_messages_whose_time_is_far_from_ours_are_answered_once(world, away):
    ts = f"{(NOW + away).timestamp():.6f}"
    world.say("UDWAYNE", "what does a cook make", event_id="Ev-odd", ts=ts)
    live_on(world, minutes=2)
    answered_once(world, ts)


def test_our_clock_jumps_back_an_hour_in_the_middle_and_nobody_waits_for_an_hour(world, monkeypatch):
    ahead = [timedelta(hours=1)]
    desk = dataclasses.replace(world.desk, clock=lambda: world.now() + ahead[0])
    with monkeypatch.context() as patch:
        patch.setattr("bot.slack.listeners.work_through", lambda *_: None)
        asked = world.say("UDWAYNE", "who pays for school")
    claim_next(desk.sessions, f"{dm(world, 'UDWAYNE')}:", desk.clock())  # at work on it, when the process was killed
    with desk.sessions() as session:
        put(session, WORKSPACE, "reply:waiting", dm(world, "UROSA"), {"text": "hello"}, desk.clock())
        sending = put(session, WORKSPACE, "reply:claimed", dm(world, "UMARTA"), {"text": "hello"}, desk.clock())
        session.commit()
    claim_one(desk.sessions, sending.id, desk.clock())
    ahead[0] = timedelta()
    live_on(world, minutes=4)
    answered_once(world, asked, "waiting", "claimed")


def test_our_clock_jumps_ahead_while_somebody_is_at_work_and_the_answer_still_comes_once(world, monkeypatch):
    handle = inbox._handle

    def slowly(desk: Desk, item: InboxItem) -> list[int]:
        monkeypatch.setattr(inbox, "_handle", handle)
        world.passed += timedelta(hours=2)
        sweep(desk)  # another process, which takes the lease for lost
        return handle(desk, item)

    monkeypatch.setattr(inbox, "_handle", slowly)
    asked = world.say("UDWAYNE", "who pays for school")
    live_on(world, minutes=2)
    answered_once(world, asked)
    assert len(rows(world, Exchange)) == 1


# --- our own mistakes --------------------------------------------------------------------------------------------


def test_a_conversation_on_which_everything_fails_does_not_keep_others_waiting(world, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("bot.slack.listeners.work_through", lambda *_: None)
        world.say("UROSA", "hola")
        asked = world.say("UDWAYNE", "who pays for school")
    handle = inbox._handle

    def broken_for_rosa(desk: Desk, item: InboxItem) -> list[int]:
        if item.body.get("user") == "UROSA":
            raise RuntimeError("a bug")
        return handle(desk, item)

    def broken(*_: object) -> None:
        raise RuntimeError("another one, where the first is handled")

    monkeypatch.setattr(inbox, "_handle", broken_for_rosa)
    monkeypatch.setattr(inbox, "_give_up", broken)
    live_on(world, minutes=3)
    assert replies(world) == Counter({asked: 1})
    monkeypatch.undo()
    live_on(world, minutes=2)
    assert len(world.posted) == 2, "once we have mended it, Rosa is answered"


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A copy of the content that may be spoilt."""
    return Path(shutil.copytree("content", tmp_path / "content"))


def change(content: Path, before: str, after: str) -> None:
    files = [file for file in content.rglob("*.yaml") if before in file.read_text(encoding="utf-8")]
    files[0].write_text(files[0].read_text(encoding="utf-8").replace(before, after), encoding="utf-8")


def watch_over(world: World, content: Path) -> ContentWatch:
    settings = Settings(_env_file=None, content_dir=content)
    (watch,) = watches_of(settings, one_workspace(settings, world.desk))
    return watch


def test_broken_content_is_told_in_sentences_and_the_old_stays(world, content, caplog):
    watch, before = watch_over(world, content), world.desk.answering
    (content / "cards" / "supports" / "child-care.yaml").write_text("title: {en: Child care\nanswer", encoding="utf-8")
    assert not watch.look(at_once=True)
    assert "cards/supports/child-care.yaml: line 3: not readable as YAML" in caplog.text
    assert "Traceback" not in caplog.text
    assert world.desk.answering is before
    asked = world.say("UDWAYNE", "do you help with child care")
    answered_once(world, asked)
    assert watch.refused == str(content)
    caplog.clear()
    assert not watch.look()
    assert not caplog.text, "the same errors are not told every minute"


def test_whatever_new_content_brings_down_the_old_goes_on(world, content, caplog):
    def fails() -> Answering:
        raise RecursionError

    before = world.desk.answering
    watch = ContentWatch([world.desk], content, fails)
    change(content, before.kb.say("feedback_thanks", "en"), "Many thanks indeed.")
    assert not watch.look(at_once=True)
    assert "what was there before stays" in caplog.text
    assert world.desk.answering is before
    shutil.rmtree(content)
    assert not watch.look(at_once=True)
    assert world.desk.answering is before


def test_good_content_is_taken_over_whole_by_everything_that_speaks(world, content):
    watch = watch_over(world, content)
    world.say("UDWAYNE", "hello")
    thanks = world.desk.answering.kb.say("feedback_thanks", "en")
    change(content, thanks, "Many thanks indeed.")
    assert not watch.look(), "it may still be in the middle of being copied"
    assert watch.look()
    assert world.desk.answering.kb.revision == revision(content)
    world.click("UDWAYNE", "feedback", "up:1")
    assert world.slack.calls("chat.postEphemeral")[-1].arguments["text"] == "Many thanks indeed."


def test_content_that_is_mended_after_it_was_broken_is_taken_over(world, content):
    watch, file = watch_over(world, content), content / "tuition.yaml"
    good = file.read_text(encoding="utf-8")
    file.write_text("- nonsense", encoding="utf-8")
    assert not watch.look(at_once=True)
    file.write_text(good + "\n# mended\n", encoding="utf-8")
    assert watch.look(at_once=True)
    assert not watch.refused


def test_who_says_that_content_is_complete_hears_that_nothing_changed(world, content, caplog):
    caplog.set_level("INFO")
    assert not watch_over(world, content).look(at_once=True)
    assert f"content in {content} is as it was" in caplog.text


# --- the socket --------------------------------------------------------------------------------------------------


def test_the_socket_breaks_in_the_middle_and_every_question_is_answered_once(world):
    slack, dwayne = world.slack, world.slack.as_user("UDWAYNE")
    dwayne.delivery = slack.delivery = Delivery(slack.workspace, "secret", None)  # over a real socket
    settings = Settings(_env_file=None, slack_bot_token="xoxb-local", slack_api_url=slack.api_url)
    socket = SocketReception(build_slack_app(settings, world.desk), "xapp-local")
    socket.open()
    try:
        wait_for(lambda: slack.delivery.sockets, 30)
        asked = [dwayne.say("what does a cook make")]
        slack.disconnect()
        asked += [dwayne.say("who pays for school"), dwayne.say("I need child care")]
        wait_for(lambda: slack.delivery.sockets, 30)  # the client connects anew by itself
        while len(replies(world)) < len(asked):
            wait_for(lambda: slack.clock.waits or len(replies(world)) == len(asked), 30)
            world.passed += timedelta(minutes=6)  # Slack tells again what was not acknowledged
    finally:
        socket.close()
    live_on(world, minutes=2)
    answered_once(world, *asked)


@pytest.mark.skipif(
    not hasattr(signal, "SIGHUP"), reason="Windows has no SIGHUP: there the content is looked at once a minute"
)
def test_the_operator_says_that_the_content_is_complete(world, content):
    watch, before = watch_over(world, content), signal.getsignal(signal.SIGHUP)
    change(content, world.desk.answering.kb.say("feedback_thanks", "en"), "Many thanks indeed.")
    look_when_told([watch])
    try:
        os.kill(os.getpid(), signal.SIGHUP)
        wait_for(lambda: world.desk.answering.kb.revision == revision(content), 60)
    finally:
        signal.signal(signal.SIGHUP, before)
