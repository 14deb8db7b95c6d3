"""Is this process alive, and may it be given work? Each answer is a plain sentence."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.operations.faults import kind_of
from bot.operations.figures import figures
from storage.database import Sessions

ALIVE_WITHIN = timedelta(minutes=5)
INBOX_LAG_ALLOWED = timedelta(minutes=2)  # twice the lease of a process that died
OUTBOX_LAG_ALLOWED = timedelta(minutes=5)
ASK_SLACK_EVERY = timedelta(seconds=30)


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `says` is for the operator."""

    name: str
    ok: bool
    says: str


@dataclass(frozen=True)
class Watched:
    """What the probes look at.

    `accepting` is whether Slack reaches this process: None when that is not its part. `last_round` is the moment since which
    all jobs have been tried, `last_tick` since which all went well; None while one never did. `idle` is for how long not even
    a part of a job has come to its end. `works_jobs` is false for a process that has no jobs. `content_refused` names the folders
    whose changed content can't be used.
    `reach_slack` asks Slack something and raises when that fails; None when this process has no token of its own to ask with.
    """

    sessions: Sessions
    clock: Callable[[], datetime]
    started_at: datetime
    content_revisions: Callable[[], Sequence[str]]
    last_round: Callable[[], datetime | None]
    last_tick: Callable[[], datetime | None]
    accepting: Callable[[], bool | None]
    reach_slack: Callable[[], object] | None
    idle: Callable[[], timedelta] = lambda: timedelta.max
    works_jobs: bool = True
    content_refused: Callable[[], Sequence[str]] = lambda: ()


def alive(watched: Watched) -> Check:
    """Do the jobs go round, well or not? A database that fails does not make a process dead: a new one would fare no better.
    A queue of hours keeps a job from its end, but not its messages."""
    if not watched.works_jobs:
        return Check("jobs", True, "This process has no jobs of its own.")
    since = min(watched.idle(), watched.clock() - (watched.last_round() or watched.started_at))
    return Check("jobs", since <= ALIVE_WITHIN, f"The jobs last showed a sign of life {since.total_seconds():.0f} s ago.")


class Readiness:
    """All checks of /readyz. Slack is asked at most twice a minute, however often the probe comes."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._slack: tuple[datetime, Check] | None = None
        self._was_open = False

    def for_traffic(self) -> list[Check]:
        """May a balancer send it requests? Nothing that all processes share: when the database, Slack or the queues are in
        trouble, no process would be left. The door was open once: by then database and Slack had answered."""
        accepting = self._watched.accepting()
        self._was_open = self._was_open or accepting is not False
        says = (
            "The start is complete."
            if self._was_open
            else "The start is not complete: Slack does not reach this process yet."
        )
        return [Check("start", self._was_open, says), self._content()]

    def checks(self) -> list[Check]:
        return [*self._database_and_lags(), self._slack_check(), self._content()]

    def _database_and_lags(self) -> Iterator[Check]:
        now = self._watched.clock()
        try:
            with self._watched.sessions() as session:
                seen = figures(session, now)
        except Exception as error:
            yield Check("database", False, f"The database does not answer ({kind_of(error)}).")
            return
        yield Check("database", True, "The database answers.")
        yield _lag("inbox", "The oldest question waits to be worked on", seen.inbox_lag, INBOX_LAG_ALLOWED)
        waiting = max(seen.outbox_lag, seen.outbox_oldest_tried)
        yield _lag("outbox", "The oldest due message is not yet with Slack", waiting, OUTBOX_LAG_ALLOWED)

    def _slack_check(self) -> Check:
        if (accepting := self._watched.accepting()) is False:
            return Check("slack", False, "Slack does not reach this process now; it connects again by itself.")
        if self._watched.reach_slack is None:
            return Check(
                "slack", True, "Slack is asked by other processes." if accepting is None else "Slack reaches this process."
            )
        now = self._watched.clock()
        if self._slack is None or now - self._slack[0] >= ASK_SLACK_EVERY:
            self._slack = now, _ask_slack(self._watched.reach_slack, accepting)
        return self._slack[1]

    def _content(self) -> Check:
        revisions = ", ".join(self._watched.content_revisions())
        says = f"Content {revisions} is loaded." if revisions else "No content is loaded."
        for folder in self._watched.content_refused():  # no reason to keep employees waiting: what was there before answers
            says += f" What was changed in {folder} can't be used and is not: trellis content check."
        return Check("content", bool(revisions), says)


def _lag(name: str, what: str, seconds: float, allowed: timedelta) -> Check:
    if not seconds:
        return Check(name, True, "Nothing waits.")
    limit = allowed.total_seconds()
    return Check(name, seconds <= limit, f"{what} since {seconds:.0f} s (allowed: {limit:.0f} s).")


def _ask_slack(ask: Callable[[], object], accepting: bool | None) -> Check:
    try:
        ask()
    except Exception as error:
        return Check("slack", False, f"Slack does not take our token or can't be reached ({kind_of(error)}).")
    reached = "Slack answers" if accepting is None else "Slack answers and reaches this process"
    return Check("slack", True, f"{reached}.")
