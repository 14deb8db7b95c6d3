"""`trellis demo`: the whole product on this machine, with sample people, some weeks of history and a Slack of its own."""

import csv
import json
import sys
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from slack_bolt.adapter.socket_mode import SocketModeHandler

from bot.app import build_answering, build_console, build_desk, build_slack_app, listen_on, serve_web, tick
from bot.config import Settings
from bot.demo_history import History
from bot.domain.problems import ContentError
from bot.localslack import LocalSlack
from bot.localslack.workspace import User
from bot.services.inbox import Desk
from bot.services.roster import import_roster

WORKSPACE = "T0LAKESHORE"
HISTORY = timedelta(days=80)
DOMAIN = "lakeshore.example"
ASKS_ONCE = "rosa.delgado@lakeshore.example"
BOT_TOKEN, APP_TOKEN = "xoxb-demo", "xapp-demo"


class Demo:
    """The local Slack, the bot and a fresh database, all in this process and on one clock."""

    def __init__(self, settings: Settings, port: int = 0) -> None:
        sample = settings.content_dir / "sample"
        manifest = json.loads(Path("manifest.json").read_text(encoding="utf-8"))
        rows = list(csv.DictReader((sample / "roster.csv").open(encoding="utf-8")))
        self.roster, self.history = sample / "roster.csv", yaml.safe_load((sample / "history.yaml").read_text("utf-8"))
        self.slack = LocalSlack(
            manifest,
            [_account(row) for row in rows]
            + [User("U9STRANGER", "Vic Visitor", "vic@elsewhere.example", about="not on the roster")],
            port=port,
            bot_token=BOT_TOKEN,
            app_token=APP_TOKEN,
            team_id=WORKSPACE,
            team_name="Lakeshore Health",
        )
        self._console_at = listen_on("127.0.0.1", port + 1 if port else 0)
        coaches = [_slack_id(row) for row in rows if row["access"] in ("coach", "lead")]
        channel = self.slack.workspace.add_channel("career-coaches", coaches, "C0COACHES")
        self.settings = settings.model_copy(
            update={
                "database_url": f"sqlite:///{_fresh_database()}",
                "slack_bot_token": BOT_TOKEN,
                "slack_app_token": APP_TOKEN,
                "slack_api_url": self.slack.api_url,
                "coach_channel": channel.id,
                "slack_web_url": self.slack.url,
                "slack_client_id": self.slack.openid.client_id,
                "slack_client_secret": self.slack.openid.client_secret,
                "console_url": f"http://127.0.0.1:{self._console_at.getsockname()[1]}",
                "console_secret": "",
                "console_access": "",
            }
        )
        self.desk: Desk | None = None
        self._handler: SocketModeHandler | None = None
        self._stop_console: Callable[[], None] = self._console_at.close

    def start(self, *, with_history: bool) -> None:
        """Everything up and answering. Raises ContentError when the content can't be trusted."""
        if with_history:
            self.slack.clock.start_at(datetime.now(UTC) - HISTORY)
        self.slack.start()
        answering = build_answering(self.settings)
        self.desk = build_desk(self.settings, answering, self.slack.clock.now)
        now = self.slack.clock.now()
        _, problems = import_roster(self.desk.sessions, WORKSPACE, self.roster, answering.kb.roles, now)
        if errors := [problem for problem in problems if problem.level == "error"]:
            raise ContentError(errors)
        self._handler = SocketModeHandler(build_slack_app(self.settings, self.desk), APP_TOKEN)
        self._handler.connect()
        self.slack.workspace.until(lambda: self.slack.delivery.sockets, 10)
        if with_history:
            History(self.slack, self.desk, DOMAIN).live_through(self.history, datetime.now(UTC))
        self.slack.clock.on_step = self.tick
        self._stop_console = serve_web(build_console(self.settings, self.desk), self._console_at)

    def stop(self) -> None:
        self._stop_console()
        if self._handler:
            with suppress(TimeoutError):
                self.slack.workspace.until(lambda: self.slack.delivery.idle, 2)
            self._handler.close()
        self.slack.stop()

    def tick(self) -> None:
        if self.desk:
            tick(self.desk)

    def ask(self, who: str, question: str) -> str:
        """One question through the whole path; the reply as its text."""
        return str(self.slack.as_user(who).ask(question)["text"])


def run_demo(settings: Settings, port: int, *, open_browser: bool) -> None:
    """Serve the demo until Ctrl-C."""
    try:
        demo, stop = Demo(settings, port), threading.Event()
    except OSError:
        sys.exit(f"Port {port} or {port + 1} is in use. Stop what uses it, or choose another: trellis demo --port 8100")
    print("Trellis demo: setting up a hospital with 21 people and some weeks of questions …", flush=True)
    try:
        demo.start(with_history=True)
        print(_GREETING.format(url=demo.slack.url, console=demo.settings.console_url), flush=True)
        if open_browser:
            webbrowser.open(demo.slack.url)
        while not stop.wait(1.0):
            demo.tick()
    except KeyboardInterrupt:
        print("\nStopped.")
    finally:
        demo.stop()


def ask_once(settings: Settings, who: str, question: str) -> str:
    """The reply to one question, gone the whole way: Slack, inbox, matcher, outbox, Slack."""
    demo = Demo(settings)
    try:
        demo.start(with_history=False)
        return demo.ask(who, question)
    finally:
        demo.stop()


_GREETING = """
Ready. Open in a browser (the window may have opened by itself):

  Slack, as Rosa, night housekeeper   {url}/
  The coaches' console                {console}/   (sign in as Carmen, coach, or Ben, lead coach)

Try, as Rosa:   ¿qué sigue después de limpieza?   ·   quién paga la escuela   ·   /career phlebotomist pay
Switch person on the left: Dwayne works part time, Amina is new, Grace was a nurse abroad, Marta manages, Carmen coaches.
Move the clock on the left to see check-ins arrive. Ctrl-C stops everything; nothing leaves this machine.
"""


def _account(row: dict[str, str]) -> User:
    about = " · ".join(part for part in (row["job_title"], row["shift"], f"{row['hours_per_week']} h") if part)
    locale = "es-US" if row["language"] == "es" else "en-US"
    about += " · español" if row["language"] == "es" else ""
    name = f"{row['first_name']} {row['last_name']}"
    return User(_slack_id(row), name, row["email"], row["zone"] or "America/Chicago", locale, about)


def _slack_id(row: dict[str, str]) -> str:
    return f"U{row['employee_id']}{row['first_name'][:4].upper()}"


def _fresh_database() -> Path:
    path = Path("var/demo/trellis.db")
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in path.parent.glob("trellis.db*"):
        old.unlink()
    return path
