"""A plan in words: made from the steps' ids when it is shown, in the reader's language."""

from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, select

from bot.domain.cards import Language
from bot.domain.programs import Cohort, Program
from bot.knowledge_base import KnowledgeBase
from bot.knowledge_base.base import show_date
from bot.knowledge_base.rendering import show_office
from bot.services.class_hours import sessions_words
from bot.services.plans import goals_of, shared_lines, steps_of
from storage.models import Goal, Interest, Person, PlanStep

DATE_WORDS = {"first-action": "by", "apply": "by", "support": "by", "class": "on", "exam": "about", "rung": "about"}


@dataclass(frozen=True)
class StepView:
    """One line of the plan, ready to be drawn. `open`: neither done nor dropped."""

    id: int
    words: str
    when: str
    state: str
    shared: bool

    @property
    def open(self) -> bool:
        return self.state == "todo"


@dataclass(frozen=True)
class GoalView:
    id: int
    card: str
    title: str
    state: str
    shared: bool
    steps: tuple[StepView, ...]  # without those that are not for me

    @property
    def done(self) -> int:
        return sum(step.state == "done" for step in self.steps)

    @property
    def next(self) -> StepView | None:
        return next((step for step in self.steps if step.open), None)


@dataclass(frozen=True)
class SharedView:
    """What one employee shares with the manager."""

    name: str
    lines: tuple[str, ...]


def plan_of(session: Session, kb: KnowledgeBase, person: Person, language: Language, today: date) -> list[GoalView]:
    """All goals with their steps, in the words of `language`."""
    return [view_of(session, kb, goal, language, today) for goal in goals_of(session, person) if kb.has(goal.card)]


def shared_with(session: Session, kb: KnowledgeBase, manager: Person, language: Language, today: date) -> list[SharedView]:
    """What the people who report to this manager share of their plans, in the manager's language."""
    team = select(Person).where(Person.manager_id == manager.id, Person.status == "active")
    found = []
    for person in session.exec(team.order_by(col(Person.first_name))).all():
        lines = []
        for goal, steps in shared_lines(session, person):
            if goal.shared and kb.has(goal.card):
                lines.append(kb.say("shared_goal", language, title=kb.title(goal.card, language)))
            lines += [
                kb.say(
                    "shared_step",
                    language,
                    words=step_words(kb, each, goal, language),
                    when=_when(kb, each, language, today),
                )
                for each in steps
            ]
        if lines:
            found.append(SharedView(f"{person.first_name} {person.last_name}".strip(), tuple(lines)))
    return found


def view_of(session: Session, kb: KnowledgeBase, goal: Goal, language: Language, today: date) -> GoalView:
    steps = tuple(
        StepView(
            step.id or 0, step_words(kb, step, goal, language), _when(kb, step, language, today), step.state, step.shared
        )
        for step in steps_of(session, goal)
        if step.state != "dropped"
    )
    return GoalView(goal.id or 0, goal.card, kb.title(goal.card, language), goal.state, goal.shared, steps)


def step_words(kb: KnowledgeBase, step: PlanStep, goal: Goal, language: Language) -> str:
    """What to do. Content that is gone by now leaves its id, never an empty line."""
    match step.kind:
        case "first-action":
            return _first_action(kb, step, goal, language)
        case "support":
            return kb.say("plan_step_support", language, title=kb.title(f"supports/{step.ref}", language))
        case "exam":
            credential = kb.credentials.get(step.ref)
            title = credential.name.in_(language) if credential else step.ref
            return kb.say("plan_step_exam", language, title=title)
        case "rung":
            return kb.say("plan_step_rung", language, title=kb.title(f"roles/{step.ref.split('>')[-1]}", language))
    program, cohort = group_of(kb, step.ref)
    title = kb.title(f"programs/{step.ref.split(':')[0]}", language)
    if step.kind == "apply":
        starts = show_date(kb, cohort.starts, language) if cohort else ""
        return kb.say("plan_step_apply", language, program=title, starts=starts)
    when = sessions_words(kb, cohort.sessions, language) if program and cohort else ""
    return kb.say("plan_step_class", language, program=title, when=when)


def _first_action(kb: KnowledgeBase, step: PlanStep, goal: Goal, language: Language) -> str:
    if ">" in step.ref:
        from_, to = step.ref.split(">")
        for edge in kb.steps_from(from_):
            if edge.to == to:
                return edge.first_action.in_(language)
    if step.ref in kb.programs:
        office = show_office(kb.offices["career-center"], language)
        return kb.say("plan_step_program", language, office=office, title=kb.title(f"programs/{step.ref}", language))
    return kb.say("plan_step_coach", language, title=kb.title(goal.card, language))


def group_of(kb: KnowledgeBase, ref: str) -> tuple[Program | None, Cohort | None]:
    """The program and group of "mapp:mapp-2027-day"."""
    slug, _, name = ref.partition(":")
    program = kb.programs.get(slug)
    cohorts = program.cohorts if program else ()
    return program, next((cohort for cohort in cohorts if cohort.id == name), None)


def _when(kb: KnowledgeBase, step: PlanStep, language: Language, today: date) -> str:
    if step.snoozed_until and step.snoozed_until > today:
        return kb.say("plan_snoozed", language, day=show_date(kb, step.snoozed_until, language))
    late = step.due < today and step.state == "todo"
    key = "plan_late" if late else f"plan_{DATE_WORDS[step.kind]}"
    return kb.say(key, language, day=show_date(kb, step.due, language))


def interest_line(kb: KnowledgeBase, interest: Interest, language: Language) -> str:
    """The program, its group and how far it has come."""
    _, cohort = group_of(kb, f"{interest.program}:{interest.cohort}")
    starts = show_date(kb, cohort.starts, language) if cohort else ""
    stage = kb.say(f"stage_{interest.stage}", language)
    title = kb.title(f"programs/{interest.program}", language)
    return kb.say("interest_line", language, program=title, starts=starts, stage=stage)
