"""How long does planning take beside very many employees? It should grow with who is due, not with who is there."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import text

from bot.knowledge_base import KnowledgeBase
from bot.services.checkins import plan, send_due
from storage.database import Sessions

DAY = datetime(2027, 3, 10, 12, 0, tzinfo=UTC)
STAFF_OF_ONE_MANAGER = 20
# Everybody's next check-in is planned on the right day, so that today is a day like any other.
PEOPLE = """
INSERT INTO person (workspace, employee_id, first_name, last_name, job_title, unit, hours_per_week, shift, zone, hired_on,
    manager_id, access, status, on_slack, created_at, updated_at, site)
SELECT 'T0BENCH', 'E' || number, 'Person', '', '', '', 40, (ARRAY['days','evenings','nights'])[1 + number % 3],
    'America/Chicago', date '2005-01-01' + (number::bigint * 7919 % 7900)::int, NULL, '', 'active', true, :now, :now, 'main'
FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS number
"""
MANAGERS = """
UPDATE person SET manager_id = (SELECT min(id) FROM person) + (id - (SELECT min(id) FROM person)) / :staff
WHERE workspace = 'T0BENCH'
"""
DUE = """
UPDATE person SET plan_checkin_on = due.day FROM (
    SELECT id, min(day)::date AS day FROM (
        SELECT id, hired_on + make_interval(months => 6 * half) - make_interval(days => :ahead) AS day
        FROM person, generate_series(1, 52) AS half WHERE workspace = 'T0BENCH'
    ) AS days WHERE day >= :today GROUP BY id
) AS due WHERE due.id = person.id
"""


@dataclass(frozen=True)
class Planned:
    people: int
    due: int
    seconds: float
    nothing_due: float  # seconds of looking again
    nothing_to_send: float


def measure(sessions: Sessions, kb: KnowledgeBase, people: int) -> Planned:
    """A day's planning in an empty PostgreSQL database that is filled first."""
    with sessions() as session:
        if session.connection().dialect.name != "postgresql":
            raise ValueError("Planning is measured on PostgreSQL: give --database postgresql+psycopg://…")
        if session.connection().execute(text("SELECT 1 FROM person LIMIT 1")).first():
            raise ValueError("This database has people in it already; give an empty one.")
        for first in range(1, people + 1, 100_000):
            last = min(people, first + 99_999)
            session.connection().execute(text(PEOPLE), {"now": DAY, "first": first, "last": last})
        session.connection().execute(text(MANAGERS), {"staff": STAFF_OF_ONE_MANAGER})
        session.connection().execute(text(DUE), {"ahead": kb.checkins.plan_ahead_days, "today": DAY.date()})
        session.commit()
        session.connection().execute(text("ANALYZE person"))
        session.commit()
    began = time.perf_counter()
    due = plan(sessions, kb, DAY)
    planned = time.perf_counter()
    plan(sessions, kb, DAY)
    looked = time.perf_counter()
    send_due(sessions, kb, Nobody(), lambda what: {}, DAY)
    return Planned(people, due, planned - began, looked - planned, time.perf_counter() - looked)


class Nobody:
    """A Slack without accounts: nobody is due to be written to."""

    def account_of(self, email: str) -> None:
        return None

    def resting_until(self, slack_ids: object, now: datetime) -> dict[str, datetime]:
        return {}
