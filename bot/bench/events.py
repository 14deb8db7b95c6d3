"""From a message in Slack to the posted reply, under load: `trellis run` in real processes beside a bare Bolt echo.

Times are read off the messages' own `ts`, which the local Slack gives when a message reaches it. The questions come at
their hour whether or not the ones before were answered. With kills, processes die at random and are started again, and
what counts is that every question was answered once.
"""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from bot.knowledge_base import KnowledgeBase
from bot.localslack import LocalSlack
from bot.localslack.delivery import Answer
from bot.localslack.workspace import Json, User
from storage.database import make_sessions, open_database
from storage.models import Person

WORKSPACE = "T0EVENTS"
START_PATIENCE = 120.0  # seconds until a process must be connected; the first one may have to learn
SETTLE_PATIENCE = 420.0  # seconds: a lease, a grace time and a retry of Slack's, one after the other
TOKENS = {"SLACK_BOT_TOKEN": "xoxb-local", "SLACK_APP_TOKEN": "xapp-local", "LOG_LEVEL": "WARNING"}


@dataclass(frozen=True)
class Load:
    """`rate` questions a second for `seconds`, by `people` in turn; a process is killed about every `kill_every` seconds."""

    rate: float = 50.0
    seconds: float = 60.0
    people: int = 500
    processes: int = 1
    kill_every: float | None = None
    seed: int = 1


@dataclass(frozen=True)
class Found:
    """Milliseconds from event to reply and to acknowledgement; `cpu` seconds of all processes under load; megabytes of one."""

    asked: int
    lost: int
    twice: int
    kills: int
    reply: np.ndarray
    ack: np.ndarray
    cpu: float
    memory: float


def measure_trellis(load: Load, url: str, kb: KnowledgeBase, manifest: Json, questions: Sequence[str]) -> Found:
    """The real command on the migrated, empty database at `url`. Raises TimeoutError when it does not start."""
    fill(url, kb, load.people)
    command = [sys.executable, "-m", "bot", "run"]
    return measure(load, command, {"DATABASE_URL": url, "OPERATIONS_PORT": "0"}, manifest, questions, _question_answered)


def measure_echo(load: Load, manifest: Json, questions: Sequence[str]) -> Found:
    """The yardstick: as little as a Bolt app can do."""
    return measure(load, [sys.executable, "-m", "bot.bench.echo"], {}, manifest, questions, _question_echoed)


def fill(url: str, kb: KnowledgeBase, people: int) -> None:
    """A roster with accounts that are linked already, as on any day but the first."""
    engine, roles, sites, now = open_database(url), list(kb.roles), list(kb.sites), datetime.now(UTC)
    with make_sessions(engine)() as session:
        for number in range(people):
            session.add(
                Person(
                    workspace=WORKSPACE,
                    employee_id=str(number),
                    slack_id=_user(number),
                    email=f"{number}@lakeshore.example",
                    first_name=f"Person {number}",
                    role=roles[number % len(roles)],
                    site=sites[number % len(sites)],
                    hours_per_week=40 if number % 3 else 24,
                    shift="nights" if number % 2 else "days",
                    created_at=now,
                    updated_at=now,
                )
            )
        session.commit()
    engine.dispose()


def measure(
    load: Load,
    command: Sequence[str],
    environment: dict[str, str],
    manifest: Json,
    questions: Sequence[str],
    answered: Callable[[Json], str],
) -> Found:
    """`answered` tells the question (channel:ts) that a message of the app answers."""
    people = [User(_user(number), f"Person {number}", f"{number}@lakeshore.example") for number in range(load.people)]
    chance = random.Random(load.seed)
    with LocalSlack(manifest, people, team_id=WORKSPACE) as slack:
        acks = _timed(slack)
        with _crew(load, command, environment | TOKENS | {"SLACK_API_URL": slack.api_url}, slack) as crew:
            acting = [slack.as_user(person.id) for person in people]
            for number in range(20):  # what is made at the first message only
                acting[number % len(acting)].say("hello")
            slack.workspace.until(lambda: sum(len(each.from_app()) for each in acting[:20]) >= min(20, len(acting)), 60)
            acks.clear()
            before, asked, began = crew.cpu(), [], time.monotonic()
            for number in range(int(load.rate * load.seconds)):
                time.sleep(max(0.0, began + number / load.rate - time.monotonic()))
                crew.torment(chance)
                person = acting[number % len(acting)]
                asked.append(f"{person.channel.id}:{person.say(chance.choice(questions))}")
            took = {}
            times: Counter[str] = Counter()

            def settle() -> bool:
                times.clear()
                for person in acting:
                    for message in person.from_app():
                        key = answered(message)
                        times[key] += 1
                        took.setdefault(key, 1000 * (float(message["ts"]) - float(key.rpartition(":")[2] or 0)))
                return all(times[key] for key in asked)

            _wait(settle, SETTLE_PATIENCE)
            if load.kill_every:
                time.sleep(10)  # in which a second answer would still come
                settle()
            return Found(
                asked=len(asked),
                lost=sum(not times[key] for key in asked),
                twice=sum(times[key] > 1 for key in asked),
                kills=crew.kills,
                reply=np.array([took[key] for key in asked if key in took]),
                ack=np.array(acks),
                cpu=crew.cpu() - before,
                memory=crew.memory(),
            )


def _user(number: int) -> str:
    return f"U0LOAD{number}"


def _question_answered(message: Json) -> str:
    return str(message.get("metadata", {}).get("event_payload", {}).get("id", "")).removeprefix("reply:")


def _question_echoed(message: Json) -> str:
    return str(message["text"]).split(" ", 1)[0]


def _timed(slack: LocalSlack) -> list[float]:
    """Milliseconds that each acknowledgement took, filled in as they come."""
    took: list[float] = []
    ask = slack.delivery.ask

    def timed(*arguments: Any) -> Answer:
        begun = time.perf_counter()
        answer = ask(*arguments)
        if answer.taken:
            took.append(1000 * (time.perf_counter() - begun))
        return answer

    slack.delivery.ask = timed  # type: ignore[method-assign]
    return took


def _wait(done: Callable[[], bool], patience: float) -> None:
    until = time.monotonic() + patience
    while not done() and time.monotonic() < until:
        time.sleep(1)


@dataclass
class Crew:
    """The processes at work. A killed one is replaced at once, and connects some seconds later."""

    load: Load
    command: Sequence[str]
    environment: dict[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    kills: int = 0
    _next_kill: float = 0.0

    def start(self) -> None:
        self.processes.append(subprocess.Popen(self.command, env=os.environ | self.environment))

    def torment(self, chance: random.Random) -> None:
        """Kill one when it is time."""
        if not self.load.kill_every or time.monotonic() < self._next_kill:
            return
        if self._next_kill:
            killed = self.processes.pop(chance.randrange(len(self.processes)))
            killed.send_signal(signal.SIGKILL)
            killed.wait()
            self.kills += 1
            self.start()
        self._next_kill = time.monotonic() + chance.uniform(0.5, 1.5) * self.load.kill_every

    def cpu(self) -> float:
        """Seconds used so far, also by those that are gone."""
        import psutil  # a package for development: what serves people must start without it

        gone = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = [psutil.Process(each.pid).cpu_times() for each in self.processes if each.poll() is None]
        return gone.ru_utime + gone.ru_stime + sum(each.user + each.system for each in used)

    def memory(self) -> float:
        import psutil

        return max(psutil.Process(each.pid).memory_info().rss for each in self.processes if each.poll() is None) / 1024**2


@contextmanager
def _crew(load: Load, command: Sequence[str], environment: dict[str, str], slack: LocalSlack) -> Iterator[Crew]:
    crew = Crew(load, command, environment)
    try:
        for number in range(load.processes):
            crew.start()
            slack.workspace.until(lambda wanted=number + 1: len(slack.delivery.sockets) >= wanted, START_PATIENCE)
        yield crew
    finally:
        for process in crew.processes:
            process.kill()
            process.wait()
