"""The way up: next roles, whole routes, gaps and comparisons, with every figure traced to its source."""

import re
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.people import Employee
from bot.domain.programs import Cohort, Session
from bot.domain.role_mentions import RolesAsked
from bot.domain.schedule import dates_of, fit, pattern_of
from bot.domain.wishes import Wishes, read_wishes
from bot.knowledge_base import load
from bot.services.class_hours import fits_hours, keeps_job
from bot.services.map_words import MapWords
from bot.services.routes import routes_within

TODAY = date(2026, 11, 23)
ROSA = Employee("Rosa", "es", "environmental-services-technician", "main", 36, "nights", date(2021, 3, 1))
DWAYNE = Employee("Dwayne", "en", "patient-transporter", "west", 24, "days", date(2023, 8, 14))
AMINA = Employee("Amina", "en", "food-service-worker", "main", 40, "evenings", date(2026, 11, 2))
GRACE = Employee("Grace", "en", "certified-nursing-assistant", "main", 36, "nights", date(2024, 5, 20))
MARTA = Employee("Marta", "en", "environmental-services-supervisor", "main", 40, "days", date(2015, 6, 1), is_manager=True)
KB = load(Path("content"))
ROLES = st.sampled_from(sorted(KB.roles))


def page(answering, card, employee, language="en", said="", **roles):
    return answering.work_out(card, RolesAsked(**roles), employee, language, TODAY, said)


def words(answering, employee=ROSA):
    return MapWords(answering.kb, answering.work_out.lattice, employee, "en", TODAY)


# --- every role, every pair --------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_role_has_next_steps_for_everyone(answering, language):
    for who in (Employee(), ROSA, DWAYNE, AMINA, GRACE, MARTA):
        for role in answering.kb.roles:
            text = page(answering, "pathways/next-roles", who, language, from_=role).text
            assert "*1. " in text
            assert "2025" in text
            assert len(text) < 3800


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_pair_of_roles_answers_with_routes_or_says_why_there_is_none(answering, language):
    lattice, kb = answering.work_out.lattice, answering.kb
    for start in kb.roles:
        for goal in kb.roles:
            text = page(answering, "pathways/path-to", ROSA, language, from_=start, to=goal).text
            assert len(text) < 3900, (start, goal)
            if start != goal and not lattice.routes(start, goal):
                before = {kb.roles[step.from_].title.in_(language) for step in kb.steps if step.to == goal}
                starts_here = "puesto para empezar" if language == "es" else "a job to start in"
                assert any(title in text for title in before) or starts_here in text, (start, goal)
                assert (
                    kb.say(
                        "route_none",
                        language,
                        from_=kb.roles[start].title.in_(language),
                        to=kb.roles[goal].title.in_(language),
                    )
                    in text
                )


def test_every_gap_names_what_the_role_requires(answering):
    for slug, role in answering.kb.roles.items():
        text = page(answering, "pathways/gap", ROSA, to=slug).text
        assert all(answering.kb.credentials[name].name.en in text for name in role.credentials_required)


@given(start=ROLES, goal=ROLES)
def test_a_route_is_a_chain_of_steps_from_the_content_and_its_totals_are_their_sums(answering, start, goal):
    steps = {id(step) for step in answering.kb.steps}
    for route in answering.work_out.lattice.routes(start, goal):
        assert all(id(step) in steps for step in route.steps)
        assert (route.steps[0].from_, route.steps[-1].to) == (start, goal)
        assert all(one.to == two.from_ for one, two in zip(route.steps, route.steps[1:], strict=False))
        assert route.months == sum(step.months for step in route.steps)
        assert route.cost == sum(step.cost for step in route.steps)


@given(
    start=ROLES,
    goal=ROLES,
    wishes=st.builds(
        Wishes,
        months_max=st.sampled_from([None, 6, 12, 24, 48]),
        cost_max=st.sampled_from([None, 0]),
        keep_working=st.booleans(),
        hours=st.sampled_from([None, None, "evenings", "mornings", "weekends", "online"]),
        no_degree=st.booleans(),
        no_patients=st.booleans(),
        no_blood=st.booleans(),
        paid=st.booleans(),
    ),
)
@settings(max_examples=300)
def test_every_route_keeps_to_the_wishes(answering, start, goal, wishes):
    kb = answering.kb
    for route in routes_within(words(answering), start, goal, wishes):
        assert wishes.months_max is None or route.months <= wishes.months_max
        assert wishes.cost_max is None or route.cost <= wishes.cost_max
        for step in route.steps:
            role = kb.roles[step.to]
            assert not wishes.no_degree or role.education not in ("associate", "bachelor")
            assert not wishes.no_patients or role.patient_contact == "none"
            assert not wishes.no_blood or not role.blood
            assert not wishes.paid or step.earn_while_learning
            assert not wishes.keep_working or keeps_job(kb, step)
            assert wishes.hours is None or fits_hours(kb, step, wishes.hours, TODAY)


def test_the_fastest_route_is_the_fastest_and_the_cheapest_the_cheapest(answering):
    lattice = answering.work_out.lattice
    for start in answering.kb.roles:
        for goal in answering.kb.roles:
            routes = lattice.routes(start, goal)
            if routes:
                by_aim = {aim: route for route in routes for aim in route.aims}
                assert by_aim["fastest"].months == min(route.months for route in routes)
                assert by_aim["cheapest"].cost == min(route.cost for route in routes)


# --- the content behind it ---------------------------------------------------------------------------------------


def test_a_step_names_only_programs_that_admit_people_from_there_and_lead_there(answering):
    kb = answering.kb
    for step in kb.steps:
        programs = [kb.programs[name] for name in step.programs]
        place, here = f"{step.from_} → {step.to}", kb.roles[step.from_]
        gained = set(here.credentials_required)
        for program in programs:
            assert not program.eligibility.families or here.family in program.eligibility.families, place
            assert gained.issuperset(program.eligibility.credentials), place
            gained |= set(program.credentials)
        if programs:
            assert step.to in programs[-1].leads_to, place
            assert step.months >= max(program.months for program in programs), place
            assert step.cost >= sum(program.cost_to_employee for program in programs), place
            assert not step.earn_while_learning or all(program.paid_time == "all" for program in programs), place


def test_a_step_that_pays_less_says_so(answering):
    for step in answering.kb.steps:
        if answering.kb.wage(step.to).hourly_median < answering.kb.wage(step.from_).hourly_median:
            text = page(answering, "pathways/path-to", Employee(), from_=step.from_, to=step.to).text
            route = answering.work_out.lattice.routes(step.from_, step.to)[0]
            assert step not in route.steps or "The usual pay is lower" in text


def test_every_amount_in_a_route_is_the_fact_behind_it(answering):
    """Each dollar figure printed for a route is a step's cost, a program's own cost, a sum of them, or a BLS median."""
    kb, lattice = answering.kb, answering.work_out.lattice
    for start in kb.roles:
        for goal in kb.roles:
            routes = lattice.routes(start, goal)
            if start == goal or not routes:
                continue
            allowed = {f"{kb.wage(role).hourly_median:.2f}" for role in (start, goal)}
            for route in routes:
                allowed.add(f"{route.cost:,}")
                for step in route.steps:
                    allowed |= {f"{step.cost:,}", f"{kb.wage(step.to).hourly_median:.2f}"}
                    allowed |= {f"{kb.programs[name].cost_to_employee:,}" for name in step.programs}
            printed = re.findall(
                r"\$(\d[\d,]*(?:\.\d\d)?)", page(answering, "pathways/path-to", ROSA, from_=start, to=goal).text
            )
            assert set(printed) <= allowed, (start, goal)


# --- what people get ---------------------------------------------------------------------------------------------


def test_rosa_sees_pay_now_and_then_time_cost_and_what_to_do_this_week(answering):
    text = page(answering, "pathways/next-roles", ROSA, "es").text
    assert "El pago es el usual por hora en hospitales de EE. UU., 2025." in text
    assert "$18.66 → $23.07 · unos 11 meses · sin costo para usted, le pagan mientras aprende" in text
    assert "va con su turno" in text
    assert text.count("_Esta semana:_") == 4


def test_next_roles_are_three_up_and_one_sideways_and_the_rest_is_named(answering):
    text = page(answering, "pathways/next-roles", ROSA).text
    assert "*4. Patient Transporter*" in text
    assert "*5." not in text
    assert "3 more steps from here: Unit secretary, Supply chain technician" in text


def test_no_number_of_one_is_worded_as_many(answering):
    """ "1 months", "unos 1 meses", "1 jobs": in no answer about any role, in neither language."""
    many = re.compile(r"\b1 (?:months|meses|jobs|puestos|steps|pasos|years|años)\b|\bunos un\b")
    for language in ("en", "es"):
        for role in answering.kb.roles:
            for card in ("pathways/next-roles", "pathways/gap"):
                assert not many.search(page(answering, card, ROSA, language, from_=role, to=role).text)
        said = "in no more than one month" if language == "en" else "en no más de un mes"
        assert not many.search(page(answering, "pathways/path-to", ROSA, language, said, to="registered-nurse").text)


def test_marta_hears_why_no_steps_lead_there_and_the_nearest_way_in(answering):
    text = page(answering, "pathways/path-to", MARTA, to="nurse-manager").text
    assert "People get there from: Registered nurse (RN)." in text
    assert "CNA training leads to Certified nursing assistant (CNA)" in text
    back = page(answering, "pathways/path-to", MARTA, to="patient-transporter").text
    assert "is a job to start in" in back
    assert "less than now" in back


def test_what_is_closed_to_a_part_timer_falls_back_and_says_so(answering):
    text = page(answering, "pathways/next-roles", DWAYNE, from_="environmental-services-technician").text
    assert "Medical assistant*" not in text or "not open to you right now" in text


def test_amina_hears_from_when_the_program_of_her_first_step_is_open(answering):
    assert "open to you from May 2, 2027" in page(answering, "pathways/path-to", AMINA, to="medical-assistant").text


def test_wishes_that_cannot_be_met_are_named_with_the_reason_and_how_far_one_gets(answering):
    text = page(answering, "pathways/path-to", ROSA, said="nurse without a degree in a year", to="registered-nurse").text
    assert "no more than 12 months, no degree" in text
    assert "asks for an associate degree" in text
    assert "In 12 months you could be" in text


def test_what_grace_told_us_counts_and_what_she_took_back_does_not(answering):
    asked = page(answering, "pathways/gap", GRACE, said="I was a nurse in my country", to="registered-nurse").text
    assert "A license from there does not count by itself here" in asked
    told = Employee(role=GRACE.role, education="bachelor", experience=frozenset({"abroad"}))
    text = page(answering, "pathways/gap", told, to="registered-nurse").text
    assert "✅ An associate degree" in text
    assert "A license from there does not count by itself here" in text


@pytest.mark.parametrize(
    ("said", "wish"),
    [
        ("how do I become a nurse without quitting my job", {"keep_working": True}),
        ("sin dejar mi trabajo", {"keep_working": True}),
        ("in no more than a year", {"months_max": 12}),
        ("en menos de dos años", {"months_max": 24}),
        ("only evenings please", {"hours": "evenings"}),
        ("solo por las noches", {"hours": "evenings"}),
        ("but no degree", {"no_degree": True}),
        ("sin título", {"no_degree": True}),
        ("something with no patients", {"no_patients": True}),
        ("sin tocar pacientes", {"no_patients": True}),
        ("and get paid while I learn", {"paid": True}),
        ("no tengo dinero", {"cost_max": 0}),
        ("I have been here a year and want more", {}),
    ],
)
def test_wishes_are_read_in_both_languages(said, wish):
    assert read_wishes(said) == Wishes(**wish)


# --- class against shift -----------------------------------------------------------------------------------------

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@given(
    shift=st.sampled_from(["days", "evenings", "nights"]),
    hours=st.sampled_from([16, 24, 32, 36, 40]),
    workdays=st.frozensets(st.sampled_from(DAYS)),
    session=st.tuples(st.sampled_from(DAYS), st.integers(5, 18), st.integers(1, 5)),
    starts=st.dates(TODAY, TODAY + timedelta(days=400)),
    weeks=st.integers(1, 20),
)
def test_a_class_clashes_exactly_when_it_is_at_the_same_time_as_a_shift(shift, hours, workdays, session, starts, weeks):
    day, start, length = session
    meets = Session(day=day, start=f"{start:02}:00", end=f"{start + length:02}:00")
    ends = starts + timedelta(weeks=weeks)
    text = {"en": "here", "es": "aquí"}
    cohort = Cohort(id="c", starts=starts, ends=ends, apply_by=starts, seats=1, place=text, sessions=(meets,))
    who = Employee(shift=shift, hours_per_week=hours, workdays=workdays)
    pattern = pattern_of(KB.shifts, who)
    found = fit(cohort, pattern)

    def at_work(moment):
        for first in (moment.date(), moment.date() - timedelta(days=1)):
            begins = datetime.combine(first, pattern.times.start)
            after = timedelta(days=pattern.times.end <= pattern.times.start)
            if begins <= moment < datetime.combine(first, pattern.times.end) + after and DAYS[first.weekday()] in workdays:
                return True
        return False

    minutes = range(-30, length * 60 + 30)
    clashing = {
        each
        for each, one in dates_of(cohort)
        if any(at_work(datetime.combine(each, one.start) + timedelta(minutes=minute)) for minute in minutes)
    }
    assert set(found.dates) == clashing
    assert found.kind == ("clashes" if clashing else "fits")


def test_every_other_weekend_is_counted_from_the_one_that_was_told():
    who = Employee(shift="days", hours_per_week=36, workdays=frozenset({"mon"}), weekend_from=date(2026, 11, 28))
    pattern = pattern_of(KB.shifts, who)
    assert pattern.works_on(date(2026, 11, 29))
    assert not pattern.works_on(date(2026, 12, 5))
    assert pattern.works_on(date(2026, 12, 12))


def test_supports_come_with_the_classes_that_call_for_them(answering):
    text = page(answering, "programs/cna-to-lpn", DWAYNE).text
    assert "Child care (evening classes)" in text
