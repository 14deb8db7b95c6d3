"""Stages of interest as coaches and the program lead see and move them, and what people say of the supports."""

from datetime import timedelta

import pytest
from sqlmodel import select

from bot.slack.plans import register_plans
from storage.models import AuditEntry, Interest, InterestChange, Person, SupportOffer
from tests.conftest import NOW, WORKSPACE
from tests.console_world import console_of  # noqa: F401  the fixture `console`


@pytest.fixture
def interested(console):
    """Dwayne has pressed "I'm interested" below the phlebotomy course."""
    register_plans(console.world.app, console.world.desk, WORKSPACE)
    console.world.say("UDWAYNE", "hi")
    console.world.click("UDWAYNE", "interest:0", "phlebotomy-course")
    (interest,) = console.rows(Interest)
    return console, interest


def test_carmen_moves_dwayne_on_stage_by_stage_and_he_hears_of_it(interested):
    console, interest = interested
    carmen = console.as_("carmen")
    assert "Dwayne Ellis" in carmen.page("/programs")
    for stage, told in (
        ("applied", "applied"),
        ("accepted", "accepted"),
        ("enrolled", "enrolled"),
        ("placed", "in the new job"),
    ):
        carmen.post(f"/programs/interests/{interest.id}", stage=stage)
        assert console.rows(Interest)[0].stage == stage
        assert f"you are now {told}." in console.world.slack.as_user("UDWAYNE").last["text"]
    stages = [change.stage for change in console.rows(InterestChange)]
    assert stages == ["interested", "applied", "accepted", "enrolled", "placed"]
    assert "moved on" in {entry.act for entry in console.rows(AuditEntry)}


@pytest.mark.parametrize("stage", ["interested", "waiting", "withdrawn", "", "made-up"])
def test_nobody_is_moved_backwards_or_somewhere_else(interested, stage):
    console, interest = interested
    carmen = console.as_("carmen")
    carmen.post(f"/programs/interests/{interest.id}", stage="applied")
    carmen.post(f"/programs/interests/{interest.id}", stage=stage)
    assert console.rows(Interest)[0].stage == "applied"
    assert "That was not done" in carmen.page("/programs")


def test_who_took_their_name_off_is_not_on_the_page(interested):
    console, interest = interested
    console.world.click("UDWAYNE", f"withdraw:{interest.id}", str(interest.id))
    carmen = console.as_("carmen")
    assert "Dwayne" not in carmen.page("/programs")
    carmen.post(f"/programs/interests/{interest.id}", stage="applied")
    assert "off the list by now" in carmen.page("/programs")


def test_content_owners_see_how_supports_work_but_no_names(interested):
    console, interest = interested
    priya = console.as_("priya")
    assert "Dwayne" not in priya.page("/programs")
    assert priya.post(f"/programs/interests/{interest.id}", stage="applied").status_code == 403
    assert "Dwayne Ellis" in console.as_("helen").page("/programs")


def test_a_support_that_fails_often_is_named_once_enough_people_said_so(interested):
    console, _ = interested
    with console.world.desk.sessions() as session:
        priya = console.as_("priya")
        for number in range(10):
            person = Person(workspace=WORKSPACE, employee_id=f"s{number}", first_name="S", created_at=NOW, updated_at=NOW)
            session.add(person)
            session.flush()
            offer = SupportOffer(
                workspace=WORKSPACE, person_id=person.id, support="transportation", program="", offered_at=NOW
            )
            offer.outcome = "failed" if number < 5 else "worked"
            session.add(offer)
            session.commit()
            page = priya.page("/programs")
            assert ("fails often" in page) == (number >= 4), number
            assert ("hidden</td>" in page) == (number not in (4, 9)), "the sixth is hidden, and so are the five beside it"


def test_a_coach_sees_who_waits_and_that_they_hold_no_seat(interested):
    console, _ = interested
    with console.world.desk.sessions() as session:
        kept = session.exec(select(Interest)).one()
        kept.stage = "waiting"
        session.commit()
    console.world.passed += timedelta(days=1)
    assert "on the wait list" in console.as_("ben").page("/programs")
    assert "0 of" in console.as_("ben").page("/programs")
