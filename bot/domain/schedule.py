"""Does a class fit a shift? Session days and hours of a cohort against the employee's pattern, date by date."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal

from bot.domain.cards import Content
from bot.domain.people import Employee
from bot.domain.programs import Cohort, Session, Weekday

WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKEND = frozenset({"sat", "sun"})
EVENING = time(16, 0)
NOON = time(12, 0)


class ShiftTimes(Content):
    start: time
    end: time  # before `start`: the next morning


class Shifts(Content):
    """content/shifts.yaml."""

    long_shift_hours: tuple[float, ...]  # weekly hours that are worked in 12-hour shifts
    long: dict[Literal["days", "evenings", "nights"], ShiftTimes]
    short: dict[Literal["days", "evenings", "nights"], ShiftTimes]
    travel_minutes: int


@dataclass(frozen=True)
class Pattern:
    """`workdays` are the weekdays on which a shift starts; None: not known, so it may be any. With `weekend_from`,
    Saturday and Sunday are worked every other week, counted from that day."""

    times: ShiftTimes
    workdays: frozenset[str] | None
    weekend_from: date | None
    travel: timedelta

    def works_on(self, day: date) -> bool | None:
        """Does a shift start on `day`? None when that is not known."""
        weekday = WEEKDAYS[day.weekday()]
        if weekday in WEEKEND and self.weekend_from is not None:
            return (_monday(day) - _monday(self.weekend_from)).days // 7 % 2 == 0
        return None if self.workdays is None else weekday in self.workdays


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def pattern_of(shifts: Shifts, employee: Employee) -> Pattern | None:
    """The usual hours of someone's shift; None when the roster names none, or when it rotates."""
    if employee.shift in (None, "rotating") or employee.hours_per_week is None:
        return None
    table = shifts.long if employee.hours_per_week in shifts.long_shift_hours else shifts.short
    times = table[employee.shift]  # type: ignore[index]
    return Pattern(times, employee.workdays, employee.weekend_from, timedelta(minutes=shifts.travel_minutes))


FitKind = Literal["own-time", "fits", "clashes", "depends", "unknown"]


@dataclass(frozen=True)
class Fit:
    """`own-time`: no set hours · `fits`: never at the same time as a shift · `clashes`: on `dates` · `depends`: on days
    that are not known, so shifts that start on `weekdays` would need a swap · `unknown`: the shift is not known."""

    kind: FitKind
    weekdays: tuple[Weekday, ...] = ()  # on which the shifts in the way start
    dates: tuple[date, ...] = ()  # of the class


@lru_cache(maxsize=8192)  # many people share a pattern, and a course of a year has a hundred classes
def fit(cohort: Cohort, pattern: Pattern | None) -> Fit:
    if not cohort.sessions:
        return Fit("own-time")
    if pattern is None:
        return Fit("unknown")
    clashing = [
        (day, shift_day) for day, session in dates_of(cohort) for shift_day in _shifts_in_the_way(day, session, pattern)
    ]
    certain = [(day, shift) for day, shift in clashing if pattern.works_on(shift)]
    maybe = [(day, shift) for day, shift in clashing if pattern.works_on(shift) is None]
    for kind, found in (("clashes", certain), ("depends", maybe)):
        if found:
            weekdays = sorted({shift.weekday() for _, shift in found})
            days = tuple(dict.fromkeys(day for day, _ in found))
            return Fit(kind, tuple(WEEKDAYS[number] for number in weekdays), days)  # type: ignore[arg-type]
    return Fit("fits")


def dates_of(cohort: Cohort) -> Iterator[tuple[date, Session]]:
    """Each class of the cohort in order of date."""
    on_day = [[each for each in cohort.sessions if each.day == weekday] for weekday in WEEKDAYS]
    for number in range((cohort.ends - cohort.starts).days + 1):
        day = cohort.starts + timedelta(days=number)
        yield from ((day, session) for session in on_day[day.weekday()])


def _shifts_in_the_way(day: date, session: Session, pattern: Pattern) -> Iterator[date]:
    """The days on which a shift starts that is at the same time as this class, travel included."""
    begins = datetime.combine(day, session.start) - pattern.travel
    ends = datetime.combine(day, session.end) + pattern.travel
    for shift_day in (day - timedelta(days=1), day):
        start = datetime.combine(shift_day, pattern.times.start)
        over_midnight = pattern.times.end <= pattern.times.start
        end = datetime.combine(shift_day + timedelta(days=over_midnight), pattern.times.end)
        if start < ends and begins < end:
            yield shift_day


def is_in_hours(cohort: Cohort, hours: Literal["evenings", "mornings", "weekends", "online"]) -> bool:
    """Are all classes of the cohort in these hours? A course without set hours fits any."""
    if hours == "weekends":
        return all(session.day in WEEKEND for session in cohort.sessions)
    if hours == "evenings":
        return all(session.start >= EVENING and session.day not in WEEKEND for session in cohort.sessions)
    if hours == "mornings":
        return all(session.start < NOON and session.end <= time(14, 0) for session in cohort.sessions)
    return not cohort.sessions
