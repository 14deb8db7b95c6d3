"""The employer's calendar and each person's hours, as the rules of check-ins need them."""

from datetime import date
from functools import lru_cache
from zoneinfo import available_timezones

import holidays
from sqlmodel import Session, col, delete, select

from bot.domain.checkins import IsClosed, Reach
from bot.knowledge_base import KnowledgeBase
from storage.models import Person, Told

REMINDERS = ("all", "fewer", "off")
FEWER: frozenset[str] = frozenset({"soon", "ask"})  # the steps that somebody who wants fewer reminders still gets


@lru_cache(maxsize=64)
def _calendar(country: str, state: str | None) -> holidays.HolidayBase:
    return holidays.country_holidays(country, subdiv=state)


def is_holiday_at(kb: KnowledgeBase, site: str | None) -> IsClosed:
    """Public holidays where the site is; where it is not known, those of the employer's state."""
    known = kb.sites.get(site or "")
    calendar = _calendar(str(kb.employer["country"]), known.state if known else kb.employer.get("state"))

    def is_holiday(day: date) -> bool:
        return day in calendar

    return is_holiday


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_of(kb: KnowledgeBase, person: Person) -> str:
    return person.zone if person.zone in _zones() else str(kb.employer["zone"])  # type: ignore[return-value]


def reach_of(kb: KnowledgeBase, person: Person) -> Reach:
    """When this person may be written to."""
    return Reach(zone_of(kb, person), person.shift, person.id or 0)


def may_reach(person: Person) -> bool:
    """Works here, is not on leave, and has an account in Slack."""
    return person.status == "active" and person.on_slack and bool(person.slack_id)


def checkin_reminders_of(session: Session, person: Person) -> str:
    """all, fewer or off: as the person chose."""
    told = select(Told.value).where(Told.person_id == person.id, Told.kind == "checkin-reminders")
    return session.exec(told).first() or "all"


def set_checkin_reminders(session: Session, person: Person, value: str, now: object) -> None:
    session.exec(delete(Told).where(col(Told.person_id) == person.id, col(Told.kind) == "checkin-reminders"))
    row = {"workspace": person.workspace, "person_id": person.id, "kind": "checkin-reminders", "value": value, "at": now}
    session.add(Told(**row))
