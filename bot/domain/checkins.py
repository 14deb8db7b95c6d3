"""Career check-ins: which day, when to remind whom, what two answers mean. Pure decisions; days are local, moments UTC."""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from pydantic import Field

from bot.domain.cards import Content
from bot.domain.programs import Weekday
from bot.domain.schedule import WEEKDAYS

ShiftName = Literal["days", "evenings", "nights", "rotating", "unknown"]
Step = Literal["prepare", "soon", "ask", "ask-again", "coach", "close"]
STEPS: tuple[Step, ...] = ("prepare", "soon", "ask", "ask-again", "coach", "close")
BEFORE: Set[Step] = {"prepare", "soon"}
MESSAGES: Set[Step] = {"prepare", "soon", "ask", "ask-again"}
Verdict = Literal["open", "held", "not-held", "disputed"]
IsClosed = Callable[[date], bool]

SEARCH = 60  # days: longer than any run of closed days
EARLIEST_HOUR = time(4)  # clocks change before it: later hours exist once on every day
LAST_MINUTES = 65  # nothing is planned for the end of somebody's hours: it would slip out of them when a process is busy
SPREAD_STEP = 7919  # a prime: neighbours in the roster get different minutes


class Hours(Content):
    starts: time
    ends: time


class Blackout(Content):
    """Days of every year, "MM-DD"; `ends` before `starts` runs over the year's end."""

    name: str
    starts: str = Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")
    ends: str = Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")

    def covers(self, day: date) -> bool:
        today = f"{day:%m-%d}"
        if self.starts <= self.ends:
            return self.starts <= today <= self.ends
        return today >= self.starts or today <= self.ends


class CheckinPolicy(Content):
    """content/policies/checkins.yaml, where each rule is explained."""

    cycle_months: int = Field(ge=1, le=6)
    first_after_days: int = Field(ge=0)
    most_per_manager_a_week: int = Field(ge=1)
    spread_weeks: int = Field(ge=1)
    plan_ahead_days: int = Field(ge=1)
    minutes: int = Field(ge=5, le=240)
    prepare_days_before: int = Field(ge=1)
    soon_days_before: int = Field(ge=1)
    ask_days_after: int = Field(ge=0)
    ask_again_days_after: int
    coach_days_after: int
    close_days_after: int
    promise_asked_after_days: int = Field(ge=1)
    too_late_after_days: int = Field(ge=1)
    digest_weekday: Weekday
    digest_people: int = Field(ge=1, le=15)
    snooze_days: int = Field(ge=1)
    most_snoozes: int = Field(ge=0)
    after_leave_days: int = Field(ge=0)
    gap_days: int = Field(ge=1)
    message_weekdays: tuple[Weekday, ...] = Field(min_length=1)
    message_hours: dict[ShiftName, Hours]
    slots: dict[ShiftName, tuple[time, ...]]
    blackouts: tuple[Blackout, ...] = ()
    topics: tuple[str, ...] = Field(min_length=1)
    skip_reasons: tuple[str, ...] = Field(min_length=1)


def problems_of(policy: CheckinPolicy) -> Iterator[tuple[str, str]]:
    """(place, sentence) for each rule that contradicts another."""
    if policy.prepare_days_before <= policy.soon_days_before:
        yield "prepare_days_before", "should be more than soon_days_before, so that the first reminder comes first"
    if policy.plan_ahead_days <= policy.prepare_days_before:
        yield "plan_ahead_days", "should be more than prepare_days_before, so that a day is set before the first reminder"
    after = [getattr(policy, f"{step}_days_after") for step in ("ask", "ask_again", "coach", "close")]
    if after != sorted(set(after)):
        yield "ask_days_after", "ask, ask_again, coach and close should follow each other, each some days after the last"
    longest = policy.spread_weeks * 7 + policy.gap_days + sum(map(_length, policy.blackouts))
    if policy.first_after_days + longest > policy.cycle_months * 30 or longest > policy.cycle_months * 30:
        yield (
            "spread_weeks",
            "spread, gap and blackouts together leave too little of the half-year: check-ins would run together",
        )
    for shift in ("days", "evenings", "nights", "rotating", "unknown"):
        hours = policy.message_hours.get(shift)  # type: ignore[call-overload]
        if hours is None:
            yield f"message_hours {shift}", "is missing"
        elif not EARLIEST_HOUR <= hours.starts < hours.ends:
            yield f"message_hours {shift}", "should start at 04:00 or later and end after its start, on the same day"
        elif _minutes(hours) < 2 * LAST_MINUTES:
            yield (
                f"message_hours {shift}",
                "should be two and a half hours or more, so that not everybody is written to at once",
            )
        if not policy.slots.get(shift):  # type: ignore[call-overload]
            yield f"slots {shift}", "should have at least one time"


def _length(blackout: Blackout) -> int:
    return sum(blackout.covers(date(2028, 1, 1) + timedelta(days=number)) for number in range(366))


# --- which day ---------------------------------------------------------------------------------------------------


def cycle_date(hired_on: date, cycle: int, policy: CheckinPolicy) -> date:
    """The day from which the check-in of a half-year of service may be: always counted from the hire date, so that
    the 31st does not drift to the 28th. The first half-year's comes after `first_after_days`."""
    if cycle == 0:
        return hired_on + timedelta(days=policy.first_after_days)
    return hired_on + relativedelta(months=policy.cycle_months * cycle)


def next_cycle(hired_on: date, since: date, policy: CheckinPolicy) -> int:
    """The first cycle whose date is `since` or later."""
    passed = relativedelta(since, hired_on)
    cycle = max(0, (passed.years * 12 + passed.months) // policy.cycle_months)
    while cycle_date(hired_on, cycle, policy) < since:
        cycle += 1
    return cycle


def plan_on(hired_on: date, cycle: int, policy: CheckinPolicy) -> date:
    """The day on which a check-in gets its day."""
    return cycle_date(hired_on, cycle, policy) - timedelta(days=policy.plan_ahead_days)


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def is_closed_for_checkins(day: date, is_holiday: IsClosed, policy: CheckinPolicy) -> bool:
    """Weekends, public holidays and the policy's blackout days."""
    return day.weekday() >= 5 or is_holiday(day) or any(blackout.covers(day) for blackout in policy.blackouts)


def place(earliest: date, taken: Mapping[date, int], is_holiday: IsClosed, policy: CheckinPolicy) -> date:
    """The check-in's day: in the first week from `earliest` in which the manager has room, else in the emptiest.

    `taken`: how many check-ins the manager has in the week of each Monday.
    """
    weeks: list[tuple[date, list[date]]] = []
    for number in range(SEARCH // 7 + policy.spread_weeks):
        start = monday(earliest) + timedelta(weeks=number)
        days = [start + timedelta(days=each) for each in range(5)]
        open_days = [day for day in days if day >= earliest and not is_closed_for_checkins(day, is_holiday, policy)]
        if open_days:
            weeks.append((start, open_days))
        if len(weeks) == policy.spread_weeks:
            break
    start, days = next(
        (week for week in weeks if taken.get(week[0], 0) < policy.most_per_manager_a_week),
        min(weeks, key=lambda week: taken.get(week[0], 0)),
    )
    return days[taken.get(start, 0) % len(days)] if start > earliest else days[0]


# --- when to write -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reach:
    """When somebody may be written to: their zone and shift, and a number that spreads people over the hours."""

    zone: str
    shift: str | None
    number: int = 0

    def hours(self, policy: CheckinPolicy) -> Hours:
        return policy.message_hours[self.shift or "unknown"]  # type: ignore[index]


def is_message_day(day: date, is_holiday: IsClosed, policy: CheckinPolicy) -> bool:
    return WEEKDAYS[day.weekday()] in policy.message_weekdays and not is_holiday(day)


def is_quiet(moment: datetime, reach: Reach, is_holiday: IsClosed, policy: CheckinPolicy) -> bool:
    """Would a message at this moment come on a day off or outside the hours of the shift?"""
    local, hours = moment.astimezone(ZoneInfo(reach.zone)), reach.hours(policy)
    in_hours = hours.starts <= local.time().replace(tzinfo=None) < hours.ends
    return not in_hours or not is_message_day(local.date(), is_holiday, policy)


def good_time(day: date, reach: Reach, is_holiday: IsClosed, policy: CheckinPolicy, *, earlier: bool = False) -> datetime:
    """A moment in the person's hours on `day`, or on the nearest later (or `earlier`) day on which messages go out."""
    for _ in range(SEARCH):
        if is_message_day(day, is_holiday, policy):
            break
        day += timedelta(days=-1 if earlier else 1)
    hours = reach.hours(policy)
    offset = reach.number * SPREAD_STEP % max(1, _minutes(hours) - LAST_MINUTES)
    local = datetime.combine(day, hours.starts, ZoneInfo(reach.zone)) + timedelta(minutes=offset)
    return local.astimezone(UTC)


def next_good_time(moment: datetime, reach: Reach, is_holiday: IsClosed, policy: CheckinPolicy) -> datetime:
    """`moment` itself when it is a good one, else the next that is."""
    if not is_quiet(moment, reach, is_holiday, policy):
        return moment
    day = moment.astimezone(ZoneInfo(reach.zone)).date()
    at = good_time(day, reach, is_holiday, policy)
    return at if at >= moment else good_time(day + timedelta(days=1), reach, is_holiday, policy)


def hours_end(moment: datetime, reach: Reach, policy: CheckinPolicy) -> datetime:
    """When the person's hours end on the day of `moment`."""
    local = moment.astimezone(ZoneInfo(reach.zone))
    return datetime.combine(local.date(), reach.hours(policy).ends, ZoneInfo(reach.zone)).astimezone(UTC)


def _minutes(hours: Hours) -> int:
    return (hours.ends.hour - hours.starts.hour) * 60 + hours.ends.minute - hours.starts.minute


def schedule(day: date, reach: Reach, is_holiday: IsClosed, policy: CheckinPolicy) -> list[tuple[Step, datetime]]:
    """Every step of a check-in on `day` with its moment, in order. Reminders before it never slip behind it."""
    days = {
        "prepare": -policy.prepare_days_before,
        "soon": -policy.soon_days_before,
        "ask": policy.ask_days_after,
        "ask-again": policy.ask_again_days_after,
        "coach": policy.coach_days_after,
        "close": policy.close_days_after,
    }
    return [
        (step, good_time(day + timedelta(days=days[step]), reach, is_holiday, policy, earlier=step in BEFORE))
        for step in STEPS
    ]


@dataclass(frozen=True)
class Due:
    """What to do now: at most one step, however long nobody looked; the older ones are `skipped`."""

    step: Step | None
    skipped: tuple[Step, ...]
    next_step: Step | None
    next_at: datetime | None


def due(steps: Sequence[tuple[Step, datetime]], done: Step | None, now: datetime, policy: CheckinPolicy) -> Due:
    """`done` is the last step that was taken (or skipped); None when there was none."""
    left = steps if done is None else steps[STEPS.index(done) + 1 :]
    passed = [(step, at) for step, at in left if at <= now]
    coming = next(((step, at) for step, at in left if at > now), (None, None))
    if not passed:
        return Due(None, (), *coming)
    (newest, at), older = passed[-1], tuple(step for step, _ in passed[:-1])
    if newest in MESSAGES and now - at > timedelta(days=policy.too_late_after_days):
        return Due(None, (*older, newest), *coming)
    return Due(newest, older, *coming)


def week_digest(after: datetime, reach: Reach, is_holiday: IsClosed, policy: CheckinPolicy) -> datetime:
    """The manager's next digest later than `after`: once a week, in their hours."""
    day = after.astimezone(ZoneInfo(reach.zone)).date()
    ahead = (WEEKDAYS.index(policy.digest_weekday) - day.weekday()) % 7
    at = good_time(day + timedelta(days=ahead), reach, is_holiday, policy)
    return at if at > after else good_time(day + timedelta(days=ahead or 7), reach, is_holiday, policy)


# --- booking -----------------------------------------------------------------------------------------------------


def free_slots(
    around: date,
    earliest: date,
    reach: Reach,
    workdays: Set[str] | None,
    busy: Set[datetime],
    is_holiday: IsClosed,
    policy: CheckinPolicy,
    count: int = 6,
) -> list[datetime]:
    """Times to choose from near `around`, in the employee's shift, on days they work, when neither side has another
    check-in (`busy`: their starts). `workdays`: weekdays on which a shift starts, where known."""
    found: list[datetime] = []
    day = max(earliest, around - timedelta(days=3))
    for _ in range(SEARCH):
        if not is_closed_for_checkins(day, is_holiday, policy):
            for at in policy.slots[reach.shift or "unknown"]:  # type: ignore[index]
                moment = datetime.combine(day, at, ZoneInfo(reach.zone)).astimezone(UTC)
                if _at_work(day, at, reach.shift, workdays) and not _clashes(moment, busy, policy):
                    found.append(moment)
        if len(found) >= count:
            break
        day += timedelta(days=1)
    return found[:count]


def _at_work(day: date, at: time, shift: str | None, workdays: Set[str] | None) -> bool:
    """The end of a night shift belongs to the day before."""
    shift_day = day - timedelta(days=1) if shift == "nights" and at < time(12) else day
    return workdays is None or WEEKDAYS[shift_day.weekday()] in workdays


def _clashes(moment: datetime, busy: Set[datetime], policy: CheckinPolicy) -> bool:
    return any(abs(moment - other) < timedelta(minutes=policy.minutes) for other in busy)


# --- what the answers mean ---------------------------------------------------------------------------------------


def verdict(employee: str, manager: str) -> Verdict:
    """Held only when both say so. Each is "yes", "no" or "" (has not said)."""
    if not employee or not manager:
        return "open"
    if employee != manager:
        return "disputed"
    return "held" if employee == "yes" else "not-held"


def after_leave(back_on: date, planned_on: date, policy: CheckinPolicy) -> date:
    """A check-in that waited through a leave: its own day when that is still far enough away."""
    return max(planned_on, back_on + timedelta(days=policy.after_leave_days))
