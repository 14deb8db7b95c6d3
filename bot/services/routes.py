"""Whole routes in words: rungs, totals, who pays, next starts; wishes kept, or said why they can't be."""

from dataclasses import replace

from bot.domain.lattice import Allows, Route, may_pass
from bot.domain.roles import Step
from bot.domain.wishes import Wishes
from bot.services.class_hours import fits_hours, keeps_job, open_cohorts
from bot.services.gaps import gap_lines
from bot.services.map_words import MapWords
from bot.services.next_roles import next_lines, program_lines

MOST_ROUTES = 3
LONGEST = 2600  # characters; a phone shows no more with ease, so a last long route is left out


def routes_within(words: MapWords, start: str, goal: str, wishes: Wishes) -> list[Route]:
    """The best routes whose every step, and whose totals, are within the wishes."""
    routes = words.lattice.routes(start, goal, allowed(words, wishes) if wishes else None, MOST_ROUTES)
    return [
        route
        for route in routes
        if (wishes.months_max is None or route.months <= wishes.months_max)
        and (wishes.cost_max is None or route.cost <= wishes.cost_max)
    ]


def allowed(words: MapWords, wishes: Wishes) -> Allows:
    def in_hours(step: Step) -> bool:
        return wishes.hours is not None and fits_hours(words.kb, step, wishes.hours, words.today)

    return may_pass(wishes, words.kb.roles, in_hours, lambda step: keeps_job(words.kb, step))


def way_lines(words: MapWords, start: str | None, goal: str, wishes: Wishes) -> list[str]:
    """The best ways from `start` to `goal`; what the goal asks for when the start is not known or there is no way."""
    if start == goal:
        return [words.say("already_there"), *next_lines(words, goal)]
    if start is None:
        return [*gap_lines(words, goal), "", words.say("which_role_now")]
    names = {"from_": words.title(start), "to": words.title(goal)}
    routes = routes_within(words, start, goal, wishes)
    if routes:
        lines = [words.say("route_head", count=len(routes), **names)]
        if wishes:
            lines.append(words.say("wishes_kept", wishes=wishes_words(words, wishes)))
        return [*lines, *_routes(words, routes)]
    unbound = words.lattice.routes(start, goal, most=1)
    if not unbound:
        return [words.say("route_none", **names), "", *gap_lines(words, goal)]
    return [*_why_not(words, unbound[0], goal, wishes), *_routes(words, unbound)]


def _routes(words: MapWords, routes: list[Route]) -> list[str]:
    lines: list[str] = []
    for number, route in enumerate(routes):
        more = ["", *_route(words, route, named=len(routes) > 1, full=number == 0)]
        if number == 0 or sum(map(len, (*lines, *more))) < LONGEST:
            lines += more
    first = routes[0].steps[0]
    return [*lines, "", words.say("first_action", action=first.first_action.in_(words.language))]


def _route(words: MapWords, route: Route, *, named: bool, full: bool) -> list[str]:
    """Rungs and totals. `full`: with programs, dates and who pays; the further routes are kept short."""
    lines = []
    if named:
        aims = " · ".join(words.say(f"route_aim_{aim}") for aim in route.aims)
        lines.append(words.say("route_name", aims=aims, months=route.months, cost=words.cost(route.cost)))
    for number, step in enumerate(route.steps, 1):
        figures = {"months": words.months(step.months), "cost": words.cost(step.cost), "pay": words.pay(step.to)}
        values = {"to": words.title(step.to), "paid": step.earn_while_learning, "year": words.pay_year}
        lines.append(words.say("rung", number=number, closes=words.closes(step, short=True), **values, **figures))
        if full:
            details = _rung_details(words, step)
            if number == 1:
                details += program_lines(words, step)
            lines += [f"    {line}" for line in details]
    now, then = words.pay(route.steps[0].from_), words.pay(route.steps[-1].to)
    totals = {"months": route.months, "cost": words.cost(route.cost), "year": words.pay_year}
    return [*lines, words.say("route_total", now=now, then=then if now else "", **totals)]


def _rung_details(words: MapWords, step: Step) -> list[str]:
    """The programs with the next dates and who pays, and the credentials one gets."""
    lines = []
    for name in step.programs:
        program = words.kb.programs[name]
        cohorts = open_cohorts(program, words.today)
        if not cohorts:
            continue
        cost = program.cost_to_employee
        who_pays = words.say("rung_we_pay_most", cost=f"{cost:,}") if cost else words.say("rung_we_pay")
        dates = {"starts": words.date(cohorts[0].starts), "apply_by": words.date(cohorts[0].apply_by)}
        lines.append(words.say("rung_program", program=program.title.in_(words.language), who_pays=who_pays, **dates))
    if step.cost and not step.programs:
        lines.append(words.say("rung_tuition"))
    if step.credentials:
        lines.append(words.say("rung_credential", names=words.credentials(list(step.credentials))))
    return lines


# --- wishes ------------------------------------------------------------------------------------------------------


def wishes_words(words: MapWords, wishes: Wishes) -> str:
    named = []
    for name in wishes.names():
        key = f"wish_hours_{wishes.hours}" if name == "hours" else f"wish_{name}"
        named.append(words.say(key, months=wishes.months_max))
    return ", ".join(named)


def _why_not(words: MapWords, fastest: Route, goal: str, wishes: Wishes) -> list[str]:
    """No way within the wishes: which of them the goal itself rules out, and how far one gets within the time."""
    role, to = words.kb.roles[goal], words.title(goal)
    lines = [words.say("wishes_none", wishes=wishes_words(words, wishes))]
    if wishes.no_degree and role.education in ("associate", "bachelor"):
        lines.append(words.say("wishes_degree", to=to, education=words.say(f"education_{role.education}")))
    if wishes.no_patients and role.patient_contact != "none":
        lines.append(words.say("wishes_patients", to=to))
    if wishes.no_blood and role.blood:
        lines.append(words.say("wishes_blood", to=to))
    if wishes.months_max is not None and fastest.months > wishes.months_max:
        lines.append(words.say("wishes_months", months=fastest.months))
        within = replace(fastest, steps=_within(fastest, wishes.months_max))
        if within.steps:
            lines.append(words.say("wishes_within", max=wishes.months_max, role=words.title(within.steps[-1].to)))
    return lines


def _within(route: Route, months: int) -> tuple[Step, ...]:
    """The first steps of a route that are done within so many months."""
    passed, steps = 0, []
    for step in route.steps:
        passed += step.months
        if passed > months:
            break
        steps.append(step)
    return tuple(steps)
