"""Every amount that anybody reads is the fact behind it, and nobody is promised what their hours don't give."""

import re
from datetime import date
from itertools import product

import pytest

from bot.domain.eligibility import criteria, verdict
from bot.domain.people import Employee
from bot.domain.role_mentions import RolesAsked
from bot.services.map_words import MapWords
from bot.services.plans import Planning, group_for

TODAY = date(2026, 11, 23)
MONEY = re.compile(r"\$(\d[\d,]*(?:\.\d\d)?)")
QUOTES_FACT = re.compile(r"""fact\(["']([\w-]+)["']\)""")
FULL_TIMER = Employee("Rosa", "es", "environmental-services-technician", "main", 40, "nights", date(2021, 3, 1))
PART_TIMER = Employee("Dwayne", "en", "patient-transporter", "west", 24, "days", date(2023, 8, 14))
PER_DIEM = Employee("Elena", "en", "food-service-worker", "west", 12, "days", date(2018, 6, 25))
UNKNOWN = Employee()
EVERYBODY = (FULL_TIMER, PART_TIMER, PER_DIEM, UNKNOWN)


def read(answering, card, who, language, **roles):
    """What this employee reads under a card, worked out or as it stands."""
    page = answering.work_out(card, RolesAsked(**roles), who, language, TODAY)
    return (page or answering.kb.page(card, who, language, TODAY)).text


def amounts(text):
    return set(MONEY.findall(text))


def pay_of(answering, *roles):
    """Every pay figure of these roles, as it is printed."""
    found = set()
    for role in roles:
        if wage := answering.kb.wage(role):
            found |= {f"{each:.2f}" for each in (wage.hourly_median, wage.hourly_p10, wage.hourly_p25)}
            found |= {f"{each:.2f}" for each in (wage.hourly_p75, wage.hourly_p90)} | {f"{wage.annual_median:,}"}
    return found


def quoted(answering, card, language):
    """The amounts of the facts that the card's own text quotes, and of those that its rules name."""
    kb, (kind, _, slug) = answering.kb, card.partition("/")
    entry = kb.entry(card)
    names = set(QUOTES_FACT.findall(entry.answer.in_(language) if hasattr(entry, "answer") else ""))
    if kind == "tuition":
        names |= {band.fact for band in kb.tuition.bands if band.fact} | {kb.tuition.service.threshold_fact}
    found = {amount for name in names for amount in amounts(kb.facts[name].show.in_(language))}
    if kind == "programs" and slug in kb.programs:
        found.add(f"{kb.programs[slug].cost_to_employee:,}")
    return found


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_amount_on_every_card_is_that_of_a_fact_it_names(answering, language):
    kb, walked = answering.kb, 0
    example = amounts(kb.say("tuition_ask", language)) | amounts(kb.say("tuition_left_unknown", language))
    for card, _ in kb.entries():
        if card.startswith("pathways/"):
            continue
        allowed = quoted(answering, card, language) | (example if card.startswith("tuition/") else set())
        if card.startswith("roles/"):
            allowed = pay_of(answering, card.removeprefix("roles/"))
        for who in EVERYBODY:
            printed = amounts(read(answering, card, who, language))
            assert printed <= allowed, (card, who.first_name, printed - allowed)
            walked += len(printed)
    assert walked > 200


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_amount_in_next_roles_is_a_wage_or_the_cost_of_a_step(answering, language):
    kb, lattice = answering.kb, answering.work_out.lattice
    for role, who in product(kb.roles, EVERYBODY):
        steps = lattice.next_steps(role)
        reachable = {f"{lattice.doors(step.to).best_pay:.2f}" for step in steps}
        costs = {f"{step.cost:,}" for step in steps}
        allowed = costs | reachable | {f"{kb.wage(each).hourly_median:.2f}" for each in (role, *(step.to for step in steps))}
        assert amounts(read(answering, "pathways/next-roles", who, language, from_=role)) <= allowed, role
        for step in steps:
            best = max(kb.wage(each).hourly_median for each in within_two_steps(kb, step.to))
            assert lattice.doors(step.to).best_pay == best


def within_two_steps(kb, role):
    first = {step.to for step in kb.steps if step.from_ == role}
    return {role} | first | {step.to for step in kb.steps if step.from_ in first}


def test_every_pay_now_and_then_is_the_median_of_these_two_roles(answering):
    kb = answering.kb
    words = MapWords(kb, answering.work_out.lattice, UNKNOWN, "en", TODAY)
    for step in kb.steps:
        now, then = (kb.wage(role).hourly_median for role in (step.from_, step.to))
        assert words.pay_change(step).startswith(f"${now:.2f} → ${then:.2f}")
        assert ("pays less" in words.pay_change(step)) == (then < now)


@pytest.mark.parametrize("language", ["en", "es"])
def test_lists_gaps_and_comparisons_print_wages_and_nothing_else(answering, language):
    kb = answering.kb
    everything = {f"{kb.wage(role).hourly_median:.2f}" for role in kb.roles}
    costs = {f"{step.cost:,}" for step in kb.steps}
    for card in ("pathways/no-degree", "pathways/non-clinical", "pathways/growing"):
        assert amounts(read(answering, card, UNKNOWN, language)) <= everything
    for one, two in product(list(kb.roles)[::3], list(kb.roles)[1::3]):
        totals = {
            f"{route.cost:,}" for goal in (one, two) for route in answering.work_out.lattice.routes(FULL_TIMER.role, goal)
        }
        printed = amounts(read(answering, "pathways/compare", FULL_TIMER, language, compare=(one, two)))
        assert printed <= {f"{kb.wage(role).hourly_median:.2f}" for role in (one, two)} | totals, (one, two)
    for role in kb.roles:
        assert amounts(read(answering, "pathways/gap", UNKNOWN, language, to=role)) <= costs


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("who", [PART_TIMER, PER_DIEM])
def test_who_works_fewer_hours_is_never_promised_the_full_time_amount(answering, who, language):
    """The full-time figure may stand only in a line that says whose it is, or as what the tax law leaves free."""
    kb, seen = answering.kb, 0
    (full_time,) = amounts(kb.facts["tuition-full-time"].show.in_(language))
    says_whose = {"en": ("full time", "tax"), "es": ("tiempo completo", "impuesto")}[language]
    for card, _ in kb.entries():
        for line in read(answering, card, who, language).split("\n"):
            if full_time in amounts(line):
                seen += 1
                assert any(words in line.lower() for words in says_whose), (card, line)
    assert seen


def test_the_amount_worked_out_for_a_part_timer_is_the_part_time_one(answering):
    text = read(answering, "tuition/amount", PART_TIMER, "en")
    assert "$2,625" in text
    assert "$5,250" not in text
    assert amounts(read(answering, "tuition/amount", PER_DIEM, "en")) == set()


@pytest.mark.parametrize("who", [PART_TIMER, PER_DIEM])
def test_a_program_that_asks_for_more_hours_says_no_to_a_part_timer_everywhere(answering, who):
    kb, lattice = answering.kb, answering.work_out.lattice
    planning = Planning(kb, lattice, who, TODAY, "America/Chicago")
    closed = {
        slug for slug, each in kb.programs.items() if (each.eligibility.hours_per_week_min or 0) > (who.hours_per_week or 0)
    }
    assert closed
    for slug in closed:
        program = kb.programs[slug]
        text = read(answering, f"programs/{slug}", who, "en")
        assert "❌ Hours" in text, slug
        assert "*You may join:*" not in text, slug
        assert "*You may well fit:*" not in text, slug
        assert "*Classes and your" not in text, slug
        assert verdict(criteria(program.eligibility, who, kb.roles, TODAY)) == "closed"
        assert group_for(planning, program) is None
    for role in kb.roles:
        text = read(answering, "pathways/next-roles", who, "en", from_=role)
        shown = [
            step for step in lattice.next_steps(role) if f"*{kb.roles[step.to].title.en}*" in text.replace(". ", "*", 4)
        ]
        for step in shown:
            if step.programs and step.programs[0] in closed:
                assert f"{kb.programs[step.programs[0]].title.en} is not open to you right now" in text
