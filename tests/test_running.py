"""`trellis run`: bad minutes are survived, and who is told to stop finishes what is in hand."""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from functools import partial

import httpx
import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from bot.app import build_slack_app, deliver, listen_on, serve_web
from bot.commands import parser
from bot.config import Settings
from bot.localslack.delivery import Delivery
from bot.running import Job, NotReachable, Running, assemble, patiently
from bot.services import queues
from bot.services.inbox import sweep
from bot.slack.receiving import serve_events
from bot.workspaces import one_workspace
from storage.models import InboxItem, OutboxItem
from tests.conftest import WORKSPACE
from tests.http_servers import wait_for

SECRET_WORDS = "my cousin Lupita is ill"


@pytest.fixture
def settings(slack) -> Settings:
    return Settings(
        _env_file=None, slack_bot_token="xoxb-local", slack_signing_secret="secret", slack_api_url=slack.api_url, port=0
    )


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch):
    for module in ("bot.running", "bot.jobs"):
        monkeypatch.setattr(f"{module}.pause_after", lambda failures: 0.01)


def test_a_database_that_is_gone_for_a_while_costs_nobody_their_answer(world, monkeypatch, caplog):
    monkeypatch.setattr("bot.slack.listeners.work_through", lambda *_: None)  # the process died after the ack
    world.say("UDWAYNE", "who pays for school")
    world.time_for_another_process()
    gone, tries = True, []

    def sessions():
        tries.append(1)
        if gone:
            raise OperationalError("SELECT", {"text": SECRET_WORDS}, Exception("server closed the connection"))
        return world.desk.sessions()

    desk = replace(world.desk, sessions=sessions)
    running = Running(world.now, [Job("inbox", partial(sweep, desk)), Job("outbox", partial(deliver, desk))])
    running.start()
    wait_for(lambda: len(tries) > 4)
    assert running.last_tick is None
    gone = False
    wait_for(lambda: world.posted and running.last_tick)
    assert running.stop()
    assert len(world.posted) == 1
    assert "OperationalError at test_running.py" in caplog.text
    assert SECRET_WORDS not in caplog.text


def test_a_question_that_always_fails_does_not_keep_messages_from_going_out(world):
    def broken() -> None:
        raise RuntimeError(SECRET_WORDS)

    with world.desk.sessions() as session:
        queues.put(session, WORKSPACE, "reminder:1", "UROSA", {"text": "hola"}, world.now())
        session.commit()
    running = Running(world.now, [Job("inbox", broken), Job("outbox", partial(deliver, world.desk))])
    running.start()
    wait_for(lambda: world.posted)
    assert running.stop()


def test_who_stops_leaves_claimed_messages_to_others_at_once(world):
    with world.desk.sessions() as session:
        for number in range(4):
            queues.put(
                session,
                WORKSPACE,
                f"reminder:{number}",
                ("UROSA", "UDWAYNE", "UMARTA", "UNOBODY")[number],
                {"text": "hi"},
                world.now(),
            )
        session.commit()
    deliver(replace(world.desk, stopping=lambda: len(world.posted) >= 1))
    assert len(world.posted) == 1
    with world.desk.sessions() as session:
        waiting = session.exec(select(OutboxItem).where(OutboxItem.state == "ready")).all()
        assert [item.due_at for item in waiting] == [world.now()] * 3, "due now, not when a lease has run out"
    deliver(world.desk)
    assert len(world.posted) == 4


def test_the_sweep_stops_between_two_conversations(world, monkeypatch):
    monkeypatch.setattr("bot.slack.listeners.work_through", lambda *_: None)
    world.say("UROSA", "hola")
    world.say("UDWAYNE", "hello")
    world.time_for_another_process()
    assert sweep(replace(world.desk, stopping=lambda: bool(world.posted))) == 1
    with world.desk.sessions() as session:
        left = session.exec(select(InboxItem).where(InboxItem.done_at == None)).all()  # noqa: E711
        assert [item.lease_until <= world.now() for item in left] == [True]
    assert sweep(world.desk) == 1


def test_a_listener_at_work_ends_before_the_process_does():
    running, at_work, ended = Running(lambda: None), threading.Event(), []

    def close() -> None:
        at_work.wait()
        ended.append("listener")

    running.closing.append(close)
    threading.Timer(0.05, at_work.set).start()
    assert running.stop()
    assert ended == ["listener"]


def test_what_hangs_does_not_hold_the_process_for_ever(caplog):
    held = threading.Event()
    running = Running(lambda: None, closing=[held.wait, lambda: 1 / 0])
    assert not running.stop(patience=0.05)
    assert "closing: ZeroDivisionError" in caplog.text
    held.set()


def test_the_start_waits_for_a_database_but_not_for_ever(monkeypatch):
    tries = iter([OperationalError("", {}, Exception("connection refused\nIs the server running?"))] * 2 + [None])

    def start() -> str:
        if error := next(tries):
            raise error
        return "up"

    assert patiently(start, "The database", threading.Event()) == "up"
    monkeypatch.setattr("bot.running.START_PATIENCE", 0.0)

    def never_up() -> None:
        raise OperationalError("", {}, Exception("connection refused\nIs the server running?"))

    with pytest.raises(NotReachable, match=r"The database can't be reached: connection refused$"):
        patiently(never_up, "The database", threading.Event())


def test_events_over_http_are_answered_when_signed_and_refused_when_not(world, settings):
    app = build_slack_app(settings, world.desk)
    at = listen_on("127.0.0.1", 0)
    stop = serve_web(serve_events(app, "secret"), at, "events")
    url = f"http://127.0.0.1:{at.getsockname()[1]}/slack/events"
    slack, over_http = world.slack, Delivery(world.slack.workspace, "secret", url)
    slack.delivery = over_http
    slack.as_user("UROSA").say("¿cuánto gana un cocinero?")
    wait_for(lambda: world.posted)
    forged = Delivery(slack.workspace, "another secret", url)
    slack.delivery = forged
    slack.as_user("UROSA").say("¿y un chofer?")
    now = {"X-Slack-Request-Timestamp": "1795446000"}
    assert httpx.post(url, content=b"x" * 1_100_000, headers=now).status_code == 413
    stop()
    with world.desk.sessions() as session:
        assert len(session.exec(select(InboxItem)).all()) == 1, "nothing of the forged one is kept"


def test_credentials_for_the_console_in_the_environment_do_not_make_bolt_forget_the_bots_token(world, settings, monkeypatch):
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "s")
    app = build_slack_app(settings, world.desk)
    assert app.oauth_flow is None
    assert os.environ["SLACK_CLIENT_ID"] == "1.2"


def test_parts_run_alone(world, settings):
    running = assemble(settings, one_workspace(settings, world.desk), ["deliver"], threading.Event())
    assert [job.name for job in running.jobs] == ["inbox", "outbox", "clock", "log"]
    assert running.accepting() is None
    running = assemble(settings, one_workspace(settings, world.desk), ["checkins"], threading.Event())
    assert [job.name for job in running.jobs] == ["checkins", "daily"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--only", "slak"], "there is no such part. The parts are slack, deliver, checkins, console"),
        (["--only", "console,deliver"], "Set SLACK_CLIENT_ID and SLACK_CLIENT_SECRET"),
        (["--only", "slack"], "Set SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET"),
    ],
)
def test_an_operator_who_errs_is_told_what_is_wrong(words, says, capsys):
    arguments = parser().parse_args(["run", *words])
    assert arguments.run(arguments, Settings(_env_file=None, slack_bot_token="xoxb-1")) == 2
    assert says in capsys.readouterr().err


def test_a_process_told_to_stop_answers_what_it_has_taken_and_ends(slack, sessions, database_url):
    """The real command, SIGTERM the moment after Slack got its acknowledgement."""
    slack.delivery = Delivery(slack.workspace, "secret", None)
    tokens = {"SLACK_BOT_TOKEN": "xoxb-local", "SLACK_APP_TOKEN": "xapp-local", "SLACK_API_URL": slack.api_url}
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "run"], env=os.environ | tokens | {"DATABASE_URL": database_url}
    )
    try:
        slack.workspace.until(lambda: slack.delivery.sockets, 90)
        dwayne = slack.as_user("UDWAYNE")
        dwayne.say("what does a cook make")
        slack.workspace.until(lambda: slack.delivery.idle, 20)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    finally:
        process.kill()
    assert len(dwayne.from_app()) == 1
    assert not slack.delivery.sockets
