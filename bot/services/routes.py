"""Whole routes in words: rungs, totals, who pays, next starts; wishes kept, or said why they can't be."""

from dataclasses import replace

from bot.domain.eligibility import criteria, verdict
from bot.domain.lattice import Allows, Route, may_pass
from bot.domain.programs import Program
from bot.domain.roles import Step
from bot.domain.wishes import Wishes
from bot.services.class_hours import fits_hours, keeps_job, open_cohorts
from bot.services.gaps import gap_lines
from bot.services.map_words import MapWords
from bot.services.next_roles import next_lines, program_lines, ranked_steps

MOST_ROUTES = 3
MOST_BEFORE = 4  # jobs named from which people come
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
        return [words.say("already_there"), *next_lines(words, goal, ranked_steps(words, goal))]
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
        return [*_no_way(words, start, goal), "", *gap_lines(words, goal)]
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
        lines.append(words.say("route_name", aims=aims, months=words.months(route.months), cost=words.cost(route.cost)))
    for number, step in enumerate(route.steps, 1):
        cost = words.cost(step.cost, note=False)
        figures = {"months": words.months(step.months), "cost": cost, "pay": words.pay(step.to)}
        values = {"to": words.title(step.to), "paid": step.earn_while_learning, "year": words.pay_year}
        closes = words.closes(step, short=True) if full else ""
        lines.append(words.say("rung", number=number, closes=closes, **values, **figures))
        if full:
            details = _rung_details(words, step)
            if number == 1:
                details += program_lines(words, step)
            lines += [f"    {line}" for line in details]
    if not full:
        return lines  # its totals stand in its name
    now, then = words.pay(route.steps[0].from_), words.pay(route.steps[-1].to)
    totals = {"months": words.months(route.months), "cost": words.cost(route.cost), "year": words.pay_year}
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
    here = words.kb.roles[step.from_].credentials_required
    if gained := [name for name in step.credentials if name not in here]:
        lines.append(words.say("rung_credential", names=words.credentials(gained)))
    return lines


# --- wishes ------------------------------------------------------------------------------------------------------


def wishes_words(words: MapWords, wishes: Wishes) -> str:
    named = []
    for name in wishes.names():
        key = f"wish_hours_{wishes.hours}" if name == "hours" else f"wish_{name}"
        named.append(words.say(key, months=words.say("months_long", n=wishes.months_max or 0)))
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
        lines.append(words.say("wishes_months", months=words.months(fastest.months)))
        within = replace(fastest, steps=_within(fastest, wishes.months_max))
        if within.steps:
            longest = words.say("months_long", n=wishes.months_max)
            lines.append(words.say("wishes_within", max=longest, role=words.title(within.steps[-1].to)))
    return lines


def _no_way(words: MapWords, start: str, goal: str) -> list[str]:
    """No steps lead there: why, and the nearest way in."""
    names = {"from_": words.title(start), "to": words.title(goal)}
    lines = [words.say("route_none", **names)]
    if words.kb.roles[goal].starting_role:
        less = words.pays_less(start, goal)
        return [*lines, words.say("route_none_start", less=less, pay=words.pay(goal), year=words.pay_year, **names)]
    before = [step.from_ for step in words.kb.steps if step.to == goal]
    roles = ", ".join(words.title(role) for role in before[:MOST_BEFORE]) + (" …" if len(before) > MOST_BEFORE else "")
    lines.append(words.say("route_none_from", roles=roles))
    return [*lines, *_way_in(words, start, goal), words.say("route_none_coach")]


def _way_in(words: MapWords, start: str, goal: str) -> list[str]:
    """The quickest program that is not closed to this employee and from whose job the goal can be reached."""
    found: list[tuple[float, Program, str, Route | None]] = []
    for program in words.kb.programs.values():
        rules = criteria(program.eligibility, words.employee, words.kb.roles, words.today)
        if verdict(rules) == "closed" or any(rule.kind == "credential" and rule.state != "met" for rule in rules):
            continue
        for role in program.leads_to:
            routes = words.lattice.routes(role, goal, most=1)
            if role == goal or routes:
                months = program.months + (routes[0].months if routes else 0)
                found.append((months, program, role, routes[0] if routes else None))
    if not found:
        return []
    _, program, role, route = min(found, key=lambda each: (each[0], each[1].slug))
    values = {"program": program.title.in_(words.language), "role": words.title(role), "to": words.title(goal)}
    figures = {"months": words.months(route.months), "cost": words.cost(route.cost)} if route else {"months": "", "cost": ""}
    pay = {"pay": words.pay(role), "year": words.pay_year, "less": words.pays_less(start, role)}
    return [words.say("route_none_way_in", **values, **figures, **pay)]


def _within(route: Route, months: int) -> tuple[Step, ...]:
    """The first steps of a route that are done within so many months."""
    passed, steps = 0, []
    for step in route.steps:
        passed += step.months
        if passed > months:
            break
        steps.append(step)
    return tuple(steps)
