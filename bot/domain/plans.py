"""A goal as steps with dates: what to do first, applying, supports, classes, exams, the jobs on the way."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from bot.domain.programs import Cohort, Program
from bot.domain.roles import Step
from bot.domain.schedule import dates_of

StepKind = Literal["first-action", "support", "apply", "class", "exam", "rung"]
FIRST_ACTION = timedelta(days=7)
SUPPORT_BEFORE_CLASS = timedelta(days=21)
EXAM_AFTER_CLASS = timedelta(days=30)
REMIND_BEFORE = timedelta(days=3)
SNOOZE = timedelta(days=14)
ASK_ABOUT_SUPPORT_AFTER = timedelta(days=10)
MOST_SUPPORTS = 2
# When people are awake and not at work yet, by shift; local time.
GOOD_HOUR = {"days": time(16, 30), "evenings": time(11, 0), "nights": time(17, 0)}
DEFAULT_HOUR = time(16, 30)

NOT_FOR_ME = ("time", "money", "family", "school", "other-goal", "other")
STAGES = ("interested", "waiting", "applied", "accepted", "enrolled", "completed", "placed", "withdrawn")


@dataclass(frozen=True)
class Planned:
    """One step to come. `ref` is "from>to" for a first action or a rung, a program and its group ("mapp:mapp-2027-day"),
    a support or a credential."""

    kind: StepKind
    ref: str
    due: date


def plan_for_route(
    steps: Sequence[Step],
    groups: Mapping[str, tuple[Program, Cohort]],
    supports: Mapping[str, Sequence[str]],
    held: frozenset[str],
    today: date,
) -> list[Planned]:
    """The first rung in full, the later ones as jobs to reach. `groups`: the group chosen for each program of the first
    rung; `supports`: what goes with each program."""
    first = steps[0]
    planned = [Planned("first-action", f"{first.from_}>{first.to}", today + FIRST_ACTION)]
    tests = [credential for credential in first.credentials if credential not in held]
    for name in first.programs:
        if name in groups:
            planned += list(_program_steps(*groups[name], supports.get(name, ()), tests, today))
    ready = max(max(each.due for each in planned), today + relativedelta(months=first.months))
    for step in steps:
        ready = ready if step is first else ready + relativedelta(months=step.months)
        planned.append(Planned("rung", f"{step.from_}>{step.to}", ready))
    return in_order(planned)


def plan_for_program(
    program: Program, group: tuple[Program, Cohort] | None, supports: Sequence[str], tests: Sequence[str], today: date
) -> list[Planned]:
    """A program as the goal, with the credentials still to be tested for. Without an open group one asks for the next."""
    first = Planned("first-action", program.slug, today + FIRST_ACTION)
    if group is None:
        return [first]
    return in_order([first, *_program_steps(*group, supports, tests, today)])


def _program_steps(
    program: Program, cohort: Cohort, supports: Sequence[str], tests: Sequence[str], today: date
) -> Iterator[Planned]:
    group = f"{program.slug}:{cohort.id}"
    yield Planned("apply", group, max(cohort.apply_by, today))
    for support in supports[:MOST_SUPPORTS]:
        yield Planned("support", support, max(cohort.starts - SUPPORT_BEFORE_CLASS, today + FIRST_ACTION))
    yield Planned("class", group, next((day for day, _ in dates_of(cohort)), cohort.starts))
    for credential in program.credentials:
        if credential in tests:
            yield Planned("exam", credential, cohort.ends + EXAM_AFTER_CLASS)


def in_order(planned: Sequence[Planned]) -> list[Planned]:
    """By date; the first thing to do stays first, nothing stands twice."""
    unique = {(each.kind, each.ref): each for each in reversed(planned)}
    kept = [each for each in planned if unique.get((each.kind, each.ref)) is each]
    return sorted(kept, key=lambda each: (each.kind != "first-action", each.due))


def remind_at(due: date, shift: str | None, zone: str, now: datetime) -> datetime | None:
    """Three days before, at an hour when people of this shift are up and off work; None when that is past."""
    at = datetime.combine(due - REMIND_BEFORE, GOOD_HOUR.get(shift or "", DEFAULT_HOUR), ZoneInfo(zone))
    return at if at > now else None


def at_good_hour(day: date, shift: str | None, zone: str) -> datetime:
    """An hour of `day` at which people of this shift are up and off work."""
    return datetime.combine(day, GOOD_HOUR.get(shift or "", DEFAULT_HOUR), ZoneInfo(zone))


def months_between(earlier: date, later: date) -> int:
    passed = relativedelta(later, earlier)
    return passed.years * 12 + passed.months
