"""Rosa, her manager, the real content, a real database and real Bolt; only Slack's Web API is a stand-in."""

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_bolt import App, BoltRequest
from slack_sdk import WebClient

from bot.app import build_answering
from bot.config import Settings
from bot.services.answering import Answering
from bot.services.inbox import Desk
from bot.services.roster import import_roster
from bot.slack.blocks import draw_reply
from bot.slack.listeners import register
from bot.slack.sender import SlackSender
from storage.database import Sessions, make_sessions, migrate, open_database

WORKSPACE = "T01LAKE"
NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
ROSTER = """employee_id,first_name,last_name,email,role,job_title,site,hours_per_week,shift,hired_on,language,manager_id
1,Rosa,Delgado,rosa@lakeshore.example,environmental-services-technician,EVS Tech,main,40,nights,2021-03-01,es,3
2,Dwayne,Ellis,dwayne@lakeshore.example,patient-transporter,Transporter,west,24,days,2026-11-02,en,3
3,Marta,Kowalski,marta@lakeshore.example,environmental-services-supervisor,EVS Supervisor,main,40,days,2015-06-01,en,
"""


@dataclass
class SlackWebApi:
    """Slack's Web API on loopback: keeps what was posted, and fails on demand as `faults` says."""

    posted: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    views: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)  # for the next posts: 429, accepted_then_500, 500
    strangers: set[str] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def answer(self, method: str, arguments: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        self.calls.append(method)
        match method:
            case "auth.test":
                return 200, {"ok": True, "team_id": WORKSPACE, "user_id": "UBOT", "bot_id": "BBOT", "user": "trellis"}
            case "users.info":
                return 200, {"ok": True, "user": self._profile(arguments["user"])}
            case "conversations.open":
                return 200, {"ok": True, "channel": {"id": "D" + arguments["users"]}}
            case "conversations.history":
                return 200, {"ok": True, "messages": self.posted[::-1]}
            case "views.publish" | "views.open":
                self.views.append(arguments)
                return 200, {"ok": True, "view": {"id": "V1"}}
            case "chat.postEphemeral":
                return 200, {"ok": True, "message_ts": "1"}
            case "chat.postMessage":
                return self._post(arguments)
        return 200, {"ok": False, "error": "unknown_method"}

    def _post(self, arguments: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "429":
            return 429, {"ok": False, "error": "ratelimited"}
        if fault == "500":
            return 500, {"ok": False, "error": "internal_error"}
        message = arguments | {"ts": f"{NOW.timestamp() + next(self.numbers):.6f}"}
        self.posted.append(message)
        if fault == "accepted_then_500":
            return 500, {"ok": False, "error": "internal_error"}
        return 200, {"ok": True, "channel": arguments["channel"], "ts": message["ts"], "message": message}

    def _profile(self, user: str) -> dict[str, Any]:
        name = {"UROSA": "rosa", "UDWAYNE": "dwayne", "UMARTA": "marta"}.get(user, "nobody")
        return {
            "id": user,
            "team_id": WORKSPACE,
            "tz": "America/Chicago",
            "locale": "en-US",
            "is_stranger": user in self.strangers,
            "profile": {"email": f"{name}@lakeshore.example"},
        }


@pytest.fixture
def slack() -> Iterator[tuple[SlackWebApi, str]]:
    api = SlackWebApi()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            if "json" in self.headers.get("Content-Type", ""):
                arguments = json.loads(body or "{}")
            else:
                arguments = {key: values[0] for key, values in parse_qs(body).items()}
            status, answer = api.answer(self.path.rsplit("/", 1)[1], arguments)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            if status == 429:
                self.send_header("Retry-After", "1")
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        do_GET = do_POST

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield api, f"http://127.0.0.1:{server.server_port}/api/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def answering() -> Answering:
    return build_answering(Settings(content_dir=Path("content")))


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    url = f"sqlite:///{tmp_path / 'trellis.db'}"
    migrate(url)
    sessions = make_sessions(open_database(url))
    roster = tmp_path / "roster.csv"
    roster.write_text(ROSTER)
    roles = ["environmental-services-technician", "patient-transporter", "environmental-services-supervisor"]
    import_roster(sessions, WORKSPACE, roster, roles, NOW)
    return sessions


@dataclass
class World:
    """The bot with its database and a Slack that remembers; `say` is what a person does."""

    app: App
    desk: Desk
    api: SlackWebApi
    passed: timedelta = timedelta()
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(100))

    def now(self) -> datetime:
        return NOW + self.passed

    def say(self, user: str, text: str, event_id: str | None = None, **more: Any) -> str:
        ts = f"{NOW.timestamp() + next(self.numbers):.6f}"
        event = {"type": "message", "channel_type": "im", "channel": "D" + user, "user": user, "text": text, "ts": ts} | more
        self.deliver(event, event_id or f"Ev{ts}")
        return ts

    def deliver(self, event: dict[str, Any], event_id: str) -> None:
        body = {"type": "event_callback", "team_id": WORKSPACE, "event_id": event_id, "event": event}
        assert self.app.dispatch(BoltRequest(body=body, mode="socket_mode")).status == 200

    def click(self, user: str, action_id: str, value: str) -> None:
        body = {
            "type": "block_actions",
            "team": {"id": WORKSPACE},
            "user": {"id": user, "team_id": WORKSPACE},
            "channel": {"id": "D" + user},
            "message": {"ts": "1"},
            "trigger_id": f"T{next(self.numbers)}",
            "response_url": f"{self.app.client.base_url}response_url",
            "actions": [{"type": "button", "action_id": action_id, "block_id": "b", "value": value}],
        }
        assert self.app.dispatch(BoltRequest(body=body, mode="socket_mode")).status == 200

    @property
    def last(self) -> dict[str, Any]:
        return self.api.posted[-1]


class RunAtOnce:
    """Bolt's thread pool, without threads: when `dispatch` returns, the listener has run."""

    def submit(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        work(*args, **kwargs)


@pytest.fixture
def world(slack: tuple[SlackWebApi, str], sessions: Sessions, answering: Answering) -> World:
    api, url = slack
    holder: list[World] = []
    desk = Desk(
        sessions,
        answering,
        SlackSender("xoxb-test", url),
        partial(draw_reply, answering.kb),
        lambda: holder[0].now(),
        "CCOACH",
        lambda who, urgent: {"text": f"{'urgent ' if urgent else ''}{who}"},
    )
    client = WebClient(token="xoxb-test", base_url=url)
    app = App(
        client=client, token_verification_enabled=False, request_verification_enabled=False, listener_executor=RunAtOnce()
    )
    holder.append(World(app, desk, api))
    register(app, desk, WORKSPACE)
    return holder[0]
