"""My plan: choose a goal, steps with dates, done, put off, not for me; private until shared line by line."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, col, select, update

from bot.domain.cards import Language
from bot.domain.eligibility import credentials_of, criteria, open_from, verdict
from bot.domain.lattice import Lattice
from bot.domain.people import Employee
from bot.domain.plans import (
    ASK_ABOUT_SUPPORT_AFTER,
    SNOOZE,
    Planned,
    at_good_hour,
    plan_for_program,
    plan_for_route,
    remind_at,
)
from bot.domain.programs import Cohort, Program
from bot.domain.roles import Step
from bot.knowledge_base import KnowledgeBase
from bot.services.about_me import reminders_of, set_reminders, told_by
from bot.services.class_hours import best_fit
from bot.services.eligibility import first_cohort_from
from bot.services.wraparound import supports_for
from storage.models import Goal, Person, PlanStep, SupportOffer


@dataclass(frozen=True)
class Planning:
    """What making a plan needs to know: the content, the lattice, the employee, today where they are."""

    kb: KnowledgeBase
    lattice: Lattice
    employee: Employee
    today: date
    zone: str


def choose_goal(session: Session, planning: Planning, person: Person, card: str, now: datetime) -> tuple[Goal, bool]:
    """A role or program becomes a goal with its steps; (goal, False) when it is one already. A dropped goal comes back."""
    known = session.exec(select(Goal).where(Goal.person_id == person.id, Goal.card == card)).first()
    if known and known.state != "dropped":
        return known, False
    goal = known or Goal(workspace=person.workspace, person_id=person.id or 0, card=card, chosen_at=now)
    goal.state, goal.chosen_at = "open", now
    session.add(goal)
    session.flush()
    for old in steps_of(session, goal):
        session.delete(old)
    session.flush()
    for position, planned in enumerate(make_plan(planning, card)):
        step = _row(person, goal, planned, position)
        step.remind_at = _reminder(session, planning, person, step, now)
        session.add(step)
        if planned.kind == "support":
            offer_support(session, planning, person, planned.ref, card, now)
    session.flush()
    return goal, True


def make_plan(planning: Planning, card: str) -> list[Planned]:
    """Steps with dates to a role or through a program, for this employee."""
    kb, today = planning.kb, planning.today
    kind, _, slug = card.partition("/")
    held = credentials_of(planning.employee, kb.roles)
    if kind == "programs":
        program = kb.programs[slug]
        tests = [name for name in program.credentials if name not in held and kb.credentials[name].kind != "course-card"]
        return plan_for_program(program, group_for(planning, program), _supports(planning, program), tests, today)
    route = _route(planning, slug)
    if not route:
        return [Planned("first-action", "coach", today)]
    programs = [kb.programs[name] for name in route[0].programs]
    groups = {program.slug: group for program in programs if (group := group_for(planning, program))}
    supports = {program.slug: _supports(planning, program) for program in programs}
    return plan_for_route(route, groups, supports, held, today)


def _route(planning: Planning, goal: str) -> tuple[Step, ...]:
    """The fastest way whose first step is open to the employee; the fastest of all when there is none."""
    start = planning.employee.role
    if start is None:
        return ()

    def is_open(step: Step) -> bool:
        return step.from_ != start or all(not _is_closed(planning, planning.kb.programs[name]) for name in step.programs)

    routes = planning.lattice.routes(start, goal, is_open) or planning.lattice.routes(start, goal)
    return routes[0].steps if routes else ()


def _is_closed(planning: Planning, program: Program) -> bool:
    found = criteria(program.eligibility, planning.employee, planning.kb.roles, planning.today)
    return verdict(found) == "closed"


def group_for(planning: Planning, program: Program) -> tuple[Program, Cohort] | None:
    """The open group that goes best with the shift, once the employee may join; None when there is none."""
    found = criteria(program.eligibility, planning.employee, planning.kb.roles, planning.today)
    decided, when = verdict(found), open_from(found)
    if decided == "closed":
        return None
    if decided == "later" and when:
        cohort = first_cohort_from(program, when, planning.today)
        return (program, cohort) if cohort else None
    best = best_fit(planning.kb, program, planning.employee, planning.today)
    return (program, best[0]) if best else None


def _supports(planning: Planning, program: Program) -> list[str]:
    return [support for support, _ in supports_for(planning.kb, program, planning.employee, planning.today)]


def _row(person: Person, goal: Goal, planned: Planned, position: int) -> PlanStep:
    return PlanStep(
        workspace=person.workspace,
        person_id=person.id or 0,
        goal_id=goal.id or 0,
        position=position,
        kind=planned.kind,
        ref=planned.ref,
        due=planned.due,
    )


def offer_support(session: Session, planning: Planning, person: Person, support: str, card: str, now: datetime) -> None:
    """Kept once a person and support; ten days later they are asked whether it worked."""
    known = select(SupportOffer.id).where(SupportOffer.person_id == person.id, SupportOffer.support == support)
    if session.exec(known).first() is None:
        ask_at = at_good_hour(planning.today + ASK_ABOUT_SUPPORT_AFTER, person.shift, planning.zone)
        session.add(
            SupportOffer(
                workspace=person.workspace,
                person_id=person.id or 0,
                support=support,
                program=card,
                offered_at=now,
                ask_at=ask_at,
            )
        )


# --- what is there -----------------------------------------------------------------------------------------------


def goals_of(session: Session, person: Person) -> Sequence[Goal]:
    """Open and reached goals, the oldest first."""
    mine = select(Goal).where(Goal.person_id == person.id, Goal.state != "dropped")
    return session.exec(mine.order_by(col(Goal.chosen_at))).all()


def steps_of(session: Session, goal: Goal) -> Sequence[PlanStep]:
    return session.exec(select(PlanStep).where(PlanStep.goal_id == goal.id).order_by(col(PlanStep.position))).all()


def shared_lines(session: Session, person: Person) -> list[tuple[Goal, list[PlanStep]]]:
    """All that a manager may see: shared goals and shared steps, nothing else."""
    found = []
    for goal in goals_of(session, person):
        steps = [step for step in steps_of(session, goal) if step.shared and step.state != "dropped"]
        if goal.shared or steps:
            found.append((goal, steps))
    return found


def take_back_shared(session: Session, people: Collection[int]) -> None:
    """These people have another manager: what they shared of their plans was meant for the last one and is private again."""
    for kind in (Goal, PlanStep):
        shared = update(kind).where(col(kind.person_id).in_(people), col(kind.shared).is_(True))
        session.exec(shared.values(shared=False))


# --- changing it -------------------------------------------------------------------------------------------------


def own_step(session: Session, person: Person, step_id: int) -> PlanStep | None:
    """The step, when it is this person's."""
    step = session.get(PlanStep, step_id)
    return step if step and step.person_id == person.id else None


def own_goal(session: Session, person: Person, goal_id: int) -> Goal | None:
    goal = session.get(Goal, goal_id)
    return goal if goal and goal.person_id == person.id else None


def change_step(session: Session, person: Person, step_id: int, change: str, planning: Planning, now: datetime) -> bool:
    """done, undo, snooze, share or private; False when the step is not this person's or the change is not known."""
    step = own_step(session, person, step_id)
    if step is None:
        return False
    match change:
        case "done":
            step.state, step.done_at, step.remind_at, step.snoozed_until = "done", now, None, None
        case "undo":
            step.state, step.done_at, step.reason = "todo", None, ""
            step.remind_at = _reminder(session, planning, person, step, now)
        case "snooze":
            step.snoozed_until = planning.today + SNOOZE
            step.remind_at = at_good_hour(step.snoozed_until, person.shift, planning.zone)
        case "share" | "private":
            step.shared = change == "share"
        case _:
            return False
    _note_reached(session, step)
    return True


def drop_step(session: Session, person: Person, step_id: int, reason: str) -> bool:
    """Not for me, with the reason from a closed list."""
    step = own_step(session, person, step_id)
    if step is None:
        return False
    step.state, step.reason, step.remind_at, step.snoozed_until = "dropped", reason, None, None
    _note_reached(session, step)
    return True


def change_goal(session: Session, person: Person, goal_id: int, change: str) -> bool:
    """drop, share or private."""
    goal = own_goal(session, person, goal_id)
    if goal is None or change not in ("drop", "share", "private"):
        return False
    if change == "drop":
        goal.state, goal.shared = "dropped", False
        for step in steps_of(session, goal):
            step.remind_at, step.shared = None, False
    else:
        goal.shared = change == "share"
    return True


def want_reminders(session: Session, planning: Planning, person: Person, value: str, now: datetime) -> None:
    """before or off. Turned on again, every open step still to come is remembered."""
    set_reminders(session, person, value, now)
    session.flush()
    for goal in goals_of(session, person):
        for step in steps_of(session, goal):
            if step.state == "todo":
                step.remind_at = _reminder(session, planning, person, step, now)


def _reminder(session: Session, planning: Planning, person: Person, step: PlanStep, now: datetime) -> datetime | None:
    """When an open step is remembered; None when that is past or not wanted. Jobs to reach are not remembered."""
    if step.kind == "rung" or reminders_of(told_by(session, person)) == "off":
        return None
    if step.snoozed_until:
        at = at_good_hour(step.snoozed_until, person.shift, planning.zone)
        return at if at > now else None
    return remind_at(step.due, person.shift, planning.zone, now)


def _note_reached(session: Session, changed: PlanStep) -> None:
    """A goal is reached when all its steps that were kept are done."""
    goal = session.get(Goal, changed.goal_id)
    if goal and goal.state != "dropped":
        kept = [step for step in steps_of(session, goal) if step.state != "dropped"]
        goal.state = "reached" if kept and all(step.state == "done" for step in kept) else "open"


def answer_about_support(session: Session, person: Person, offer_id: int, outcome: str) -> bool:
    """Did a support work? worked, partly, failed or not-used."""
    offer = session.get(SupportOffer, offer_id)
    if offer is None or offer.person_id != person.id or outcome not in ("worked", "partly", "failed", "not-used"):
        return False
    offer.outcome = outcome
    return True


def language_of(person: Person) -> Language:
    return "es" if person.language == "es" else "en"
