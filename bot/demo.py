"""`trellis demo`: the whole product on this machine, with sample people, some weeks of history and a Slack of its own."""

import csv
import json
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from slack_bolt.adapter.socket_mode import SocketModeHandler

from bot.app import build_answering, build_desk, build_slack_app, tick
from bot.config import Settings
from bot.domain.problems import ContentError
from bot.localslack import LocalSlack
from bot.localslack.workspace import User
from bot.services.inbox import Desk
from bot.services.roster import import_roster

WORKSPACE = "T0LAKESHORE"
HISTORY = timedelta(days=25)
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
        coaches = [_slack_id(row) for row in rows if row["access"] in ("coach", "lead")]
        channel = self.slack.workspace.add_channel("career-coaches", coaches, "C0COACHES")
        self.settings = settings.model_copy(
            update={
                "database_url": f"sqlite:///{_fresh_database()}",
                "slack_bot_token": BOT_TOKEN,
                "slack_app_token": APP_TOKEN,
                "slack_api_url": self.slack.api_url,
                "coach_channel": channel.id,
            }
        )
        self.desk: Desk | None = None
        self._handler: SocketModeHandler | None = None

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
            self._live_through_history()
        self.slack.clock.on_step = self.tick

    def stop(self) -> None:
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

    def _live_through_history(self) -> None:
        """The sample people ask what they asked, on the days they asked it; then the clock is at now."""
        today = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
        for entry in sorted(self.history, key=lambda entry: (-entry["days"], entry["hour"])):
            self.slack.clock.set_to((today - timedelta(days=entry["days"])).replace(hour=entry["hour"]))
            member = self.slack.as_user(f"{entry['who']}@lakeshore.example")
            reply = member.ask(entry["says"])
            if pressed := _AFTERWARDS.get(entry.get("after", "")):
                pressed(member, reply)
        self.slack.clock.set_to(datetime.now(UTC))


def _thumb(side: str) -> Callable[[Any, Any], None]:
    def press(member: Any, reply: Any) -> None:
        for block in reply["blocks"]:
            for element in block.get("elements", []):
                if element.get("type") == "feedback_buttons":
                    member.act(reply, block, {**element, "pressed": side})
                    return

    return press


_AFTERWARDS: dict[str, Callable[[Any, Any], None]] = {"up": _thumb("positive_button"), "down": _thumb("negative_button")}


def run_demo(settings: Settings, port: int, *, open_browser: bool) -> None:
    """Serve the demo until Ctrl-C."""
    demo, stop = Demo(settings, port), threading.Event()
    print("Trellis demo: setting up a hospital with 21 people and some weeks of questions …", flush=True)
    try:
        demo.start(with_history=True)
        print(_GREETING.format(url=demo.slack.url), flush=True)
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
