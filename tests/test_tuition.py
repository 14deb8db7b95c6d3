"""School money worked out: the person's own amount, their dates, their share, what they would owe."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.people import Employee
from bot.domain.role_mentions import RolesAsked
from bot.domain.said import amounts_said, date_said
from bot.domain.tuition import Course, work_out
from bot.services.tuition import SHOWS

TODAY = date(2026, 11, 23)
FULL = Employee("Rosa", "es", hours_per_week=36, hired_on=date(2021, 3, 1))
PART = Employee("Dwayne", "en", hours_per_week=24, hired_on=date(2023, 8, 14))
PER_DIEM = Employee("Elena", "en", hours_per_week=16, hired_on=date(2018, 6, 25))
NEW = Employee("Amina", "en", hours_per_week=40, hired_on=date(2026, 11, 2))


def text_of(answering, card, employee, said="", language="en", today=TODAY):
    page = answering.work_out(card, RolesAsked(), employee, language, today, said)
    page = page or answering.kb.page(card, employee, language, today)
    return page.text


def test_dwayne_is_told_his_last_day_his_share_and_what_he_would_owe(answering):
    text = text_of(answering, "tuition/amount", PART, "it starts January 18, costs $3,000, at Lakeside and I used $500")
    assert "Apply by *December 19, 2026*" in text
    assert "the help may pay $2,625, and $375 stays with you" in text
    assert "so it counts in 2027" in text
    assert "That leaves about $2,125" in text
    assert "stay 12 months" in text
    assert "Laid off, you owe nothing" in text


def test_help_that_stays_below_the_line_owes_no_time(answering):
    assert "You would owe no time" in text_of(answering, "tuition/service-commitment", FULL, "my class costs $900")


def test_amina_is_told_when_her_wait_ends_against_her_class(answering):
    text = text_of(answering, "tuition/deadlines", NEW, "class starts january 11")
    assert "January 31, 2027, after this class starts" in text


def test_at_a_school_that_is_not_a_partner_the_cash_comes_back_after_grades(answering):
    kb = answering.kb
    help_ = work_out(kb.tuition, kb.facts, FULL, Course(date(2027, 1, 18), 900, "other"), TODAY)
    assert (help_.covered, help_.own_share, help_.cash_to_front) == (900, 0, 900)


@pytest.mark.parametrize("card", sorted(SHOWS))
@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("said", ["", "it starts 1/18/2027 and costs $4,000"])
def test_a_part_timer_is_never_promised_the_full_time_benefit(answering, card, language, said):
    for who, own in ((PART, "$2,625"), (PER_DIEM, "")):
        text = text_of(answering, card, who, said, language)
        for line in text.replace(". ", ".\n").splitlines():
            if "5,250" in line:  # the federal tax limit, or the row of the other band in the table side by side
                assert card == "tuition/taxes" or line.startswith(("• Full time, 36", "• Tiempo completo, 36"))
            if "hasta $2,625" in line or "up to $2,625" in line:
                assert own or "20" in line


@given(
    hours=st.integers(0, 60),
    price=st.integers(0, 20_000),
    used=st.integers(0, 8_000),
    days=st.integers(-30, 400),
    school=st.sampled_from(["partner", "other", None]),
)
def test_the_sums_add_up_and_stay_within_the_own_band(answering, hours, price, used, days, school):
    kb, starts = answering.kb, TODAY + timedelta(days=days)
    who = Employee(hours_per_week=hours, hired_on=date(2020, 1, 1), tuition_used={starts.year: used})
    found = work_out(kb.tuition, kb.facts, who, Course(starts, price, school), TODAY)
    limit = 5250 if hours >= 36 else 2625 if hours >= 20 else 0
    assert found.covered is not None
    assert found.own_share is not None
    assert found.covered + found.own_share == price
    assert 0 <= found.covered <= max(0, limit - used)
    assert found.apply_by == starts - timedelta(days=30)
    if found.cash_to_front is not None:
        assert found.own_share <= found.cash_to_front <= price


def test_a_figure_past_its_review_date_is_not_worked_with(answering):
    text = text_of(answering, "tuition/amount", FULL, "costs $900", today=date(2027, 6, 1))
    assert "$5,250" not in text
    assert "may pay" not in text


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("my class starts january 18", date(2027, 1, 18)),
        ("empieza el 3 de febrero de 2028", date(2028, 2, 3)),
        ("starts 12/1", date(2026, 12, 1)),
        ("school may start soon", None),
        ("february 31", None),
    ],
)
def test_dates_are_read_as_people_write_them(said, day):
    assert date_said(said, TODAY) == day


def test_what_was_used_is_told_from_the_price():
    assert amounts_said("ya usé $500 y la clase cuesta $900") == (900, 500)
