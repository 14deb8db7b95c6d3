"""Who may join what, and when: each rule for each person, with the way round every no."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.eligibility import criteria, open_from, verdict
from bot.domain.people import Employee
from bot.domain.role_mentions import RolesAsked
from bot.services.eligibility import checked

TODAY = date(2026, 11, 23)
DWAYNE = Employee("Dwayne", "en", "patient-transporter", "west", 24, "days", date(2023, 8, 14))
AMINA = Employee("Amina", "en", "food-service-worker", "main", 40, "evenings", date(2026, 11, 2))
GRACE = Employee("Grace", "en", "certified-nursing-assistant", "main", 36, "nights", date(2024, 5, 20))

people = st.builds(
    Employee,
    role=st.sampled_from([None, "patient-transporter", "certified-nursing-assistant", "registered-nurse", "scheduler"]),
    hours_per_week=st.one_of(st.none(), st.integers(0, 60)),
    hired_on=st.one_of(st.none(), st.dates(date(2000, 1, 1), TODAY)),
    good_standing=st.sampled_from([None, True, False]),
    education=st.sampled_from([None, "none", "high-school", "associate"]),
    shift=st.sampled_from([None, "days", "evenings", "nights"]),
)


def page(answering, card, employee, language="en"):
    return answering.work_out(card, RolesAsked(), employee, language, TODAY)


def test_a_part_timer_hears_why_mapp_is_not_open_and_the_nearest_way_round(answering):
    text = page(answering, "programs/mapp", DWAYNE).text
    assert "❌ Hours: you work 24 a week, 36 or more needed" in text
    assert "medical assistant apprenticeship (from 20 hours)" in text
    assert "full time: open · part time (you): not open" in text


def test_someone_new_hears_from_which_day_and_which_group_is_the_first_after_it(answering):
    text = page(answering, "programs/mapp", AMINA).text
    assert "⏳ Time here: 6 months needed; you reach that on May 2, 2027" in text
    assert "starts September 14, 2027; apply by August 6, 2027" in text


def test_what_the_job_itself_asks_for_counts_as_held_until_it_is_taken_back(answering):
    rules = answering.kb.programs["cna-to-lpn"].eligibility
    found = {each.kind: each.state for each in criteria(rules, GRACE, answering.kb.roles, TODAY)}
    assert found["credential"] == "met"
    corrected = Employee(role=GRACE.role, not_held=frozenset({"cna"}))
    assert verdict(criteria(rules, corrected, answering.kb.roles, TODAY)) == "closed"


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_program_can_be_checked_for_everyone(answering, language):
    for program in answering.kb.programs.values():
        for who in (Employee(), DWAYNE, AMINA, GRACE):
            assert all(isinstance(line, str) for line in checked(answering.kb, program, who, language, TODAY))


@given(who=people)
def test_a_no_is_never_hidden_and_waiting_always_ends_on_the_day_that_was_named(answering, who):
    for program in answering.kb.programs.values():
        found = criteria(program.eligibility, who, answering.kb.roles, TODAY)
        decided = verdict(found)
        assert (decided == "open") == all(each.state == "met" for each in found)
        if decided == "later":
            then = open_from(found)
            assert then is not None
            assert then > TODAY
            assert verdict(criteria(program.eligibility, who, answering.kb.roles, then)) in ("open", "ask")
            day_before = criteria(program.eligibility, who, answering.kb.roles, then - timedelta(days=1))
            assert verdict(day_before) == "later"
