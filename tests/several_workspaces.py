"""Two employers on one Trellis: the same people by name, number, address, Slack id and conversation id, each in a Slack of
their own. One address stands for slack.com, before both."""

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import SQLModel
from starlette.testclient import TestClient

from bot.app import listen_on, serve_web
from bot.config import Settings
from bot.knowledge_base import load
from bot.localslack import LocalSlack
from bot.localslack.delivery import Delivery
from bot.localslack.workspace import User
from bot.services.replying import Answering
from bot.services.roster import import_roster
from bot.services.working_out import WorkingOut
from bot.slack.receiving import serve_events
from bot.workspaces import Workspaces, build_consoles, build_front, build_install_flow, open_workspaces
from storage.database import make_sessions, open_database
from tests.conftest import NOW, PEOPLE, ROSTER

LAKE, HARBOR = "T01LAKE", "T02HARBOR"
COACH = User("UCARMEN", "Carmen Coach", "carmen@lakeshore.example")
COACHES_LINE = "4,Carmen,Coach,carmen@lakeshore.example,,Coach,main,40,days,2019-01-01,en,\n"
CONSOLE = "http://testserver"


class SlackCom:
    """Hands each call to the Slack whose token it carries; an install code belongs to the one that gave it out."""

    def __init__(self, slacks: dict[str, LocalSlack]) -> None:
        self.slacks = slacks
        by_token = {f"xoxb-{team.lower()}": slack for team, slack in slacks.items()}

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
                code = parse_qs(body.decode("utf-8", "replace")).get("code", [""])[0]
                given = [slack for slack in slacks.values() if code and code in slack.openid.grants]
                slack = given[0] if given else by_token.get(token, next(iter(slacks.values())))
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                answer = httpx.post(f"{slack.url}{self.path}", content=body, headers=headers)
                self.send_response(answer.status_code)
                self.send_header("Content-Type", answer.headers["content-type"])
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.api_url = f"http://127.0.0.1:{self.server.server_port}/api/"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@dataclass
class Two:
    settings: Settings
    workspaces: Workspaces
    slacks: dict[str, LocalSlack]
    events_url: str
    database_url: str

    def employer(self, workspace: str) -> Any:
        return next(each for each in self.workspaces.employers if each.id == workspace)

    def texts(self, workspace: str, user: str) -> list[str]:
        """What the app has written to somebody."""
        return [message["text"] for message in self.slacks[workspace].as_user(user).from_app()]

    def install(self, workspace: str, user: str = "UMARTA") -> httpx.Response:
        """Our page, Slack's page on which one agrees, and back, in one browser."""
        here = self.events_url.removesuffix("/slack/events")
        to_slack = httpx.get(f"{here}/slack/install")
        assert to_slack.status_code == 302, to_slack.text
        query = to_slack.headers["location"].partition("?")[2]
        slack = self.slacks[workspace]
        agreed = httpx.get(f"{slack.url}/oauth/v2/authorize?{query}&user={user}")
        assert agreed.status_code == 302, agreed.text
        cookie = to_slack.headers["set-cookie"].partition(";")[0]
        return httpx.get(agreed.headers["location"], headers={"Cookie": cookie})

    def rows(self, workspace: str) -> dict[str, list[Any]]:
        """Everything that is stored about a workspace and the people in it."""
        engine = open_database(self.database_url, read_only=True)
        with engine.connect() as connection:
            found = {
                table.name: [
                    tuple(map(str, row)) for row in connection.execute(select(table).where(table.c.workspace == workspace))
                ]
                for table in SQLModel.metadata.sorted_tables
                if "workspace" in table.c
            }
        engine.dispose()
        return found

    def console(self) -> TestClient:
        return TestClient(build_consoles(self.settings, self.workspaces), base_url=CONSOLE, follow_redirects=False)

    def sign_in(self, workspace: str, user: str) -> TestClient:
        """A browser after signing in with this workspace's Slack."""
        slack = self.slacks[workspace]
        browser = self.console()
        query = browser.get("/sign-in/slack").headers["location"].partition("?")[2]
        back = httpx.get(f"{slack.url}/openid/connect/authorize?{query}&user={user}")
        browser.get("/signed-in?" + back.headers["location"].partition("?")[2])
        return browser


@pytest.fixture
def two(database_url: str, answering: Answering, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Two]:
    """Both installed; Harbor has content of its own."""
    other = tmp_path / "harbor"
    shutil.copytree("content", other)
    employer = other / "employer.yaml"
    employer.write_text(employer.read_text().replace("Lakeshore Health", "Harbor Clinics"))
    kb = load(other)
    read = {Path("content"): answering, other: replace(answering, kb=kb, work_out=WorkingOut(kb))}
    monkeypatch.setattr("bot.workspaces.build_answering", lambda settings: read[settings.content_dir])
    file = tmp_path / "workspaces.yaml"
    file.write_text(
        f"workspaces:\n- {{id: {LAKE}, content: content, coach_channel: CCOACH}}\n"
        f"- {{id: {HARBOR}, content: {other}, coach_channel: CCOACH}}\n"
    )
    manifest = json.loads(Path("manifest.json").read_text(encoding="utf-8"))
    with ExitStack() as stack:
        slacks = {}
        for team in (LAKE, HARBOR):
            slack = LocalSlack(
                manifest, [*deepcopy(PEOPLE), deepcopy(COACH)], bot_token=f"xoxb-{team.lower()}", team_id=team
            )
            slack.workspace.emit = lambda event: None
            slack.workspace.add_channel("career-coaches", ["UCARMEN"], "CCOACH")
            slack.clock.start_at(NOW)
            slacks[team] = stack.enter_context(slack)
        slack_com = SlackCom(slacks)
        stack.callback(slack_com.close)
        at = listen_on("127.0.0.1", 0)
        settings = Settings(
            _env_file=None,
            database_url=database_url,
            workspaces_file=str(file),
            slack_client_id="local-client",
            slack_client_secret="local-client-secret",
            slack_signing_secret="secret",
            slack_api_url=slack_com.api_url,
            slack_web_url=slacks[LAKE].url,
            public_url=f"http://127.0.0.1:{at.getsockname()[1]}",
            console_url=CONSOLE,
            console_secret="a secret for tests only",
        )
        workspaces = open_workspaces(settings, clock=lambda: NOW)
        events = serve_events(build_front(settings, workspaces), "secret", build_install_flow(settings, workspaces))
        stack.callback(serve_web(events, at, "events"))
        both = Two(settings, workspaces, slacks, f"{settings.public_url}/slack/events", database_url)
        roster = tmp_path / "roster.csv"
        roster.write_text(ROSTER + COACHES_LINE)
        sessions = make_sessions(open_database(database_url))
        for team, slack in slacks.items():
            slack.delivery = Delivery(slack.workspace, "secret", both.events_url)
            import_roster(sessions, team, roster, answering.kb.roles, NOW)
            assert both.install(team).status_code == 200
        yield both
