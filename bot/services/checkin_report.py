"""Do the check-ins take place? By unit, site, manager, hours and shift; small groups stay hidden, by subtraction too."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TextIO

from dateutil.relativedelta import relativedelta
from sqlalchemy import case, func
from sqlmodel import Session, col, select

from bot.domain.people import Employee
from bot.domain.small_groups import EVERYBODY, Group, Sizes, visible
from bot.domain.spreadsheets import cell
from bot.knowledge_base import KnowledgeBase
from bot.services.stepping_in import policy_of
from storage.models import Checkin, Person

KINDS = ("site", "unit", "manager", "hours", "shift")
WANTED = 2  # check-ins in twelve months
PAGE = 5000


@dataclass
class Figures:
    """Of people who have been here for a year: how many had two check-ins or more in it; and of what was due, held."""

    people: int = 0
    with_two: int = 0
    due: int = 0
    held: int = 0

    @property
    def share(self) -> float:
        return self.with_two / self.people if self.people else 0.0

    @property
    def held_share(self) -> float:
        return self.held / self.due if self.due else 0.0


@dataclass(frozen=True)
class Report:
    """`groups`: (kind, name, figures), the figures None where they stay hidden. `without`: people who can't be planned."""

    day: date
    headline: Figures | None
    groups: tuple[tuple[str, str, Figures | None], ...]
    smallest: int
    without_manager: int
    without_hire_date: int
    new: int  # here for less than a year: not counted
    states: Counter[str] = field(default_factory=Counter)


def report(session: Session, kb: KnowledgeBase, workspace: str, now: datetime) -> Report:
    """One pass over the people, page by page."""
    day = now.date()
    since, smallest = day - relativedelta(months=12), policy_of(kb).smallest_group
    sizes, figures = Sizes(), defaultdict[Group, Figures](Figures)
    gaps: Counter[str] = Counter()
    managers = dict(_managers(session, workspace))
    for person, due, held in _people(session, workspace, since, day):
        if person.manager_id is None:
            gaps["manager"] += 1
        if person.hired_on is None:
            gaps["hire date"] += 1
        elif person.hired_on > since:
            gaps["new"] += 1
        else:
            groups = _groups_of(kb, person, managers)
            sizes.add(groups)
            for group in (EVERYBODY, *groups.items()):
                one = figures[group]
                one.people, one.due, one.held = one.people + 1, one.due + due, one.held + held
                one.with_two += held >= WANTED
    shown = visible(sizes, smallest)
    order = sorted(set(figures) - {EVERYBODY}, key=lambda group: (KINDS.index(group[0]), group[1]))
    return Report(
        day,
        figures[EVERYBODY] if EVERYBODY in shown else None,
        tuple((*group, figures[group] if group in shown else None) for group in order),
        smallest,
        gaps["manager"],
        gaps["hire date"],
        gaps["new"],
        _states(session, workspace, since, day) if EVERYBODY in shown else Counter(),
    )


def _people(session: Session, workspace: str, since: date, day: date) -> Iterable[tuple[Person, int, int]]:
    """(person, check-ins due in the last twelve months, of them held), of everybody who works here."""
    is_held = case((col(Checkin.state) == "held", 1), else_=0)
    counts = (
        select(Checkin.person_id, func.count().label("due"), func.sum(is_held).label("held"))
        .where(Checkin.workspace == workspace, col(Checkin.planned_on) > since, col(Checkin.planned_on) <= day)
        .where(col(Checkin.state).in_(("planned", "booked", "held", "missed", "disputed")))
        .group_by(col(Checkin.person_id))
        .subquery()
    )
    last = 0
    while True:
        page = select(Person, func.coalesce(counts.c.due, 0), func.coalesce(counts.c.held, 0))
        page = page.outerjoin(counts, counts.c.person_id == Person.id)
        page = page.where(Person.workspace == workspace, Person.status != "terminated", col(Person.id) > last)
        found = session.exec(page.order_by(col(Person.id)).limit(PAGE)).all()
        yield from found
        if len(found) < PAGE:
            return
        last = found[-1][0].id or 0
        session.expunge_all()


def _managers(session: Session, workspace: str) -> Iterable[tuple[int, str]]:
    """Everybody who manages somebody, by name. Two of the same name keep their employee ids beside it."""
    ids = select(Person.manager_id).where(Person.workspace == workspace, col(Person.manager_id).is_not(None)).distinct()
    people = session.exec(select(Person).where(col(Person.id).in_(ids))).all()
    names = Counter(f"{each.first_name} {each.last_name}".strip() for each in people)
    for each in people:
        name = f"{each.first_name} {each.last_name}".strip()
        yield each.id or 0, name if names[name] == 1 else f"{name} ({each.employee_id})"


def _groups_of(kb: KnowledgeBase, person: Person, managers: dict[int, str]) -> dict[str, str]:
    site = kb.sites.get(person.site or "")
    found = {
        "site": site.name if site else person.site or "",
        "unit": person.unit,
        "manager": managers.get(person.manager_id or 0, ""),
        "hours": Employee(hours_per_week=person.hours_per_week).hours_band or "",
        "shift": person.shift or "",
    }
    return {kind: name or "not known" for kind, name in found.items()}


def _states(session: Session, workspace: str, since: date, day: date) -> Counter[str]:
    counts = select(Checkin.state, func.count()).where(
        Checkin.workspace == workspace, col(Checkin.planned_on) > since, col(Checkin.planned_on) <= day
    )
    return Counter(dict(session.exec(counts.group_by(col(Checkin.state))).all()))


def as_lines(found: Report) -> list[str]:
    """The report to read on a screen."""
    if found.headline is None:
        return [f"Fewer than {found.smallest} people have been here for a year: there is nothing to show yet."]
    head = found.headline
    lines = [
        f"Career check-ins, twelve months until {found.day}",
        "",
        f"At least two in twelve months: {head.share:.0%} ({head.with_two} of {head.people} people)",
        f"Held of those that were due:   {head.held_share:.0%} ({head.held} of {head.due})",
        "",
    ]
    lines += [f"{'':34}{'people':>8}{'two or more':>13}{'held of due':>13}"]
    kind = ""
    for group, name, figures in found.groups:
        if group != kind:
            lines.append(group.capitalize())
            kind = group
        shown = f"{figures.people:>8}{figures.share:>13.0%}{figures.held_share:>13.0%}" if figures else f"{'hidden':>8}"
        lines.append(f"  {name[:31]:32}{shown}")
    lines += [
        "",
        f"Groups of fewer than {found.smallest} people are hidden, and others from which they could be worked out.",
    ]
    lines.append(
        f"Not counted: {found.new} here for less than a year. Without check-ins: {found.without_manager} people without "
        f"a manager, {found.without_hire_date} without a hire date on the roster."
    )
    return lines


def write_csv(found: Report, file: TextIO) -> None:
    """A spreadsheet's file; hidden figures stay empty. A cell never starts a formula."""
    lines = csv.writer(file)
    lines.writerow(["kind", "name", "people", "two or more", "share", "due", "held"])
    for kind, name, figures in (("all", "", found.headline), *found.groups):
        row = (
            [figures.people, figures.with_two, f"{figures.share:.3f}", figures.due, figures.held] if figures else ["hidden"]
        )
        lines.writerow([kind, cell(name), *row])
