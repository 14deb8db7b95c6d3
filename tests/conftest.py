"""Rosa, her manager, the real content, a real database, real Bolt and the local Slack."""

import itertools
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from slack_bolt import App, BoltRequest
from slack_sdk import WebClient

from bot.app import build_answering
from bot.config import Settings
from bot.localslack import LocalSlack
from bot.localslack.delivery import Answer, Delivery
from bot.localslack.workspace import User
from bot.services.inbox import Desk
from bot.services.queues import INBOX_LEASE
from bot.services.replying import Answering
from bot.services.roster import import_roster
from bot.slack.coaching import draw_handoff, draw_reply_with_rights, register_coaching
from bot.slack.listeners import register
from bot.slack.sender import SlackSender
from storage.database import Sessions, make_sessions, open_database
from tests.databases import DATABASES, MakeDatabase

WORKSPACE = "T01LAKE"
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
ROSTER = """employee_id,first_name,last_name,email,role,job_title,site,hours_per_week,shift,hired_on,language,manager_id
1,Rosa,Delgado,rosa@lakeshore.example,environmental-services-technician,EVS Tech,main,40,nights,2021-03-01,es,3
2,Dwayne,Ellis,dwayne@lakeshore.example,patient-transporter,Transporter,west,24,days,2026-11-02,en,3
3,Marta,Kowalski,marta@lakeshore.example,environmental-services-supervisor,EVS Supervisor,main,40,days,2015-06-01,en,
"""


class InProcess(Delivery):
    """What happens is handed to the app at once, in this process: when `say` returns, the listener has run."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.app: App | None = None

    def ask(self, kind: str, payload: dict[str, Any], attempt: int = 0, reason: str = "") -> Answer:
        if self.app is None:
            return Answer(False, {})
        response = self.app.dispatch(BoltRequest(body=payload, mode="socket_mode"))
        said = response.body
        if isinstance(said, str):  # an answer to a command may be text alone
            is_json = "application/json" in str(response.headers.get("content-type", ""))
            said = json.loads(said or "{}") if is_json or not said else {"text": said}
        return Answer(response.status == 200, said)

    def _later(self, do: Callable[..., Any], *arguments: Any) -> None:
        do(*arguments)


PEOPLE = [
    User("UROSA", "Rosa Delgado", "rosa@lakeshore.example"),
    User("UDWAYNE", "Dwayne Ellis", "dwayne@lakeshore.example"),
    User("UMARTA", "Marta Kowalski", "marta@lakeshore.example"),
    User("UNOBODY", "Vic Visitor", "nobody@lakeshore.example"),
    User("UGUEST", "Gus Guest", "guest@elsewhere.example", is_stranger=True),
]


@pytest.fixture
def slack() -> Iterator[LocalSlack]:
    """Slack's Web API on loopback, strict, with the app's own manifest and a clock of its own."""
    manifest = json.loads(Path("manifest.json").read_text(encoding="utf-8"))
    slack = LocalSlack(manifest, deepcopy(PEOPLE), team_id=WORKSPACE)
    slack.delivery = InProcess(slack.workspace, "secret", None)
    slack.workspace.emit = lambda event: None  # the app ignores its own messages; Bolt's part is tested in test_demo.py
    slack.workspace.add_channel("career-coaches", ["UMARTA"], "CCOACH")
    slack.clock.start_at(NOW)
    with slack:
        yield slack


@pytest.fixture(scope="session")
def answering() -> Answering:
    return build_answering(Settings(content_dir=Path("content")))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=list(DATABASES), default="sqlite", help="which database the tests run on")
    parser.addoption("--kills", type=int, default=1, help="how often test_killed.py kills the process")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL only what uses a database is run again."""
    if config.getoption("--database") != "sqlite":
        items[:] = [item for item in items if "make_database" in getattr(item, "fixturenames", ())]


@pytest.fixture(scope="session")
def make_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeDatabase]:
    with DATABASES[request.config.getoption("--database")](tmp_path_factory.mktemp("databases")) as make:
        yield make


@pytest.fixture
def database_url(make_database: MakeDatabase, tmp_path: Path) -> str:
    """A fresh database with all migrations."""
    return make_database(tmp_path)


@pytest.fixture
def sessions(database_url: str, tmp_path: Path) -> Iterator[Sessions]:
    engine = open_database(database_url)
    sessions = make_sessions(engine)
    roster = tmp_path / "roster.csv"
    roster.write_text(ROSTER)
    roles = ["environmental-services-technician", "patient-transporter", "environmental-services-supervisor"]
    import_roster(sessions, WORKSPACE, roster, roles, NOW)
    yield sessions
    engine.dispose()


@dataclass
class World:
    """The bot with its database and a Slack that remembers; `say` is what a person does."""

    app: App
    desk: Desk
    slack: LocalSlack
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(100))
    _passed: timedelta = timedelta()

    def now(self) -> datetime:
        return NOW + self._passed

    @property
    def passed(self) -> timedelta:
        """How long the test has been going on, by the clock of bot and Slack."""
        return self._passed

    @passed.setter
    def passed(self, passed: timedelta) -> None:
        self._passed = passed
        self.slack.clock.set_to(NOW + passed)

    def time_for_another_process(self) -> None:
        """What a killed process had in hand is free again."""
        self.passed += INBOX_LEASE

    @property
    def posted(self) -> list[dict[str, Any]]:
        """Every message of the app, in all conversations, in the order in which Slack took them; not the only-for-you ones."""
        channels = self.slack.workspace.channels.values()
        sent = [message | {"channel": channel.id} for channel in channels for message in channel.messages]
        ours = [message for message in sent if message.get("bot_id") and not message.get("ephemeral_to")]
        return sorted(ours, key=lambda message: float(message["ts"]))

    def say(self, user: str, text: str, event_id: str | None = None, **more: Any) -> str:
        """A person writes to the app; returns the message's ts. With an event id of its own it may arrive twice."""
        if event_id or "bot_id" in more:
            ts = more.pop("ts", f"{NOW.timestamp() + next(self.numbers):.6f}")
            channel = self.slack.workspace.direct_message(user).id
            event = {"type": "message", "channel_type": "im", "channel": channel, "user": user, "text": text, "ts": ts}
            self.deliver(event | more, event_id or f"Ev{ts}")
            return ts
        return self.slack.as_user(user).say(text, **more)

    def deliver(self, event: dict[str, Any], event_id: str) -> None:
        body = {"type": "event_callback", "team_id": WORKSPACE, "event_id": event_id, "event": event}
        assert self.app.dispatch(BoltRequest(body=body, mode="socket_mode")).status == 200

    def click(self, user: str, action_id: str, value: str) -> None:
        """A press on a button with this value, wherever it stands."""
        channel = self.slack.workspace.direct_message(user).id
        body = {
            "type": "block_actions",
            "team": {"id": WORKSPACE},
            "user": {"id": user, "team_id": WORKSPACE},
            "channel": {"id": channel},
            "message": {"ts": "1"},
            "trigger_id": self.slack.workspace.trigger(user),
            "response_url": f"{self.slack.url}/response/{self.slack.workspace.response(channel, '', user)}",
            "actions": [{"type": "button", "action_id": action_id, "block_id": "b", "value": value}],
        }
        assert self.app.dispatch(BoltRequest(body=body, mode="socket_mode")).status == 200

    @property
    def last(self) -> dict[str, Any]:
        return self.posted[-1]


class RunAtOnce:
    """Bolt's thread pool, without threads: when `dispatch` returns, the listener has run."""

    def submit(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        work(*args, **kwargs)


@pytest.fixture
def world(slack: LocalSlack, sessions: Sessions, answering: Answering) -> World:
    holder: list[World] = []
    sender = SlackSender("xoxb-local", slack.api_url)
    desk = Desk(
        sessions,
        answering,
        sender,
        draw_reply_with_rights,
        lambda: holder[0].now(),
        sender.profile_of,
        "CCOACH",
        partial(draw_handoff, "http://console.test"),
    )
    client = WebClient(token="xoxb-local", base_url=slack.api_url)
    app = App(
        client=client, token_verification_enabled=False, request_verification_enabled=False, listener_executor=RunAtOnce()
    )
    holder.append(World(app, desk, slack))
    register(app, desk, WORKSPACE)
    register_coaching(app, desk, WORKSPACE)
    slack.delivery.app = app  # type: ignore[attr-defined]
    return holder[0]
