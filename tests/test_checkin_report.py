"""Completion figures show whether check-ins take place, and nobody can be picked out of them."""

import io
from collections import defaultdict
from datetime import UTC, date, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.small_groups import EVERYBODY, Sizes, visible
from bot.services.checkin_report import as_lines, report, write_csv
from storage.models import Checkin, Person
from tests.conftest import NOW, WORKSPACE

TODAY = datetime(2026, 11, 24, tzinfo=UTC)


def staff(sessions, unit, count, held, hired=date(2020, 5, 4), manager=None):
    """People of a unit; each has as many held check-ins as said, and one that was missed."""
    with sessions() as session:
        for number in range(count):
            employee_id = f"{unit}-{number}"
            person = Person(
                workspace=WORKSPACE, employee_id=employee_id, first_name=employee_id, unit=unit, site="main", shift="days",
                hours_per_week=40, hired_on=hired, manager_id=manager, created_at=NOW, updated_at=NOW,
            )  # fmt: skip
            session.add(person)
            session.flush()
            for cycle, state in enumerate(["held"] * held + ["missed"]):
                session.add(
                    Checkin(
                        workspace=WORKSPACE, person_id=person.id, anchor=hired, cycle=cycle, planned_on=date(2026, 2 + cycle, 3),
                        state=state,
                    )
                )  # fmt: skip
        session.commit()


def find(found, kind, name):
    return next(figures for group, label, figures in found.groups if (group, label) == (kind, name))


def test_the_headline_is_at_least_two_in_twelve_months(sessions, answering):
    staff(sessions, "4 West", 6, held=2)
    staff(sessions, "Kitchen", 8, held=1)
    staff(sessions, "", 4, held=0)
    staff(sessions, "New wing", 5, held=0, hired=date(2026, 9, 1))
    with sessions() as session:
        found = report(session, answering.kb, WORKSPACE, TODAY)
    assert (found.headline.with_two, found.headline.people) == (6, 20), "Rosa and Marta had none; the new ones don't count"
    assert (find(found, "unit", "4 West").share, find(found, "unit", "Kitchen").share) == (1.0, 0.0)
    assert find(found, "unit", "4 West").held_share == 12 / 18
    assert found.new == 6
    assert "30% (6 of 20 people)" in "\n".join(as_lines(found))


def test_small_groups_are_hidden_also_by_subtraction(sessions, answering):
    staff(sessions, "4 West", 6, held=2)
    staff(sessions, "Kitchen", 8, held=1)
    staff(sessions, "Laundry", 3, held=0)
    with sessions() as session:
        found = report(session, answering.kb, WORKSPACE, TODAY)
    assert find(found, "unit", "Laundry") is None
    shown = [figures.people for kind, _, figures in found.groups if kind == "unit" and figures]
    rest = found.headline.people - sum(shown)
    assert rest == 0 or rest >= 5
    file = io.StringIO()
    write_csv(found, file)
    assert "unit,Laundry,hidden" in file.getvalue()


def test_a_spreadsheet_reads_no_formula_from_a_name(sessions, answering):
    staff(sessions, "=HYPERLINK(1)", 6, held=2)
    with sessions() as session:
        found = report(session, answering.kb, WORKSPACE, TODAY)
    file = io.StringIO()
    write_csv(found, file)
    assert "'=HYPERLINK(1)" in file.getvalue()


PEOPLE = st.lists(
    st.fixed_dictionaries({kind: st.sampled_from("abcd") for kind in ("site", "unit", "manager", "shift")}), max_size=60
)


@given(PEOPLE)
@settings(max_examples=200, deadline=None)
def test_no_group_of_fewer_than_five_can_be_worked_out_from_those_inside_another(people):
    sizes, members = Sizes(), defaultdict(set)
    for number, person in enumerate(people):
        sizes.add(person)
        for group in (EVERYBODY, *person.items()):
            members[group].add(number)
    shown = visible(sizes, 5)
    for whole in shown:
        assert len(members[whole]) >= 5
        for kind in ("site", "unit", "manager", "shift"):
            inside = [g for g in shown if g[0] == kind and g[0] != whole[0] and members[g] <= members[whole]]
            rest = members[whole] - set().union(*(members[g] for g in inside)) if inside else set()
            assert not rest or len(rest) >= 5
