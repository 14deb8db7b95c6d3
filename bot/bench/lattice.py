"""How fast routes are found in a large lattice, and next roles for everybody on a large roster."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import insert
from sqlmodel import Session

from bot.domain.cards import Text
from bot.domain.lattice import Lattice
from bot.domain.role_mentions import RolesAsked
from bot.domain.roles import Step
from bot.services.answering import employee_of
from bot.services.people import person_by_slack_id
from bot.services.replying import Answering
from storage.database import Sessions
from storage.models import Person

WORKSPACE, SEED, CHUNK = "T0BENCH", 11, 5000
LAYERS = 20  # of the made-up lattice: careers go forward, now and then sideways
SMALL_ROSTER = 1000
SAMPLE = 1000  # answers timed on each roster
TODAY = date(2026, 11, 23)


@dataclass(frozen=True)
class Spread:
    """Milliseconds over `count` calls."""

    what: str
    count: int
    median: float
    p99: float
    slowest: float


def spread(what: str, seconds: list[float]) -> Spread:
    ordered = sorted(1000 * each for each in seconds)
    return Spread(what, len(ordered), ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)], ordered[-1])


def made_up_steps(roles: int, steps: int, rng: random.Random) -> list[Step]:
    """A lattice in layers: every role has a way on, most steps lead one or two layers up, no two are between the same."""
    width, text = roles // LAYERS, Text(en="made up", es="inventado")
    pairs: dict[tuple[int, int], None] = {}
    for role in range(roles - width):
        pairs[role, role + width] = None
    while len(pairs) < steps:
        role = rng.randrange(roles)
        layer = min(LAYERS - 1, role // width + rng.choice((0, 1, 1, 1, 2)))
        other = layer * width + rng.randrange(width)
        if other != role:
            pairs[role, other] = None
    return [_step(start, goal, rng, text, up=goal // width > start // width) for start, goal in pairs]


def _step(start: int, goal: int, rng: random.Random, text: Text, *, up: bool) -> Step:
    return Step.model_validate(
        {
            "from": f"role-{start}",
            "to": f"role-{goal}",
            "kind": "up" if up else "sideways",
            "months": rng.randint(1, 36),
            "closes": text,
            "first_action": text,
            "cost": rng.choice((0, 0, 400, 1200)),
            "earn_while_learning": rng.random() < 0.4,
            "source": "made up",
            "confidence": "low",
        }
    )


def routes(roles: int, steps: int, queries: int) -> list[Spread]:
    """Routes between any two roles, freely and within a wish; and the first look at what a role leads to."""
    rng = random.Random(SEED)
    made = made_up_steps(roles, steps, rng)
    lattice = Lattice(made, {f"role-{number}": 15 + number / 20 for number in range(roles)})
    pairs = [(f"role-{rng.randrange(roles)}", f"role-{rng.randrange(roles)}") for _ in range(queries)]
    likely = [(one, two) if int(one[5:]) < int(two[5:]) else (two, one) for one, two in pairs]  # mostly upwards
    free = [_timed(lambda pair=pair: lattice.routes(*pair)) for pair in likely]
    paid = [_timed(lambda pair=pair: lattice.routes(*pair, lambda step: step.cost == 0)) for pair in likely]
    onward = [_timed(lambda start=start: lattice.next_steps(start)) for start, _ in pairs]
    return [
        spread(f"routes, {roles:,} roles and {len(made):,} steps", free),
        spread("routes that cost nothing", paid),
        spread("next steps from a role", onward),
    ]


def next_roles(answering: Answering, sessions: Sessions, employees: int, say: Callable[[str], None]) -> list[Spread]:
    """The answer as it is given: person and what they told from the database, then the whole page in words. Timed on a
    small roster and on the full one; then once for everybody."""
    rng, found = random.Random(SEED), []
    for size, start in ((SMALL_ROSTER, 0), (employees, SMALL_ROSTER)):
        with sessions() as session:
            for rows in _people(answering, start, size, rng):
                session.execute(insert(Person), rows)
            session.commit()
        asking = [f"U{rng.randrange(size)}" for _ in range(SAMPLE)]
        with sessions() as session:
            seconds = [_timed(lambda who=who: _answer(answering, session, who)) for who in asking]
        found.append(spread(f"next roles, one of {size:,} people", seconds))
        say(f"{size:,} people on the roster")
    everybody = []
    with sessions() as session:
        for number in range(employees):
            everybody.append(_timed(lambda who=f"U{number}": _answer(answering, session, who)))
            if number % CHUNK == 0:
                session.expire_all()
                session.expunge_all()
    tenth = max(1, employees // 10)
    return [
        *found,
        spread("next roles, everybody", everybody),
        spread("  the first tenth of them", everybody[:tenth]),
        spread("  the last tenth", everybody[-tenth:]),
    ]


def _answer(answering: Answering, session: Session, slack_id: str) -> None:
    person = person_by_slack_id(session, WORKSPACE, slack_id)
    if person is None:
        raise LookupError(f"{slack_id} is not on the roster")
    page = answering.work_out("pathways/next-roles", RolesAsked(), employee_of(person, session), "en", TODAY)
    if page is None or "*1. " not in page.text:
        raise AssertionError(f"no next role for {slack_id}")


def _people(answering: Answering, start: int, end: int, rng: random.Random) -> Iterator[list[dict[str, object]]]:
    """Rows of made-up people, some thousands at a time."""
    roles, now = sorted(answering.kb.roles), datetime(2026, 11, 23, tzinfo=UTC)
    for first in range(start, end, CHUNK):
        yield [
            {
                "workspace": WORKSPACE,
                "employee_id": str(number),
                "slack_id": f"U{number}",
                "email": f"p{number}@bench.example",
                "first_name": f"P{number}",
                "last_name": "",
                "role": rng.choice(roles),
                "site": rng.choice(["main", "west", "south"]),
                "hours_per_week": rng.choice([16.0, 24.0, 36.0, 40.0]),
                "shift": rng.choice(["days", "evenings", "nights"]),
                "hired_on": TODAY - timedelta(days=rng.randrange(5000)),
                "manager_id": None,
                "created_at": now,
                "updated_at": now,
            }
            for number in range(first, min(end, first + CHUNK))
        ]


def _timed(do: Callable[[], object]) -> float:
    begun = time.perf_counter()
    do()
    return time.perf_counter() - begun
