"""Logs carry ids at every level, and never what an employee wrote, nor a token: on good days and on bad ones."""

import io
import json
import logging
import re
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from slack_bolt import App
from slack_sdk import WebClient
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from bot import running
from bot.jobs import where_from
from bot.operations.logs import Lines, set_up_logs
from bot.services.delivery import deliver_due
from bot.services.inbox import sweep
from bot.slack.listeners import register
from storage.database import open_database
from storage.models import Exchange, InboxItem, OutboxItem
from tests.conftest import WORKSPACE, RunAtOnce, World

SAID = "my marker is quetzalcoatl and my cousin is Xochiquetzal, who pays for school"
TELLING = ("quetzalcoatl", "xochiquetzal", "my marker")
SECRETS = ("xoxb-local", "console-secret-of-32-characters!!", "hunter2")


class Log:
    """What the process wrote."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def lines(self) -> list[dict]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def about(self, message: str) -> list[dict]:
        return [line for line in self.lines if line["message"] == message]

    def tells_nothing(self) -> bool:
        written = self.stream.getvalue().lower()
        return written != "" and not [word for word in (*TELLING, *SECRETS) if word in written]


@pytest.fixture
def log() -> Iterator[Log]:
    """At DEBUG, as in `trellis run`; everything is as before when the test is over."""
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    handlers, level = root.handlers[:], root.level
    log = Log()
    set_up_logs("json", "DEBUG", SECRETS[1:], log.stream)
    yield log
    root.handlers[:] = handlers
    root.setLevel(level)
    sys.excepthook, threading.excepthook = hooks


@pytest.fixture
def chatty(log: Log, world: World) -> World:
    """Bolt and Slack's client take the level of the root when they are made."""
    client = WebClient(token="xoxb-local", base_url=world.slack.api_url)
    world.app = App(
        client=client, token_verification_enabled=False, request_verification_enabled=False, listener_executor=RunAtOnce()
    )
    register(world.app, world.desk, WORKSPACE)
    world.slack.delivery.app = world.app  # type: ignore[attr-defined]
    for name in ("slack_sdk", "sqlalchemy.engine", "slack_bolt", "httpx", "uvicorn"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    return world


def test_a_question_leaves_ids_and_no_words(chatty, log):
    chatty.say("UROSA", SAID)
    assert log.tells_nothing()
    with chatty.desk.sessions() as session:
        inbox, exchange, outbox = (session.exec(select(table)).one() for table in (InboxItem, Exchange, OutboxItem))
    question, send = log.about("question")[0], log.about("send")[0]
    assert (question["event"], question["inbox"]) == (inbox.key, inbox.id)
    assert (question["exchange"], question["outbox"]) == (exchange.id, outbox.id)
    assert (send["outbox"], send["exchange"], send["done"]) == (outbox.id, exchange.id, "sent")
    assert any(line["logger"].startswith("sqlalchemy.engine") for line in log.lines), "libraries were logging at DEBUG"
    assert any(line["logger"].startswith("slack_") for line in log.lines)


def test_a_failing_slack_leaves_no_words(chatty, log):
    chatty.slack.fault("error", "users.info")  # nobody can say who she is: the question waits
    chatty.say("UROSA", SAID)
    for minute, fault in enumerate(("ratelimited", "error", "error_after", "drop"), 1):
        chatty.passed = timedelta(minutes=3 * minute)
        chatty.slack.fault(fault)
        sweep(chatty.desk)
        chatty.say("UROSA", f"{SAID} {fault}")
        deliver_due(chatty.desk.sessions, chatty.desk.sender, chatty.desk.clock)
    chatty.slack.web_api.bot_token = "xoxb-local-has-been-revoked"
    chatty.passed = timedelta(minutes=20)
    deliver_due(chatty.desk.sessions, chatty.desk.sender, chatty.desk.clock)
    assert len(log.about("question")) == 5
    assert {"sent", "open", "unclear"} <= {line["done"] for line in log.about("send")}
    assert log.about("drain")[0]["messages"] >= 1
    assert log.tells_nothing()


def test_a_database_that_refuses_the_row_leaves_no_words(chatty, log):
    """PostgreSQL puts the whole row into its error message."""
    with chatty.desk.sessions() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(text("ALTER TABLE exchange ADD CONSTRAINT never CHECK (question = '')"))
        else:
            session.execute(text("CREATE TRIGGER never BEFORE INSERT ON exchange BEGIN SELECT RAISE(ABORT, 'never'); END"))
        session.commit()
    chatty.say("UROSA", SAID)
    assert log.tells_nothing()
    failed = next(line for line in log.lines if line["message"].startswith("inbox item"))
    assert failed["error"].startswith(("IntegrityError: SQLITE_CONSTRAINT", "IntegrityError: 23514"))
    assert any("services/answering.py" in place for place in failed["error_from"])


def test_a_database_that_is_gone_leaves_no_words(chatty, log):
    with chatty.desk.sessions() as session:
        session.execute(text("ALTER TABLE inbox RENAME TO elsewhere"))
        session.commit()
    with pytest.raises(AssertionError):  # Bolt answers 500, so that Slack sends the event again
        chatty.say("UROSA", SAID, event_id="Ev-gone")
    assert log.tells_nothing()


def test_a_bug_whose_message_quotes_the_employee_leaves_no_words(chatty, log, monkeypatch):
    def broken(_answering: object, said: str, *_: object, **__: object) -> None:
        raise ValueError(f"can't answer {said!r} with hunter2")

    monkeypatch.setattr(type(chatty.desk.answering), "reply", broken)
    chatty.say("UROSA", SAID)
    assert log.tells_nothing()
    assert any(line.get("error") == "ValueError" for line in log.lines)


def test_an_error_that_nobody_handles_leaves_no_words(log):
    def die() -> None:
        raise RuntimeError(SAID)

    thread = threading.Thread(target=die)
    thread.start()
    thread.join()
    assert log.tells_nothing()
    assert log.lines[-1]["error"] == "RuntimeError"


def test_secrets_are_hidden_wherever_they_stand():
    lines = Lines("text", SECRETS[1:])

    def written(message: str, *args: object) -> str:
        """As our own code would log it."""
        return lines.format(logging.LogRecord("bot.running", logging.WARNING, running.__file__, 1, message, args, None))

    assert written("at %s", "postgresql+psycopg://trellis:hunter2@db/trellis").endswith(
        "at postgresql+psycopg://•••@db/trellis"
    )
    assert written("Authorization: Bearer %s signed", "xoxb-local").endswith("Authorization: ••• signed")
    assert written("with xapp-1-A1-2-abc and xoxe.xoxp-1-Mi0yLTU by %s", SECRETS[1]).endswith("with ••• and ••• by •••")
    assert written("wss://wss.slack.com/link/?ticket=1234-5678&app_id=99").endswith("?ticket=•••&app_id=99")
    assert written("database is %s", ConnectionRefusedError(111, SAID)).endswith(
        "database is ConnectionRefusedError: Connection refused"
    )


def test_a_job_that_fails_tells_what_is_wrong_with_the_connection_and_where_we_were():
    engine = open_database("postgresql+psycopg://trellis:hunter2@127.0.0.1:9/trellis")
    with pytest.raises(OperationalError) as failed:
        engine.connect()
    said = where_from(failed.value)
    assert re.fullmatch(r"OperationalError: Connection refused at test_logs.py:\d+ in test_a_job_\w+", said)
    assert where_from(psycopg.OperationalError(SAID)) == "OperationalError"
    made_up = compile("raise ValueError", "<sqlalchemy generated _go() wrapper>", "exec")
    with pytest.raises(ValueError) as odd:  # noqa: PT011
        exec(made_up)
    assert where_from(odd.value).startswith("ValueError at test_logs.py:")


def test_a_library_that_was_handed_one_of_our_loggers_is_still_a_library(log):
    logging.getLogger("bot.slack.receiving").warning("on_message invoked: %s", SAID)  # from here, which is not our code
    assert log.tells_nothing()


def test_a_library_is_quoted_by_its_source_not_by_what_it_handled(log):
    logging.getLogger("some.library").error(f"request body: {SAID}")
    assert log.tells_nothing()
    said = log.lines[-1]["message"]
    assert said.startswith("test_logs.py:")
    assert 'error(f"request body: {SAID}")' in said


def test_people_read_lines_of_text():
    told = {"name": "bot.services.inbox", "levelname": "WARNING", "msg": "slow", "created": 0, "pathname": running.__file__}
    record = logging.makeLogRecord(told)
    assert Lines("text").format(record) == "1970-01-01T00:00:00.000+00:00 WARNING bot.services.inbox: slow"
