"""How the answer's time grows: with the number of cards, of people, of conversations. Each size measured in one run.

`answers`: a question from the inbox to the outbox, one after the other, without Slack. `cards`: the matcher's ranking alone,
with made-up labels and weights of the real shape, since nobody has written 20,000 cards.
"""

import itertools
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from sqlalchemy import Engine, text

from bot.console.charts import draw_chart
from bot.domain.matching import Matcher, Packed
from bot.services import queues
from bot.services.dashboards import Chart
from bot.services.delivery import Found, Outcome, Sent
from bot.services.inbox import Desk, work_through
from storage.models import OutboxItem

WORKSPACE = "T0GROWTH"
ASKED = 200  # questions at each size
AT_ONCE = 1_000_000  # rows made in one transaction
LONG_AGO = timedelta(days=60)

# Rows made by the database itself: a million take seconds.
PEOPLE = """
INSERT INTO person (workspace, employee_id, slack_id, first_name, last_name, job_title, unit, hours_per_week, shift, site,
    access, status, on_slack, created_at, updated_at)
SELECT :workspace, 'E' || number, 'U' || number, 'Person', '', '', '', 36, 'days', 'main', '', 'active', true, :now, :now
FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS number
"""
CONVERSATIONS = """
INSERT INTO conversation (workspace, person_id, channel, thread_ts, started_at, last_at, language, dialogue)
SELECT :workspace, owner.id, 'D' || owner.place, 'old' || number, :then, :then, 'en', CAST('{}' AS json)
FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS number
JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM person) AS owner
    ON owner.place = 1 + number % CAST(:people AS int)
"""
EXCHANGES = """
INSERT INTO exchange (workspace, conversation_id, person_id, inbox_key, asked_at, question, question_ts, language, outcome, cards,
    confidence, reply_text, reply_blocks, reply_ts, content_revision)
SELECT workspace, id, person_id, 'old' || id, :then, 'how much does tuition help pay', '1.0', 'en', 'answer',
    CAST('["tuition/amount"]' AS json), 0.9, 'It pays up to an amount a year.', CAST('[]' AS json), '1.1', 'bench'
FROM conversation WHERE id > :last
"""


@dataclass(frozen=True)
class Size:
    """Milliseconds a question (or a ranking) beside `count` of `what`; `megabytes` of what is held in memory for it."""

    what: str
    count: int
    median: float
    p99: float
    megabytes: float = 0.0


def grow_people(engine: Engine, desk: Desk, questions: Sequence[str], sizes: Sequence[int]) -> list[Size]:
    """Ever more people on the roster of an empty PostgreSQL database."""
    found, there, now = [], 0, desk.clock()
    for size in sizes:
        _add(engine, PEOPLE, workspace=WORKSPACE, now=now, first=there + 1, last=size)
        there = size
        found.append(_asked("people", size, desk, questions, there))
    return found


def grow_conversations(
    engine: Engine, desk: Desk, questions: Sequence[str], sizes: Sequence[int], people: int
) -> list[Size]:
    """Ever more finished conversations of the same people, one exchange each. After `grow_people`."""
    found, there, then = [], 0, desk.clock() - LONG_AGO
    for size in sizes:
        for first in range(there + 1, size + 1, AT_ONCE):
            with engine.connect() as connection:
                last = connection.execute(text("SELECT coalesce(max(id), 0) FROM conversation")).scalar_one()
            to = min(size, first + AT_ONCE - 1)
            _add(engine, CONVERSATIONS, workspace=WORKSPACE, then=then, people=people, first=first, last=to)
            _add(engine, EXCHANGES, then=then, last=last)
        there = size
        found.append(_asked("conversations", size, desk, questions, people))
    return found


def grow_cards(matcher: Matcher, questions: Sequence[str], sizes: Sequence[int]) -> list[Size]:
    """Ever more labels, with as many examples a label as the real content has. Learning is not part of it."""
    found, learnt = [], matcher.learnt
    for size in sizes:
        copies = -(-size // len(learnt.labels))
        columns = np.tile(np.arange(len(learnt.labels)), copies)[:size]
        label_of = np.concatenate([learnt.label_of + len(learnt.labels) * copy for copy in range(copies)])
        kept = label_of < size
        grown = replace(
            learnt,
            labels=tuple(learnt.labels[column] for column in columns),
            word_weights=learnt.word_weights[:, columns],
            word_shifts=learnt.word_shifts[columns],
            meaning_weights=np.ascontiguousarray(learnt.meaning_weights[:, columns]),
            meaning_shifts=learnt.meaning_shifts[columns],
            texts=tuple(text for text, here in zip(learnt.texts * copies, kept, strict=True) if here),
            label_of=label_of[kept],
            vectors=Packed(np.tile(learnt.vectors.numbers, (copies, 1))[kept], np.tile(learnt.vectors.scales, copies)[kept]),
        )
        took = _timed(Matcher(grown, matcher.encoders, matcher.reader).rank, questions[:ASKED])
        parts = {**vars(grown), **vars(grown.vectors)}.values()
        held = sum(each.nbytes for each in parts if isinstance(each, np.ndarray)) / 1024**2
        found.append(Size("cards", size, float(np.median(took)), float(np.percentile(took, 99)), held))
    return found


def _asked(what: str, count: int, desk: Desk, questions: Sequence[str], people: int) -> Size:
    chance, numbers = random.Random(count), itertools.count(len(what) * 10**6)

    def ask(question: str) -> None:
        person, ts = chance.randint(1, people), f"{count}.{next(numbers)}"
        channel = f"D{person}"
        body = {"user": f"U{person}", "channel": channel, "ts": ts, "thread_ts": "", "text": question}
        kept = queues.receive(desk.sessions, WORKSPACE, f"{channel}:{ts}", f"{channel}:", "message", body, desk.clock())
        work_through(desk, kept)

    ask("hello")
    took = _timed(ask, questions[:ASKED])
    return Size(what, count, float(np.median(took)), float(np.percentile(took, 99)))


def _timed(ask: Callable[[str], object], questions: Sequence[str]) -> list[float]:
    took = []
    for question in questions:
        begun = time.perf_counter()
        ask(question)
        took.append(1000 * (time.perf_counter() - begun))
    return took


def _add(engine: Engine, rows: str, **values: object) -> None:
    with engine.begin() as connection:
        connection.execute(text(rows), values)
    with engine.connect() as connection:  # the planner must know how large its tables are now
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))


def draw_page(found: Sequence[Size]) -> str:
    """One page: a chart and a table for each thing that grows."""
    parts = []
    for what in dict.fromkeys(each.what for each in found):
        sizes = [each for each in found if each.what == what]
        rows = tuple((f"{each.count:,} {what}", (float(round(each.median)),)) for each in sizes)
        chart = draw_chart(
            Chart(what, f"Milliseconds a question beside ever more {what}", "", "ranking", ("median",), rows, " ms")
        )
        cells = "".join(
            f"<tr><td>{each.count:,}<td>{each.median:.1f}<td>{each.p99:.1f}<td>{each.megabytes:.0f}" for each in sizes
        )
        parts.append(
            f"<h2>{what.capitalize()}</h2>{chart}<table><tr><th>{what}<th>median ms<th>p99 ms<th>MB held{cells}</table>"
        )
    style = "body{font:16px sans-serif;max-width:48rem;margin:2rem auto}rect{fill:#2a6f6f}td,th{padding:.2rem 1rem;text-align:right}"
    title = "Trellis: how the answer's time grows"
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{style}</style><h1>{title}</h1>{"".join(parts)}'


class NoSlack:
    """Takes every message at once: what is measured ends where Slack begins."""

    def __init__(self) -> None:
        self._posted = 0

    def post(self, item: OutboxItem) -> Outcome:
        self._posted += 1
        return Sent(item.channel, f"{self._posted}.0")

    def find(self, item: OutboxItem) -> Found:
        return "absent"
