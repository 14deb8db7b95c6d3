"""`trellis run` is killed with SIGKILL right after it has acknowledged a question: every question is answered once.

`pytest tests/test_killed.py --kills 20` is the long form.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.localslack import LocalSlack
from bot.localslack.delivery import Answer, Delivery
from bot.localslack.workspace import User
from tests.conftest import WORKSPACE

QUESTIONS = ["what does a cook make", "who pays for school", "I need child care", "hola", "what can I do next"]
PERSON = "U1DWAYNE"
# On a busy machine: a lease that runs out (60 s), one of the outbox (30 s), a doubt and its grace time (60 s), one after the other.
PATIENCE = 400


@pytest.fixture
def slack() -> Iterator[LocalSlack]:
    manifest = json.loads(Path("manifest.json").read_text(encoding="utf-8"))
    with LocalSlack(manifest, [User(PERSON, "Dwayne Ellis", "dwayne@lakeshore.example")], team_id=WORKSPACE) as slack:
        yield slack


class Bot:
    """The real command in a process of its own, on Socket Mode."""

    def __init__(self, slack: LocalSlack, database_url: str) -> None:
        self.slack = slack
        tokens = {"SLACK_BOT_TOKEN": "xoxb-local", "SLACK_APP_TOKEN": "xapp-local", "SLACK_API_URL": slack.api_url}
        self.environment = os.environ | tokens | {"DATABASE_URL": database_url, "CONSOLE_PORT": "0"}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen([sys.executable, "-m", "bot", "run"], env=self.environment)
        self.slack.workspace.until(lambda: self.slack.delivery.sockets, 90)

    def kill(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.slack.workspace.until(lambda: not self.slack.delivery.sockets, 10)


def test_every_question_is_answered_once_whenever_the_process_is_killed(slack, sessions, database_url, request, monkeypatch):
    bot, killed = Bot(slack, database_url), 0
    ask = Delivery.ask

    def ask_and_kill(self: Delivery, kind: str, payload: dict, *more: object) -> Answer:
        """The moment after the acknowledgement, when Slack believes that all is well."""
        nonlocal killed
        answer = ask(self, kind, payload, *more)
        if payload.get("event", {}).get("user") == PERSON and answer.taken and killed < request.config.getoption("--kills"):
            time.sleep(random.random() * 0.05)
            killed += 1
            bot.process.send_signal(signal.SIGKILL)
        return answer

    monkeypatch.setattr(Delivery, "ask", ask_and_kill)
    dwayne = slack.as_user(PERSON)
    asked = []
    bot.start()
    for number in range(request.config.getoption("--kills") + 1):
        asked.append(dwayne.say(QUESTIONS[number % len(QUESTIONS)]))
        if number < request.config.getoption("--kills"):
            bot.process.wait(30)
            slack.workspace.until(lambda: not slack.delivery.sockets, 10)
            bot.start()
    try:
        slack.workspace.until(lambda: len(dwayne.from_app()) >= len(asked), PATIENCE)
        time.sleep(3)
    finally:
        bot.kill()
    keys = Counter(message["metadata"]["event_payload"]["id"] for message in dwayne.from_app())
    assert set(keys) == {f"reply:{dwayne.channel.id}:{ts}" for ts in asked}, "none is lost"
    assert set(keys.values()) == {1}, "none comes twice"
