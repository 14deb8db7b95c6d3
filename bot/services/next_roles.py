"""Next roles for one employee: up and sideways, what opens, what is missing, what stands in the way."""

from bot.domain.eligibility import credentials_of, criteria, open_from, verdict
from bot.domain.roles import Step
from bot.services.class_hours import best_fit
from bot.services.map_words import MapWords

MOST_UP = 3
MOST_SIDEWAYS = 1
MOST_NAMED = 3  # of the further steps
# Dollars an hour by which a step falls back in the list: a program that is closed, one to wait for, a class in the shift.
CLOSED, LATER, CLASHES = 4.0, 1.5, 1.0


def ranked_steps(words: MapWords, role: str) -> list[Step]:
    return words.lattice.next_steps(role, lambda step: in_the_way(words, step))


def chosen_steps(ranked: list[Step]) -> list[Step]:
    """The steps that are shown: the best three up, then the best one sideways. The map has all of them."""
    up = [step for step in ranked if step.kind == "up"][:MOST_UP]
    return up + [step for step in ranked if step.kind == "sideways"][:MOST_SIDEWAYS]


def next_lines(words: MapWords, role: str, ranked: list[Step]) -> list[str]:
    """The steps that are shown, and the names of further ones."""
    steps = chosen_steps(ranked)
    if not steps:
        return [words.say("next_none", role=words.title(role))]
    pay = words.pay_source([role, *(step.to for step in steps)])
    lines = [words.say("next_from", role=words.title(role), pay=pay)]
    for number, step in enumerate(steps, 1):
        if step.kind == "sideways" and (number == 1 or steps[number - 2].kind == "up"):
            lines += ["", words.say("next_sideways")]
        lines += ["", *step_lines(words, step, number)]
    if further := [words.title(step.to) for step in ranked if step not in steps]:
        names = ", ".join(further[:MOST_NAMED]) + (" …" if len(further) > MOST_NAMED else "")
        lines += ["", words.say("next_more", n=len(further), names=names)]
    return lines


def step_lines(words: MapWords, step: Step, number: int) -> list[str]:
    """One step: pay now → then, months, cost, what is missing and what closes it, the doors behind it, what to do first."""
    facts = {"pay": words.pay_change(step), "months": words.months(step.months), "cost": words.cost(step.cost)}
    lines = [
        words.say("step_head", number=number, to=words.title(step.to)),
        words.say("step_facts", paid=step.earn_while_learning, **facts),
        step.closes.in_(words.language),
    ]
    if further := [name for name in missing_credentials(words, step) if name not in step.credentials]:
        lines[-1] += " " + words.say("step_missing_also", names=words.credentials(further))
    doors = words.lattice.doors(step.to)
    if doors.roles and words.pay_is_current:
        lines[-1] += " " + words.say("step_doors", jobs=words.jobs(doors.roles), best=f"{doors.best_pay:.2f}")
    action = words.say("step_this_week", action=step.first_action.in_(words.language))
    return [*lines, *program_lines(words, step), action]


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
