"""Which day a check-in is on, and when anybody is written to: true for every hire date, zone, shift and clock change."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.checkins import (
    MESSAGES,
    STEPS,
    Blackout,
    Reach,
    after_leave,
    cycle_date,
    due,
    free_slots,
    good_time,
    is_closed_for_checkins,
    is_quiet,
    monday,
    next_cycle,
    next_good_time,
    place,
    problems_of,
    schedule,
    verdict,
    week_digest,
)
from bot.knowledge_base import load

POLICY = load(Path("content")).checkins
ILLINOIS = holidays.country_holidays("US", subdiv="IL")
ZONES = [
    "America/Chicago", "America/New_York", "America/Phoenix", "America/Anchorage", "Pacific/Honolulu", "America/Santiago",
    "Europe/Berlin", "Europe/London", "Africa/Casablanca", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia",
    "Pacific/Chatham", "America/St_Johns",
]  # fmt: skip
SHIFTS = ["days", "evenings", "nights", "rotating", None]
DAYS = st.dates(date(2024, 1, 1), date(2033, 12, 31))
MOMENTS = st.integers(0, 9 * 366 * 24 * 60).map(
    lambda minutes: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
HIRED = st.one_of(
    st.dates(date(1985, 1, 1), date(2030, 12, 31)),
    st.sampled_from([date(2024, 2, 29), date(2020, 2, 29), date(2023, 8, 31), date(2022, 12, 31), date(2021, 10, 30)]),
)
REACHES = st.builds(Reach, st.sampled_from(ZONES), st.sampled_from(SHIFTS), st.integers(0, 10**7))


def is_holiday(day):
    return day in ILLINOIS


@given(HIRED, st.integers(0, 60))
def test_two_check_ins_belong_to_every_year_of_service(hired, year):
    """Somebody's first year starts on the day they were hired; one day is a year's first, whatever leap days do."""
    dates = [cycle_date(hired, cycle, POLICY) for cycle in range(2 * year + 3)]
    starts, ends = cycle_date(hired, 2 * year, POLICY) if year else hired, cycle_date(hired, 2 * year + 2, POLICY)
    assert sum(starts <= day < ends for day in dates) == 2


@given(HIRED, st.integers(1, 80))
def test_dates_are_counted_from_the_hire_date_and_never_drift(hired, cycle):
    day = cycle_date(hired, cycle, POLICY)
    assert day.day == hired.day or (day + timedelta(days=1)).day == 1, "the same day of the month, or the month's last"
    assert (day.year - hired.year) * 12 + day.month - hired.month == 6 * cycle


def test_the_31st_and_the_29th_of_february_keep_both_check_ins():
    assert [cycle_date(date(2023, 8, 31), n, POLICY) for n in (1, 2, 3)] == [
        date(2024, 2, 29), date(2024, 8, 31), date(2025, 2, 28),
    ]  # fmt: skip
    assert [cycle_date(date(2024, 2, 29), n, POLICY) for n in (1, 2, 8)] == [
        date(2024, 8, 29), date(2025, 2, 28), date(2028, 2, 29),
    ]  # fmt: skip


@given(HIRED)
def test_nobody_has_a_check_in_before_ninety_days(hired):
    assert min(cycle_date(hired, n, POLICY) for n in range(4)) == hired + timedelta(days=90)


@given(HIRED, DAYS)
def test_the_next_cycle_is_the_first_that_is_not_past(hired, since):
    cycle = next_cycle(hired, since, POLICY)
    assert cycle_date(hired, cycle, POLICY) >= since
    assert cycle == 0 or cycle_date(hired, cycle - 1, POLICY) < since


@given(DAYS, st.dictionaries(st.integers(0, 8), st.integers(0, 9)))
def test_a_check_in_is_on_an_open_day_in_a_week_with_room_and_not_earlier(earliest, load_by_week):
    taken = {monday(earliest) + timedelta(weeks=number): count for number, count in load_by_week.items()}
    day = place(earliest, taken, is_holiday, POLICY)
    assert day >= earliest
    assert not is_closed_for_checkins(day, is_holiday, POLICY)
    weeks = [monday(earliest) + timedelta(weeks=number) for number in range(1, POLICY.spread_weeks - 2)]
    if taken.get(monday(day), 0) >= POLICY.most_per_manager_a_week:
        assert min(taken.get(week, 0) for week in weeks) >= POLICY.most_per_manager_a_week or all(
            is_closed_for_checkins(week + timedelta(days=each), is_holiday, POLICY) for week in weeks for each in range(5)
        ), "a full week is taken only when the others are full or closed"


@given(HIRED, st.lists(st.integers(0, 7), min_size=8, max_size=8))
@settings(max_examples=60)
def test_check_ins_of_one_person_never_run_together_however_busy_the_manager_is(hired, busy):
    """Each of four years' check-ins lands before the next one's date, gap included."""
    previous = None
    for cycle in range(8):
        earliest = cycle_date(hired, cycle, POLICY)
        taken = {monday(earliest) + timedelta(weeks=n): busy[n] for n in range(8)}
        day = place(earliest, taken, is_holiday, POLICY)
        assert day < cycle_date(hired, cycle + 1, POLICY)
        assert previous is None or (day - previous).days >= POLICY.gap_days
        previous = day


@given(st.lists(HIRED, min_size=30, max_size=60), st.integers(2025, 2030))
@settings(max_examples=25, deadline=None)
def test_a_manager_has_few_a_week_whoever_was_hired_on_the_same_day(hired, year):
    taken: Counter[date] = Counter()
    for each in hired:
        cycle = next_cycle(each, date(year, 1, 1), POLICY)
        day = place(cycle_date(each, cycle, POLICY), taken, is_holiday, POLICY)
        taken[monday(day)] += 1
    room = POLICY.most_per_manager_a_week * POLICY.spread_weeks
    if len(hired) <= room:
        assert max(taken.values()) <= POLICY.most_per_manager_a_week


def test_twenty_people_hired_on_one_day_are_spread_over_five_weeks():
    taken: Counter[date] = Counter()
    for _ in range(20):
        taken[monday(place(date(2027, 3, 1), taken, is_holiday, POLICY))] += 1
    assert sorted(taken.values()) == [4, 4, 4, 4, 4]


@given(DAYS, REACHES, st.booleans())
def test_messages_only_come_in_the_hours_of_the_shift(day, reach, earlier):
    assert not is_quiet(good_time(day, reach, is_holiday, POLICY, earlier=earlier), reach, is_holiday, POLICY)


@given(MOMENTS, REACHES)
def test_a_message_that_is_due_at_night_waits_for_a_good_hour_and_never_goes_back(moment, reach):
    at = next_good_time(moment, reach, is_holiday, POLICY)
    assert at >= moment
    assert not is_quiet(at, reach, is_holiday, POLICY)


@given(DAYS, REACHES)
@settings(max_examples=300)
def test_the_steps_of_a_check_in_come_in_order_and_never_in_quiet_hours(day, reach):
    steps = schedule(day, reach, is_holiday, POLICY)
    moments = [at for _, at in steps]
    assert moments == sorted(moments)
    assert len(set(moments)) == len(moments), "no two reminders at once"
    assert all(not is_quiet(at, reach, is_holiday, POLICY) for step, at in steps if step in MESSAGES)
    local = {step: at.astimezone(ZoneInfo(reach.zone)).date() for step, at in steps}
    assert local["soon"] < day < local["ask"]


@pytest.mark.parametrize("zone", ZONES)
def test_local_hours_stay_the_same_when_the_clocks_change(zone):
    reach = Reach(zone, "days", 3)
    hours = {
        good_time(date(2027, 1, 1) + timedelta(days=n), reach, lambda day: False, POLICY)
        .astimezone(ZoneInfo(zone))
        .strftime("%H:%M")
        for n in range(365)
    }
    assert len(hours) == 1


def test_somebody_on_nights_is_written_to_before_the_shift_not_at_noon():
    noon = datetime(2027, 3, 3, 18, 0, tzinfo=UTC)
    reach = Reach("America/Chicago", "nights")
    assert is_quiet(noon, reach, is_holiday, POLICY)
    assert 17 <= next_good_time(noon, reach, is_holiday, POLICY).astimezone(ZoneInfo("America/Chicago")).hour < 21


@given(DAYS, REACHES, st.lists(st.timedeltas(timedelta(minutes=1), timedelta(days=25)), min_size=1, max_size=40))
def test_however_often_and_late_somebody_looks_each_step_comes_once_and_in_order(day, reach, pauses):
    steps = schedule(day, reach, is_holiday, POLICY)
    now, done, seen = steps[0][1] - timedelta(days=1), None, []
    for pause in pauses:
        now += pause
        found = due(steps, done, now, POLICY)
        taken = [*found.skipped, *([found.step] if found.step else [])]
        if found.step in MESSAGES:
            assert now - dict(steps)[found.step] <= timedelta(days=POLICY.too_late_after_days)
        seen += taken
        done = taken[-1] if taken else done
        assert due(steps, done, now - timedelta(hours=1), POLICY).step is None, "a clock set back an hour repeats nothing"
    assert seen == list(STEPS)[: len(seen)]


def test_after_an_outage_only_the_newest_reminder_goes_out():
    reach = Reach("America/Chicago", "days")
    steps = schedule(date(2027, 3, 10), reach, is_holiday, POLICY)
    found = due(steps, None, dict(steps)["ask"] + timedelta(hours=2), POLICY)
    assert (found.step, found.skipped) == ("ask", ("prepare", "soon"))
    found = due(steps, None, dict(steps)["soon"] - timedelta(days=5), POLICY)
    assert (found.step, found.skipped, found.next_step) == (None, ("prepare",), "soon")


@given(MOMENTS, REACHES)
def test_a_manager_gets_one_digest_a_week(after, reach):
    first = week_digest(after, reach, is_holiday, POLICY)
    second = week_digest(first, reach, is_holiday, POLICY)
    assert after < first
    assert not is_quiet(first, reach, is_holiday, POLICY)
    assert timedelta(days=4) < second - first < timedelta(days=11), "a holiday may move it"


@given(DAYS, REACHES, st.sampled_from([None, frozenset({"mon", "wed"}), frozenset({"sat", "thu"})]))
def test_suggested_times_are_at_work_on_open_days_and_free(day, reach, workdays):
    first = free_slots(day, day - timedelta(days=30), reach, workdays, frozenset(), is_holiday, POLICY)
    assert len(first) == 6
    again = free_slots(day, day - timedelta(days=30), reach, workdays, frozenset(first[:2]), is_holiday, POLICY)
    assert not set(first[:2]) & set(again)
    for moment in first:
        local = moment.astimezone(ZoneInfo(reach.zone))
        assert not is_closed_for_checkins(local.date(), is_holiday, POLICY)
        assert local.time() in POLICY.slots[reach.shift or "unknown"]


@given(HIRED, DAYS, st.integers(1, 400))
def test_after_a_leave_the_check_in_is_not_before_two_weeks_back(hired, planned, away):
    back = planned + timedelta(days=away)
    assert after_leave(back, planned, POLICY) == back + timedelta(days=14)
    assert after_leave(planned - timedelta(days=60), planned, POLICY) == planned, "back early: the day stays"


def test_a_check_in_counts_only_when_both_say_so():
    answers = {(one, other): verdict(one, other) for one in ("yes", "no", "") for other in ("yes", "no", "")}
    assert [pair for pair, result in answers.items() if result == "held"] == [("yes", "yes")]
    assert [pair for pair, result in answers.items() if result == "disputed"] == [("yes", "no"), ("no", "yes")]


def test_a_blackout_may_run_over_the_end_of_the_year():
    blackout = Blackout(name="Year end", starts="12-20", ends="01-03")
    assert [blackout.covers(date(2027, month, day)) for month, day in ((12, 19), (12, 20), (1, 3), (1, 4))] == [
        False, True, True, False,
    ]  # fmt: skip


def test_rules_that_contradict_each_other_are_told_as_sentences():
    assert list(problems_of(POLICY)) == []
    broken = POLICY.model_copy(
        update={"prepare_days_before": 1, "spread_weeks": 26, "close_days_after": 2, "message_hours": {}, "slots": {}}
    )
    told = [f"{place}: {sentence}" for place, sentence in problems_of(broken)]
    assert any("the first reminder comes first" in each for each in told)
    assert any("run together" in each for each in told)
    assert any(each.startswith("message_hours nights: is missing") for each in told)
