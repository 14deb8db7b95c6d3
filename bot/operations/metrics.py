"""Metrics for Prometheus, read from the database when they are asked for: right after a restart, the same in every process.

Labels come from closed lists; no label ever holds a name, an address or a word that somebody wrote.
"""

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlmodel import Session, col, func, select

from bot.operations.figures import Figures, figures
from bot.operations.probes import Watched
from bot.version import VERSION
from storage.models import Exchange, OutboxItem

OUTCOMES = ("answer", "clarify", "abstain", "handoff")
BUCKETS = (0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
SETTLED_AFTER = timedelta(minutes=2)  # no transaction is open for so long


@dataclass
class Seen:
    """Counts that only ever go up, as Prometheus wants them."""

    answers: dict[str, int] = field(default_factory=lambda: dict.fromkeys(OUTCOMES, 0))
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0

    def add(self, outcome: str, took: float | None) -> None:
        """An answer, and the seconds from Slack's message to the reply in Slack; None when it is not there."""
        if outcome in self.answers:
            self.answers[outcome] += 1
        if took is not None:
            self.buckets[bisect_left(BUCKETS, took)] += 1
            self.seconds += took

    def copy(self) -> "Seen":
        return Seen(dict(self.answers), list(self.buckets), self.seconds)


class Answers:
    """Counts answers since this process began to look, each once, in whatever process it was given.

    Rows may be committed in another order than their ids, and a reply's time is known later than its row. So rows are
    counted for good only when they are two minutes old and their reply has got its end; newer ones are counted anew each time.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._settled = Seen()
        self._upto: int | None = None  # rows up to this id are in `_settled`
        self._next: tuple[datetime, int] = (clock(), 0)  # the largest id at that moment

    def count(self, session: Session) -> Seen:
        with self._lock:
            now, largest = self._clock(), session.exec(select(func.max(OutboxItem.id))).one() or 0
            if self._upto is None:
                self._upto, self._next = largest, (now, largest)
            if now - self._next[0] >= SETTLED_AFTER:
                self._settle(session, self._next[1])
                self._next = now, largest
            return self._added(session, self._settled.copy(), self._upto, largest)

    def _settle(self, session: Session, upto: int) -> None:
        unsent = select(func.min(OutboxItem.id)).where(
            col(OutboxItem.due_at).is_not(None), col(OutboxItem.exchange_id).is_not(None), col(OutboxItem.id) > self._upto
        )
        first_open = session.exec(unsent).one()
        upto = min(upto, first_open - 1) if first_open else upto
        self._settled, self._upto = self._added(session, self._settled, self._upto or 0, upto), upto

    @staticmethod
    def _added(session: Session, seen: Seen, above: int, upto: int) -> Seen:
        replies = (
            select(Exchange.outcome, Exchange.asked_at, OutboxItem.sent_at)
            .join(OutboxItem, col(OutboxItem.exchange_id) == Exchange.id)
            .where(col(OutboxItem.id) > above, col(OutboxItem.id) <= upto)
        )
        for outcome, asked_at, sent_at in session.exec(replies):
            seen.add(outcome, max(0.0, (sent_at - asked_at).total_seconds()) if sent_at else None)
        return seen


class TrellisCollector(Collector):
    """A scrape is one transaction. While the database is away, only `trellis_database_up 0` and what needs none is told."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self._answers = Answers(watched.clock)

    def describe(self) -> Iterable[Metric]:
        """Nothing: else the registry would ask the database at the start."""
        return []

    def collect(self) -> Iterator[Metric]:
        build = GaugeMetricFamily("trellis_build_info", "The version that runs; always 1", labels=["version"])
        build.add_metric([VERSION], 1)
        yield build
        content = GaugeMetricFamily("trellis_content", "The content that is loaded; always 1", labels=["revision"])
        for revision in self._watched.content_revisions():
            content.add_metric([revision], 1)
        yield content
        refused = len(self._watched.content_refused())
        yield _gauge(
            "trellis_content_refused", "Folders whose changed content can't be used; what was there answers", refused
        )
        if self._watched.works_jobs:
            tick = self._watched.last_tick() or self._watched.started_at  # a job that never went well must show as well
            words = "Since when all jobs of this process went well at least once; until then its start"
            yield _gauge("trellis_last_tick_timestamp_seconds", words, tick.timestamp())
        try:
            with self._watched.sessions() as session:
                seen, now = self._answers.count(session), figures(session, self._watched.clock())
        except Exception:
            yield _gauge("trellis_database_up", "1 when the database answered this scrape", 0)
            return
        yield _gauge("trellis_database_up", "1 when the database answered this scrape", 1)
        yield from _of_answers(seen)
        yield from _of_queues(now)


def _of_answers(seen: Seen) -> Iterator[Metric]:
    answers = CounterMetricFamily("trellis_answers", "Replies by outcome, in all processes", labels=["outcome"])
    for outcome, number in seen.answers.items():
        answers.add_metric([outcome], number)
    yield answers
    below, buckets = 0, []
    for bound, number in zip((*map(str, map(float, BUCKETS)), "+Inf"), seen.buckets, strict=True):
        below += number
        buckets.append((bound, below))
    yield HistogramMetricFamily(
        "trellis_reply_seconds", "From the message's arrival to its reply in Slack", buckets=buckets, sum_value=seen.seconds
    )


def _of_queues(now: Figures) -> Iterator[Metric]:
    yield _gauge("trellis_inbox_open", "Messages of employees that are not yet worked on", now.inbox_open)
    yield _gauge("trellis_inbox_lag_seconds", "Age of the oldest message that nobody is at work on", now.inbox_lag)
    yield _labelled("trellis_outbox_open", "Messages that are not yet with Slack", "state", now.outbox_open)
    yield _gauge("trellis_outbox_lag_seconds", "How long the oldest due message has been due", now.outbox_lag)
    yield _gauge("trellis_outbox_tried", "Messages that were tried and are still not out, or in doubt", now.outbox_tried)
    yield _gauge("trellis_outbox_oldest_tried_seconds", "Age of the oldest of them", now.outbox_oldest_tried)
    yield _labelled("trellis_outbox_failed", "Messages that Slack will never take, by cause", "cause", now.outbox_failed)
    yield _labelled("trellis_handoffs_open", "Employees who asked for a person", "state", now.handoffs_open)
    longest = "How long the employee has waited who asked first and has no coach yet"
    yield _gauge("trellis_handoff_longest_wait_seconds", longest, now.handoff_longest_wait)


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value=value)


def _labelled(name: str, help_text: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family


def registry_of(collector: TrellisCollector) -> CollectorRegistry:
    """Trellis, and the process: memory, CPU, open files, Python."""
    registry = CollectorRegistry()
    registry.register(collector)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry
