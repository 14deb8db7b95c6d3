"""My plan, pressed and seen in Slack: goals, steps, what one tells, interest, requests, reminders."""

from datetime import timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from bot.app import tick
from bot.domain.schedule import dates_of
from bot.services.about_me import AboutMe, tell
from bot.services.answering import employee_of
from bot.services.class_requests import draft
from bot.services.danger import check_words
from bot.services.nudges import remind
from bot.services.plan_words import plan_of
from bot.services.plans import shared_lines
from bot.slack.plan_blocks import draw_nudge
from bot.slack.plans import register_plans
from storage.models import (
    ClassRequest,
    Exchange,
    Goal,
    Handoff,
    InboxItem,
    Interest,
    OutboxItem,
    Person,
    PlanStep,
    SupportOffer,
    Told,
)
from tests.conftest import NOW, WORKSPACE


@pytest.fixture
def planning(world):
    """The world, with Rosa, Dwayne and Marta known to the app."""
    register_plans(world.app, world.desk, WORKSPACE)
    for user in ("UROSA", "UDWAYNE"):
        world.say(user, "hi")
    return world


def person(world, name):
    with world.desk.sessions() as session:
        return session.exec(select(Person).where(Person.first_name == name)).one()


def rows(world, kind):
    with world.desk.sessions() as session:
        return session.exec(select(kind).order_by(*kind.__table__.primary_key)).all()


def home(world, user):
    """The Home tab as text, freshly opened."""
    world.slack.as_user(user).open_home()
    return str(world.slack.as_user(user).home["blocks"])


def press(world, user, action, value):
    world.click(user, f"{action}:0", value)


def choose(world, user="UDWAYNE", card="roles/phlebotomist"):
    press(world, user, "choose_goal", card)
    return rows(world, PlanStep)


def test_dwayne_chooses_a_goal_and_gets_steps_with_dates(planning):
    steps = choose(planning)
    assert "Your goal is set: *Phlebotomist*" in planning.last["text"]
    assert next(step.kind for step in steps) == "first-action"
    assert all(step.due >= NOW.date() for step in steps)
    assert steps == sorted(steps, key=lambda step: (step.kind != "first-action", step.due))


def test_choosing_the_same_goal_again_makes_no_second_plan(planning):
    choose(planning)
    count = len(rows(planning, PlanStep))
    choose(planning)
    assert (len(rows(planning, Goal)), len(rows(planning, PlanStep))) == (1, count)
    assert "already" in planning.last["text"]


def test_there_may_be_more_than_one_goal(planning):
    choose(planning)
    choose(planning, card="programs/ged")
    assert len(rows(planning, Goal)) == 2


def test_done_put_off_and_not_for_me_with_the_reason(planning):
    first, second, third, *_ = choose(planning)
    press(planning, "UDWAYNE", "plan_step", f"done:{first.id}")
    press(planning, "UDWAYNE", "plan_step", f"snooze:{second.id}")
    press(planning, "UDWAYNE", "plan_step", f"drop:{third.id}")
    dwayne = planning.slack.as_user("UDWAYNE")
    assert "What is in the way?" in str(dwayne.modal)
    dwayne.submit({"value": "family"})
    first, second, third, *_ = sorted(rows(planning, PlanStep), key=lambda step: step.id)
    assert first.state == "done"
    assert second.snoozed_until == NOW.date() + timedelta(days=14)
    assert (third.state, third.reason, third.remind_at) == ("dropped", "family", None)


def test_dwayne_goes_from_the_question_to_the_plan_in_his_home_tab_by_pressing_what_he_sees(planning):
    dwayne = planning.slack.as_user("UDWAYNE")
    dwayne.say("what can I do next?")
    dwayne.click("Make my goal: Phlebotomist")
    assert "Your goal is set: *Phlebotomist*" in dwayne.last["text"]
    assert "0 of 7 done" in str(dwayne.home)
    first = rows(planning, PlanStep)[0]
    dwayne.choose(f"plan_step:{first.id}", f"done:{first.id}")
    assert "1 of 7 done" in str(dwayne.home)
    dwayne.choose(f"plan_step:{first.id}", f"undo:{first.id}")
    assert "0 of 7 done" in str(dwayne.home)
    goal = rows(planning, Goal)[0]
    dwayne.choose(f"plan_goal:{goal.id}", f"drop:{goal.id}")
    assert "No goal yet" in str(dwayne.home)
    dwayne.click("Make my goal: Phlebotomist")
    assert "0 of 7 done" in str(dwayne.home)


def test_the_first_class_of_the_plan_is_on_a_day_on_which_there_is_class(planning):
    kb = planning.desk.answering.kb
    for slug in kb.programs:
        choose(planning, card=f"programs/{slug}")
    for step in (step for step in rows(planning, PlanStep) if step.kind == "class"):
        slug, _, name = step.ref.partition(":")
        cohort = next(each for each in kb.programs[slug].cohorts if each.id == name)
        assert not cohort.sessions or any(step.due == day for day, _ in dates_of(cohort)), step.ref


def test_the_manager_sees_in_home_what_is_shared_and_nothing_else(planning):
    """Rosa's manager is Marta."""
    planning.say("UMARTA", "hi")
    first, second, *_ = choose(planning, "UROSA", "roles/phlebotomist")
    assert "shares with you" not in home(planning, "UMARTA")
    press(planning, "UROSA", "plan_step", f"share:{second.id}")
    with planning.desk.sessions() as session:
        kb, rosa = planning.desk.answering.kb, session.get(Person, first.person_id)
        (goal,) = plan_of(session, kb, rosa, "en", NOW.date())
    marta = home(planning, "UMARTA")
    assert "Rosa Delgado" in marta
    assert goal.steps[1].words in marta
    assert goal.steps[0].words not in marta
    assert "Goal: Phlebotomist" not in marta


def test_nobody_can_change_the_plan_of_somebody_else(planning):
    first, *_ = choose(planning)
    press(planning, "UROSA", "plan_step", f"done:{first.id}")
    assert rows(planning, PlanStep)[0].state == "todo"


def test_a_plan_is_private_until_it_is_shared_line_by_line(planning):
    _first, second, *_ = choose(planning)
    dwayne = person(planning, "Dwayne")
    with planning.desk.sessions() as session:
        assert shared_lines(session, dwayne) == []
    press(planning, "UDWAYNE", "plan_step", f"share:{second.id}")
    with planning.desk.sessions() as session:
        ((_goal, steps),) = shared_lines(session, dwayne)
        assert [step.id for step in steps] == [second.id]
    press(planning, "UDWAYNE", "plan_step", f"private:{second.id}")
    with planning.desk.sessions() as session:
        assert shared_lines(session, dwayne) == []


def test_a_goal_is_reached_when_every_step_is_done(planning):
    for step in choose(planning):
        press(planning, "UDWAYNE", "plan_step", f"done:{step.id}")
    assert rows(planning, Goal)[0].state == "reached"


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_goal_that_can_be_chosen_makes_a_plan_in_both_languages(planning, language):
    kb = planning.desk.answering.kb
    for slug in list(kb.roles)[::6]:
        choose(planning, card=f"roles/{slug}")
    for slug in list(kb.programs)[::6]:
        choose(planning, card=f"programs/{slug}")
    with planning.desk.sessions() as session:
        dwayne = session.get(Person, person(planning, "Dwayne").id)
        for goal in plan_of(session, kb, dwayne, language, NOW.date()):
            assert goal.steps
            assert all(step.words and step.when for step in goal.steps)


def test_the_plan_prints_as_a_pdf_in_the_language_that_was_asked_for(planning):
    choose(planning)
    press(planning, "UDWAYNE", "plan_print", "es")
    file = next(iter(planning.slack.workspace.files.values()))
    assert file.content.startswith(b"%PDF")
    assert file.title == "Plan de carrera de Dwayne Ellis"


def test_a_step_is_remembered_three_days_before_at_a_good_hour_and_only_once(planning):
    choose(planning)
    kb = planning.desk.answering.kb
    step = min((each for each in rows(planning, PlanStep) if each.remind_at), key=lambda each: each.remind_at)
    due = partial(remind, planning.desk.sessions, kb, partial(draw_nudge, kb))
    assert due(step.remind_at - timedelta(minutes=1)) == 0
    assert due(step.remind_at) == 1
    assert due(step.remind_at) == 0
    assert 11 <= step.remind_at.astimezone(ZoneInfo("America/Chicago")).hour <= 17


def test_who_wants_no_reminders_gets_none_until_they_are_wanted_again(planning):
    choose(planning)
    before = [step.remind_at for step in rows(planning, PlanStep)]
    press(planning, "UDWAYNE", "plan_reminders", "off")
    assert not any(step.remind_at for step in rows(planning, PlanStep))
    choose(planning, card="roles/cook")
    assert not any(step.remind_at for step in rows(planning, PlanStep))
    press(planning, "UDWAYNE", "plan_reminders", "before")
    assert [step.remind_at for step in rows(planning, PlanStep)][: len(before)] == before


def test_a_reminder_arrives_in_slack_and_its_buttons_work(planning):
    choose(planning)
    planning.passed = timedelta(days=4, hours=8)
    tick(planning.desk)
    dwayne = planning.slack.as_user("UDWAYNE")
    assert "A step of your plan comes up" in dwayne.last["text"]
    dwayne.click("Done")
    assert rows(planning, PlanStep)[0].state == "done"


def test_ten_days_after_a_support_was_offered_one_question_asks_whether_it_worked(planning):
    choose(planning)
    offer = rows(planning, SupportOffer)[0]
    kb = planning.desk.answering.kb
    planning.passed = timedelta(days=10, hours=8)
    assert (offer.ask_at - NOW).days in (9, 10)
    assert remind(planning.desk.sessions, kb, partial(draw_nudge, kb), offer.ask_at) >= 1
    press(planning, "UDWAYNE", "support_outcome", f"failed:{offer.id}")
    assert rows(planning, SupportOffer)[0].outcome == "failed"
    assert "A coach can look for another way" in planning.last["text"]


def test_interest_is_noted_once_and_can_be_taken_back(planning):
    press(planning, "UDWAYNE", "interest", "phlebotomy-course")
    assert "It is not an application yet" in planning.last["text"]
    press(planning, "UDWAYNE", "interest", "phlebotomy-course")
    assert "already" in planning.last["text"]
    (interest,) = rows(planning, Interest)
    press(planning, "UDWAYNE", "withdraw", str(interest.id))
    assert rows(planning, Interest)[0].stage == "withdrawn"
    press(planning, "UDWAYNE", "interest", "phlebotomy-course")
    assert rows(planning, Interest)[0].stage == "interested"


def test_a_full_group_has_a_wait_list_and_who_waited_longest_gets_the_seat(planning):
    kb = planning.desk.answering.kb
    press(planning, "UDWAYNE", "interest", "phlebotomy-course")
    (first,) = rows(planning, Interest)
    seats = next(each.seats for each in kb.programs["phlebotomy-course"].cohorts if each.id == first.cohort)
    with planning.desk.sessions() as session:
        for number in range(seats - 1):
            more = Person(workspace=WORKSPACE, employee_id=f"x{number}", first_name="X", created_at=NOW, updated_at=NOW)
            session.add(more)
            session.flush()
            session.add(
                Interest(workspace=WORKSPACE, person_id=more.id, program=first.program, cohort=first.cohort, since=NOW)
            )
        session.commit()
    with planning.desk.sessions() as session:
        rosa, dwayne = (session.exec(select(Person).where(Person.first_name == name)).one() for name in ("Rosa", "Dwayne"))
        for fact in ("shift", "hours_per_week", "site", "role", "hired_on", "in_role_since", "good_standing", "job_title"):
            setattr(rosa, fact, getattr(dwayne, fact))
        session.commit()
    press(planning, "UROSA", "interest", "phlebotomy-course")
    assert "lista de espera" in planning.last["text"]
    press(planning, "UDWAYNE", "withdraw", str(first.id))
    assert any("se abrió un lugar" in message["text"] for message in planning.posted)


def test_the_request_to_the_manager_goes_out_only_as_confirmed(planning):
    press(planning, "UDWAYNE", "request_class_time", "phlebotomy-course")
    assert rows(planning, ClassRequest) == []
    dwayne, marta = planning.slack.as_user("UDWAYNE"), planning.slack.as_user("UMARTA")
    assert "Phlebotomy" in str(dwayne.modal)
    assert marta.from_app() == []
    dwayne.submit({"value": "Hi Marta, can we plan <!channel> class time?"})
    assert "&gt;" not in marta.last["text"].split("\n")[1][:1]
    assert "Hi Marta, can we plan &lt;!channel&gt; class time?" in marta.last["text"]
    assert "Sent to Marta" in dwayne.last["text"]
    assert [request.text for request in rows(planning, ClassRequest)] == ["Hi Marta, can we plan <!channel> class time?"]
    press(planning, "UDWAYNE", "request_class_time", "phlebotomy-course")
    dwayne.submit({"value": "once more"})
    assert len(marta.from_app()) == 1
    assert "did not send a second one" in dwayne.last["text"]


def test_danger_in_a_request_is_answered_and_never_sent_to_the_manager(planning):
    press(planning, "UDWAYNE", "request_class_time", "phlebotomy-course")
    dwayne = planning.slack.as_user("UDWAYNE")
    dwayne.submit({"value": "Hi Marta, forget the class, I want to kill myself"})
    assert dwayne.modal is None
    assert planning.slack.as_user("UMARTA").from_app() == []
    assert rows(planning, ClassRequest) == []
    assert "988" in dwayne.last["text"]
    assert [handoff.urgent for handoff in rows(planning, Handoff)] == [True]
    assert (planning.last["channel"], planning.last["text"][:6]) == ("CCOACH", "Urgent")
    assert "kill" not in str(rows(planning, OutboxItem) + rows(planning, InboxItem) + rows(planning, Exchange))


def test_a_manager_who_is_not_in_slack_is_no_dead_end(planning):
    del planning.slack.workspace.users["UMARTA"]
    press(planning, "UDWAYNE", "request_class_time", "phlebotomy-course")
    assert "I can't reach your manager here" in planning.slack.as_user("UDWAYNE").last["text"]


def test_dwayne_fills_in_what_only_he_knows_and_sees_it_again(planning):
    home(planning, "UDWAYNE")
    dwayne = planning.slack.as_user("UDWAYNE")
    dwayne.click("What I know of you")
    assert "24 hours a week" in str(dwayne.modal)
    values = {"education|value": "high-school", "credentials|value": ["bls"], "words|value": "cared for my aunt"}
    dwayne.submit(values | {"used|value": "a lot"})
    assert "Please write a number" in str(dwayne.modal["errors"])
    dwayne.submit(values | {"used|value": "$500"})
    assert dwayne.modal is None
    dwayne.click("What I know of you")
    for told in ("cared for my aunt", "'initial_value': '500'", "high school diploma or GED"):
        assert told in str(dwayne.modal)


def test_danger_in_what_one_tells_of_oneself_is_answered_in_its_language_and_only_the_rest_is_kept(planning):
    home(planning, "UDWAYNE")
    dwayne = planning.slack.as_user("UDWAYNE")
    dwayne.click("What I know of you")
    dwayne.submit({"education|value": "high-school", "words|value": "cuidé a mi tía. ya no quiero vivir"})
    kinds = {told.kind for told in rows(planning, Told)}
    assert "education" in kinds
    assert "experience-words" not in kinds
    assert "988" in dwayne.last["text"]
    assert rows(planning, Exchange)[-1].language == "es"
    assert [handoff.urgent for handoff in rows(planning, Handoff)] == [True]


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_request_as_it_is_drafted_is_taken_for_danger(planning, language):
    kb, dwayne, marta = planning.desk.answering.kb, person(planning, "Dwayne"), person(planning, "Marta")
    with planning.desk.sessions() as session:
        marta.language = language
        drafts = {
            draft(kb, dwayne, marta, employee_of(dwayne, session), program, cohort)
            for program in kb.programs.values()
            for cohort in program.cohorts
        }
    assert drafts
    assert not check_words(planning.desk, WORKSPACE, "UDWAYNE", "V1", sorted(drafts)).is_danger


def test_what_was_told_is_used_in_answers_and_can_be_corrected(planning):
    with planning.desk.sessions() as session:
        dwayne = session.get(Person, person(planning, "Dwayne").id)
        about = AboutMe(education="high-school", credentials=frozenset({"bls"}), workdays=("mon", "tue"), tuition_used=500.0)
        tell(session, dwayne, about, NOW.date(), NOW)
        session.commit()
        employee = employee_of(dwayne, session)
        assert employee.education == "high-school"
        assert employee.workdays == {"mon", "tue"}
        assert employee.tuition_used == {2026: 500.0}
        tell(session, dwayne, AboutMe(education="associate"), NOW.date(), NOW)
        session.commit()
        assert employee_of(dwayne, session).credentials == frozenset()
    assert [told.value for told in rows(planning, Told)] == ["associate"]
