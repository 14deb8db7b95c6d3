"""Next roles for one employee: up and sideways, what opens, what is missing, what stands in the way."""

from bot.domain.eligibility import credentials_of, criteria, open_from, verdict
from bot.domain.roles import Step
from bot.services.class_hours import best_fit
from bot.services.map_words import MapWords

MOST_UP = 3
MOST_SIDEWAYS = 2
# Dollars an hour by which a step falls back in the list: a program that is closed, one to wait for, a class in the shift.
CLOSED, LATER, CLASHES = 4.0, 1.5, 1.0


def chosen_steps(words: MapWords, role: str) -> list[Step]:
    """The steps that are shown: the best three up, then the best two sideways."""
    ranked = words.lattice.next_steps(role, lambda step: in_the_way(words, step))
    up = [step for step in ranked if step.kind == "up"][:MOST_UP]
    return up + [step for step in ranked if step.kind == "sideways"][:MOST_SIDEWAYS]


def next_lines(words: MapWords, role: str) -> list[str]:
    steps = chosen_steps(words, role)
    if not steps:
        return [words.say("next_none", role=words.title(role))]
    lines = [words.say("next_from", role=words.title(role))]
    for number, step in enumerate(steps, 1):
        if step.kind == "sideways" and (number == 1 or steps[number - 2].kind == "up"):
            lines += ["", words.say("next_sideways")]
        lines += ["", *step_lines(words, step, number)]
    return [*lines, "", words.say("first_action", action=steps[0].first_action.in_(words.language))]


def step_lines(words: MapWords, step: Step, number: int) -> list[str]:
    """One step: pay now → then, months, cost, what closes it, the doors behind it, what is missing."""
    doors = words.lattice.doors(step.to)
    facts = {"pay": words.pay_change(step), "months": words.months(step.months), "cost": words.cost(step.cost)}
    lines = [
        words.say("step_head", number=number, to=words.title(step.to)),
        words.say("step_facts", paid=step.earn_while_learning, **facts),
        words.closes(step),
    ]
    if doors.roles and words.pay_is_current:
        opens = words.say("step_doors", roles=doors.roles, best=f"{doors.best_pay:.2f}", year=words.pay_year)
        lines[-1] += " " + opens
    if missing := missing_credentials(words, step):
        lines.append(words.say("step_missing", what=words.credentials(missing)))
    return [*lines, *program_lines(words, step)]


def missing_credentials(words: MapWords, step: Step) -> list[str]:
    """Credentials that the step brings or the role needs and that the employee does not hold."""
    needed = dict.fromkeys((*step.credentials, *words.kb.roles[step.to].credentials_required))
    held = (
        credentials_of(words.employee, words.kb.roles) if words.employee.role == step.from_ else words.employee.credentials
    )
    return [name for name in needed if name not in held]


def program_lines(words: MapWords, step: Step) -> list[str]:
    """What the step's program says to this employee: not open, open later, or how its class goes with the shift."""
    if not step.programs or words.employee.hours_per_week is None:
        return []
    program = words.kb.programs[step.programs[0]]
    found = criteria(program.eligibility, words.employee, words.kb.roles, words.today)
    title = program.title.in_(words.language)
    decided, when = verdict(found), open_from(found)
    if decided == "closed":
        return [words.say("step_program_closed", program=title)]
    if decided == "later" and when:
        return [words.say("step_program_later", program=title, when=words.date(when))]
    best = best_fit(words.kb, program, words.employee, words.today)
    if best is None or best[1].kind not in ("fits", "depends", "clashes"):
        return []
    return [words.say(f"step_class_{best[1].kind}", starts=words.date(best[0].starts))]


def in_the_way(words: MapWords, step: Step) -> float:
    """How far the step falls back for this employee."""
    if not step.programs or words.employee.hours_per_week is None:
        return 0.0
    program = words.kb.programs[step.programs[0]]
    decided = verdict(criteria(program.eligibility, words.employee, words.kb.roles, words.today))
    weight = CLOSED if decided == "closed" else LATER if decided == "later" else 0.0
    best = best_fit(words.kb, program, words.employee, words.today)
    return weight + (CLASHES if best and best[1].kind == "clashes" else 0.0)
