"""How fast the console's inbox is beside very many conversations: whole pages, through the app, signed in as a coach."""

import asyncio
import json
import random
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI
from itsdangerous import TimestampSigner
from sqlalchemy import Engine, insert, text
from sqlmodel import Session, SQLModel, select

from bot.domain.attention import LEVELS, Sign
from storage.models import Attention, CoachMessage, Conversation, Exchange, Handoff, Label, Person

WORKSPACE, SEED, CHUNK = "T0BENCH", 7, 5000
PEOPLE, COACH = 4000, 1
RUNS = 20
PAGES = {
    "inbox, first page": "/inbox",
    "waiting for a person": "/inbox?reason=waiting",
    "thumbs down, in Spanish": "/inbox?reason=thumbs-down&language=es",
    "one site and topic": "/inbox?site=west&topic=tuition",
    "unassigned": "/inbox?whose=unassigned",
    "one label": "/inbox?label=transport",
    "between two dates": "/inbox?since={since}&until={until}",
    "everything, latest first": "/inbox?reason=everything",
    "search, a frequent word": "/inbox?words=tuition",
    "search, a rare word": "/inbox?words=zamboni",
    "counts alone": "/inbox/counts",
}
QUESTIONS = [
    ("how much does tuition help pay for a class", "tuition/amount"),
    ("is there a bus to the night class", "supports/transportation"),
    ("what can I do after my job now", "pathways/next-roles"),
    ("who watches my children while I study", "supports/child-care"),
    ("phlebotomist pay and hours", "roles/phlebotomist"),
    ("cuánto dinero hay para estudiar", "tuition/amount"),
    ("cómo llego a ser enfermera", "pathways/path-to"),
]
# How the conversations stand, in shares of all; the rest needs nobody.
STANDS = [("danger", 0.0002), ("waiting", 0.002), ("reply-due", 0.001), ("with-coach", 0.003)]
STANDS += [("thumbs-down", 0.04), ("abstained", 0.06), ("unsure", 0.08)]


@dataclass(frozen=True)
class Timing:
    """Milliseconds for one whole page: the first time, then the middle and the slowest of RUNS more."""

    page: str
    first: float
    middle: float
    slowest: float
    rows: int


def fill(engine: Engine, conversations: int, now: datetime, tell: Callable[[str], None]) -> None:
    """An employer with this many conversations of the last two years. Raises ValueError when the database is in use."""
    with Session(engine) as session:
        if session.exec(select(Person.id)).first() is not None:
            raise ValueError("This database has people in it; the measurement needs an empty one.")
    chance = random.Random(SEED)
    with engine.begin() as connection:
        for table, rows in _tables(chance, conversations, now):
            for chunk in _chunks(rows):
                connection.execute(insert(table), chunk)
            tell(f"{table.__tablename__} filled")
        if engine.dialect.name == "postgresql":
            _count_on(connection)
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))


def measure(console: FastAPI, secret: str, cookie: str, now: datetime) -> list[Timing]:
    """Every page of PAGES, as a signed-in coach gets it."""
    return asyncio.run(_measure(console, _signed_in(secret, now), cookie, now))


async def _measure(console: FastAPI, signed_in: str, cookie: str, now: datetime) -> list[Timing]:
    days = {"since": (now - timedelta(days=90)).date(), "until": (now - timedelta(days=60)).date()}
    transport = httpx.ASGITransport(app=console)
    timings = []
    async with httpx.AsyncClient(transport=transport, base_url="http://bench", cookies={cookie: signed_in}) as client:
        for name, address in PAGES.items():
            took, page = [], ""
            for _ in range(RUNS + 1):
                start = time.perf_counter()
                answer = await client.get(address.format(**days))
                took.append(1000 * (time.perf_counter() - start))
                answer.raise_for_status()
                page = answer.text
            again = sorted(took[1:])
            timings.append(Timing(name, took[0], again[len(again) // 2], again[-1], page.count('class="entry ')))
    return timings


def _signed_in(secret: str, now: datetime) -> str:
    """A session cookie as the console itself makes it."""
    session = {"person": COACH, "since": now.timestamp(), "seen": now.timestamp(), "csrf": "bench"}
    return TimestampSigner(secret).sign(b64encode(json.dumps(session).encode())).decode()


# --- rows --------------------------------------------------------------------------------------------------------

Row = dict[str, Any]


def _tables(chance: random.Random, conversations: int, now: datetime) -> Iterator[tuple[Any, Iterator[Row]]]:
    """Parents before children."""
    coach = _person(COACH, chance, now) | {"access": "coach", "email": "coach@bench.example"}
    yield Person, iter([coach, *(_person(number, chance, now) for number in range(2, PEOPLE + 2))])
    started = [now - timedelta(minutes=chance.randrange(730 * 24 * 60)) for _ in range(conversations)]
    started.sort()
    owners = [chance.randrange(2, PEOPLE + 2) for _ in range(conversations)]
    asked = [chance.choice(QUESTIONS) for _ in range(conversations)]
    languages = ["es" if words[0].startswith("c") else "en" for words in asked]
    stands = chance.choices(
        [*(reason for reason, _ in STANDS), ""],
        [*(share for _, share in STANDS), 1 - sum(share for _, share in STANDS)],
        k=conversations,
    )
    numbers = range(conversations)
    yield (
        Conversation,
        (
            _of(i, owners) | {"id": i + 1, "channel": f"D{owners[i]}", "thread_ts": "", "started_at": started[i]}
            | {"last_at": started[i], "language": languages[i], "dialogue": {}}
            for i in numbers
        ),
    )  # fmt: skip
    yield Exchange, (_exchange(i, owners, started, asked, languages, stands, chance) for i in numbers)
    yield (
        Attention,
        (_of(i, owners) | _attention(i, started, asked, languages, stands, chance) for i in numbers),
    )
    handed = [i for i in numbers if stands[i] in ("danger", "waiting", "reply-due", "with-coach")]
    yield (
        Handoff,
        (
            _of(i, owners) | {"conversation_id": i + 1, "exchange_id": i + 1, "reason": "asked", "asked_at": started[i]}
            | {"urgent": stands[i] == "danger", "state": "waiting" if stands[i] in ("danger", "waiting") else "claimed"}
            for i in handed
        ),
    )  # fmt: skip
    yield (
        CoachMessage,
        (
            _of(i, owners) | {"conversation_id": i + 1, "at": started[i], "text": "thank you", "slack_ts": ""}
            for i in handed
            if stands[i] == "reply-due"
        ),
    )
    yield (
        Label,
        (
            {"workspace": WORKSPACE, "name": chance.choice(["transport", "math", "mornings"]), "person_id": person}
            | {"added_by": COACH, "at": now}
            for person in range(2, PEOPLE, 9)
        ),
    )


def _of(i: int, owners: list[int]) -> Row:
    return {"workspace": WORKSPACE, "person_id": owners[i]}


def _person(number: int, chance: random.Random, now: datetime) -> Row:
    site = chance.choice(["main", "west", "south"])
    row = {"id": number, "workspace": WORKSPACE, "employee_id": str(number), "first_name": f"First{number}"}
    row |= {"last_name": f"Last{number}", "site": site, "access": "", "status": "active", "email": f"{number}@bench.example"}
    return row | {"on_slack": True, "job_title": "", "unit": "", "created_at": now, "updated_at": now}


def _exchange(
    i: int,
    owners: list[int],
    started: list[datetime],
    asked: list[tuple[str, str]],
    languages: list[str],
    stands: list[str],
    chance: random.Random,
) -> Row:
    words, card = asked[i]
    words += " zamboni" if i % 20_011 == 0 else f" {chance.randrange(10_000)}"
    outcome = {"abstained": "abstain", "waiting": "handoff"}.get(stands[i], "answer")
    reply = "An answer of some length, as they are: what there is, for whom, how much, and whom to call. " * 4
    row = _of(i, owners) | {"id": i + 1, "conversation_id": i + 1, "inbox_key": f"bench:{i}", "asked_at": started[i]}
    row |= {"question": words, "question_ts": str(i), "language": languages[i], "outcome": outcome, "cards": [card]}
    return row | {"confidence": 0.9, "reply_text": reply, "reply_blocks": [], "reply_ts": "", "content_revision": "bench"}


def _attention(
    i: int,
    started: list[datetime],
    asked: list[tuple[str, str]],
    languages: list[str],
    stands: list[str],
    chance: random.Random,
) -> Row:
    sign = Sign(stands[i], started[i])
    row = {"conversation_id": i + 1, "reason": sign.reason, "level": LEVELS[sign.reason], "turn": sign.turn}
    row |= {"since": started[i], "last_at": started[i], "language": languages[i], "topic": asked[i][1].split("/")[0]}
    return row | {
        "site": chance.choice(["main", "west", "south"]),
        "assigned_to": COACH if chance.random() < 0.01 else None,
        "snoozed_until": None,
    }


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _count_on(connection: Any) -> None:
    """Rows were given ids: PostgreSQL's own counters must go on behind them."""
    for table in SQLModel.metadata.sorted_tables:
        if "id" in table.c and table.c.id.autoincrement:
            connection.execute(
                text(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), "
                    f"GREATEST(1, (SELECT COALESCE(MAX(id), 1) FROM {table.name})))"
                )
            )


def moment() -> datetime:
    return datetime.now(UTC)
