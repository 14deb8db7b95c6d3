"""`trellis run`: what this process does again and again, how it survives bad minutes, and how it stops.

Every part may run in any number of processes at once; what they share is the database.
"""

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy.exc import OperationalError

from bot.app import (
    deliver,
    limits_of,
    listen_on,
    look_after,
    serve_web,
    tidy_up,
)
from bot.config import Settings
from bot.content_watch import ContentWatch, look_when_told, watches_of
from bot.jobs import Job, pause_after, where_from
from bot.operations.probes import Watched
from bot.operations.server import operations_app
from bot.operations.telemetry import start_traces
from bot.services.delivery import Clock
from bot.services.inbox import Desk, sweep
from bot.services.queues import mend_times
from bot.services.watching import since_last_act
from bot.slack.receiving import SocketReception, serve_events
from bot.version import VERSION
from bot.workspaces import (
    Employer,
    Workspaces,
    build_consoles,
    build_front,
    build_install_flow,
    open_workspaces,
)
from storage.database import empty_the_log, make_sessions, open_database

logger = logging.getLogger(__name__)

Made = TypeVar("Made")

PARTS = ("slack", "deliver", "checkins", "console")
START_PATIENCE = 120.0  # seconds in which database and Slack must become reachable at the start
STOP_PATIENCE = 8.0  # seconds for what is in hand when told to stop; container engines wait for 10
START_STOP_PATIENCE = 3.0  # seconds until a start that is told to stop is broken off, wherever it is
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass
class Running:
    """One process at work. Other parts may add jobs before `start`, and to `closing` what ends with the process.

    `accepting` tells whether Slack reaches this process: None when that is not this process's part.
    """

    clock: Clock
    jobs: list[Job] = field(default_factory=list)
    closing: list[Callable[[], object]] = field(default_factory=list)
    accepting: Callable[[], bool | None] = lambda: None
    doors: list[str] = field(default_factory=list)  # what is served where, for the log
    stopping: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def last_tick(self) -> datetime | None:
        """The moment since which every job has come to its end at least once; None while one never has."""
        return _all_since(job.done_at for job in self.jobs if job.every < timedelta(minutes=1))

    @property
    def last_round(self) -> datetime | None:
        """The moment since which every job has been tried; None while one never was. Old when a job hangs."""
        return _all_since(job.tried_at for job in self.jobs if job.every < timedelta(minutes=1))

    def start(self) -> None:
        """Each job in a thread of its own: a long queue of messages must not keep a question waiting."""
        for job in self.jobs:
            thread = threading.Thread(target=self._again_and_again, args=(job,), name=job.name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _again_and_again(self, job: Job) -> None:
        pause = 0.0
        while not self.stopping.wait(pause):
            pause = job.once(self.clock)

    def stop(self, patience: float = STOP_PATIENCE) -> bool:
        """Take nothing new, finish what is in hand. False when that took longer than `patience` seconds: what was not
        finished stands in the database, and the next process takes it up."""
        until = time.monotonic() + patience
        self.stopping.set()
        last = [threading.Thread(target=_quietly, args=(close,), daemon=True) for close in self.closing]
        for thread in last:
            thread.start()
        for thread in (*last, *self._threads):
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in (*last, *self._threads))


def _all_since(ends: Iterable[datetime | None]) -> datetime | None:
    known = list(ends)
    return min((end for end in known if end), default=None) if None not in known else None


def run(settings: Settings, parts: Collection[str] = PARTS, engine: str = "own") -> bool:
    """Serve until told to stop (SIGTERM, Ctrl-C). `engine` "procrastinate" rings for the shared jobs. False when something in hand could not be finished in time.

    Raises ContentError and WorkspacesFileError for what can't be trusted, NotReachable when database or Slack stay away at the start.
    """
    stopping, begun = threading.Event(), threading.Event()
    _stop_on_signals(stopping, begun)
    logger.info("Trellis %s starts: %s", VERSION, ", ".join(parts))
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until `look_when_told`: what is read now is new anyway
    stop_traces = start_traces()
    try:
        running = _begin(settings, parts, engine, stopping)
    finally:
        begun.set()
    if running is None:
        return True
    stopping.wait()
    logger.info("stopping: finishing what is in hand")
    finished = running.stop()
    stop_traces()
    logger.info("stopped" if finished else "stopped; what was in hand stands in the database")
    return finished


def _begin(settings: Settings, parts: Collection[str], engine: str, stopping: threading.Event) -> Running | None:
    """Everything at work; None when told to stop before the database could be reached."""
    workspaces = patiently(partial(open_workspaces, settings, stopping=stopping.is_set), "The database", stopping)
    if workspaces is None:
        return None
    watches = watches_of(settings, workspaces)
    running = assemble(settings, workspaces, parts, stopping, watches)
    running.jobs += [Job("content", watch.look, timedelta(minutes=1)) for watch in watches]
    look_when_told(watches)
    if engine == "procrastinate":
        patiently(partial(hand_over, running, settings.database_url), "The database", stopping)
    running.start()
    revisions = sorted({employer.desk.answering.kb.revision for employer in workspaces.employers})
    logger.info(
        "running: %s; content %s; %s", ", ".join(parts), ", ".join(revisions), "; ".join(running.doors) or "no ports"
    )
    return running


def assemble(
    settings: Settings,
    workspaces: Workspaces,
    parts: Collection[str],
    stopping: threading.Event,
    watches: Sequence[ContentWatch] = (),
) -> Running:
    """The jobs and servers of these parts; the servers are open when this returns, the jobs not yet begun."""
    desk = workspaces.employers[0].desk
    running = Running(desk.clock, stopping=stopping)
    if "slack" in parts:
        running.accepting = lambda: False  # until the door is open
    if settings.operations_port:
        _open_operations(settings, workspaces, parts, running, watches)
    if "slack" in parts:
        _receive(settings, workspaces, running)
    for employer in workspaces.employers:
        running.jobs += jobs_of(employer, parts)
    if "deliver" in parts:
        running.jobs.append(Job("clock", lambda: mend_times(desk.sessions, desk.clock()), timedelta(minutes=1)))
        running.jobs.append(Job("log", lambda: empty_the_log(desk.sessions), timedelta(minutes=1)))
    if workspaces.installations:  # another process may have heard that the app was installed or removed
        running.jobs.append(Job("installations", workspaces.installations.forget, timedelta(minutes=1)))
        running.jobs.append(Job("abandoned installations", workspaces.installations.tidy_up, timedelta(hours=1)))
    if "console" in parts and settings.slack_client_id:
        at = listen_on(settings.console_host, settings.console_port)
        running.doors.append(f"console at {settings.console_host}:{settings.console_port}")
        running.closing.append(serve_web(build_consoles(settings, workspaces), at, trusted_proxies=settings.trusted_proxies))
    return running


def hand_over(running: Running, url: str) -> None:
    """From now on Procrastinate rings for the jobs that processes share. Raises ImportError without the extra."""
    from bot.under_procrastinate import ring_for, set_up

    set_up(url)
    shared = [job for job in running.jobs if job.shared]
    running.jobs = [job for job in running.jobs if not job.shared]
    if shared:
        running.jobs.append(ring_for(shared, url, running.clock, running.stopping))


def jobs_of(employer: Employer, parts: Collection[str]) -> list[Job]:
    """What one workspace needs. Each has threads of its own: the long queue of one keeps no other waiting."""
    desk, name = employer.desk, f" of {employer.id}" if employer.id else ""

    def job(what: str, do: Callable[[Desk], object], every: timedelta = timedelta(seconds=1)) -> Job:
        return Job(what + name, lambda: do(desk) if employer.installed() else None, every, shared=True)

    jobs = [job("inbox", sweep), job("outbox", deliver)] if "deliver" in parts else []
    return jobs + ([job("checkins", look_after), job("daily", tidy_up, timedelta(days=1))] if "checkins" in parts else [])


def _receive(settings: Settings, workspaces: Workspaces, running: Running) -> None:
    """Let Slack reach this process. On the way out listeners finish after the door is shut."""
    front = patiently(partial(build_front, settings, workspaces), "Slack", running.stopping)
    if front is None:
        return
    if settings.slack_app_token:
        socket = SocketReception(front, settings.slack_app_token)
        patiently(socket.open, "Slack", running.stopping)
        running.accepting, close = (lambda: socket.connected), socket.close
        running.doors.append("Slack over Socket Mode")
    else:
        events = serve_events(front, settings.slack_signing_secret, build_install_flow(settings, workspaces))
        at = listen_on("0.0.0.0", settings.port)
        close = serve_web(events, at, "events", patience=3, trusted_proxies=settings.trusted_proxies)
        running.accepting = lambda: not running.stopping.is_set()
        running.doors.append(f"Slack's events at port {settings.port}")

    def shut_the_door() -> None:
        close()
        for listeners in front.executors:
            listeners.shutdown(wait=True)

    running.closing.append(shut_the_door)


def _open_operations(
    settings: Settings,
    workspaces: Workspaces,
    parts: Collection[str],
    running: Running,
    watches: Sequence[ContentWatch],
) -> None:
    """Probes and metrics. A port that is taken is told, and no reason to leave employees without answers."""
    host, port = settings.operations_host, settings.operations_port
    try:
        at = listen_on(host, port)
    except OSError as error:
        hint = "give each process on a machine its own OPERATIONS_PORT, or 0 for none"
        logger.warning("no probes and metrics: %s:%s can't be opened (%s); %s", host, port, error, hint)
        return
    limits = replace(limits_of(settings), pool=1, overflow=2, statement_seconds=10)
    client = WebClient(token=settings.slack_bot_token, base_url=settings.slack_api_url, timeout=5)
    watched = Watched(
        sessions=make_sessions(open_database(settings.database_url, read_only=True, limits=limits)),
        clock=running.clock,
        started_at=running.clock(),
        content_revisions=lambda: sorted({employer.desk.answering.kb.revision for employer in workspaces.employers}),
        last_round=lambda: running.last_round,
        last_tick=lambda: running.last_tick,
        idle=since_last_act,
        accepting=lambda: running.accepting(),
        reach_slack=client.auth_test if settings.slack_bot_token else None,
        works_jobs=bool({"deliver", "checkins"} & set(parts)),
        content_refused=lambda: [watch.refused for watch in watches if watch.refused],
    )
    running.closing.append(serve_web(operations_app(watched), at, "operations"))
    running.doors.append(f"probes at {host}:{port}")


class NotReachable(Exception):
    """Database or Slack could not be reached at the start."""


def patiently(do: Callable[[], Made], what: str, stopping: threading.Event) -> Made | None:
    """Do it as soon as database and network allow. None when told to stop meanwhile.

    Raises NotReachable after two minutes, and at once whatever waiting can't mend.
    """
    until, failures = time.monotonic() + START_PATIENCE, 0
    while not stopping.is_set():
        try:
            return do()
        except (OperationalError, OSError, SlackApiError) as error:
            if not may_pass(error):
                raise
            failures += 1
            pause = pause_after(failures)
            if time.monotonic() + pause > until:
                raise NotReachable(f"{what} can't be reached: {first_line(error)}") from error
            logger.warning("%s can't be reached yet: %s; again in %.0f s", what, first_line(error), pause)
            stopping.wait(pause)
    return None


def may_pass(error: Exception) -> bool:
    """Is it worth while to wait? Not for a wrong token, nor for a database file that can't be opened."""
    if isinstance(error, SlackApiError):
        return error.response.status_code in (429, 500, 502, 503, 504) or error.response.get("error") == "ratelimited"
    return not (isinstance(error, OperationalError) and "sqlite" in str(type(error.orig)))


def first_line(error: BaseException) -> str:
    """For errors of the start: no employee has written anything yet."""
    return (str(getattr(error, "orig", None) or error).strip() or type(error).__name__).splitlines()[0]


def _quietly(close: Callable[[], object]) -> None:
    try:
        close()
    except Exception as error:
        logger.warning("closing: %s", where_from(error))


def _stop_on_signals(stopping: threading.Event, begun: threading.Event) -> None:
    """The first signal asks to stop; a second one ends the process at once.

    Python calls our handler only between two steps of its own, and learning takes long ones: so a thread hears of the signal too.
    """

    def stop(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        stopping.set()

    hear, tell = socket.socketpair()
    tell.setblocking(False)
    signal.set_wakeup_fd(tell.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_heed, args=(hear, tell, stopping, begun), name="signals", daemon=True).start()
    for number in STOP_SIGNALS:
        signal.signal(number, stop)


def _heed(hear: socket.socket, _tell: socket.socket, stopping: threading.Event, begun: threading.Event) -> None:
    """A start that is waiting ends by itself; one that learns is broken off: nothing is in hand yet, and files are written
    whole or not at all. `_tell` is held so that it stays open."""
    while told := hear.recv(1):
        if told[0] in STOP_SIGNALS:
            stopping.set()
            if not begun.wait(START_STOP_PATIENCE):
                logger.warning("told to stop before the start was complete: stopped")
                os._exit(0)
