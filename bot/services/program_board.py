"""For coaches and the program lead: who is on the way into which group, moved on stage by stage; do the supports work?"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, col, select

from bot.domain.plans import STAGES
from bot.domain.small_groups import parts_shown
from bot.knowledge_base import KnowledgeBase
from bot.services import queues
from bot.services.audit import record
from bot.services.interests import HOLDS_A_SEAT, advance
from bot.services.plan_words import group_of
from bot.services.plans import language_of
from storage.models import Interest, OutboxItem, Person, SupportOffer

OUTCOMES = ("worked", "partly", "failed", "not-used")
BY_STAFF = STAGES[STAGES.index("applied") : STAGES.index("withdrawn")]  # the rest is the employee's own


@dataclass(frozen=True)
class Waiting:
    """One person's interest. `onward`: the stages that may come next."""

    id: int
    name: str
    stage: str
    since: datetime
    onward: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """One group of a program, or "the next one" when none was open. `seats` is None then."""

    program: str
    title: str
    starts: date | None
    apply_by: date | None
    seats: int | None
    taken: int
    people: tuple[Waiting, ...]


@dataclass(frozen=True)
class SupportOutcome:
    """How a support worked for those who were asked ten days later: people. None where they are too few."""

    support: str
    title: str
    asked: int | None
    worked: int | None
    partly: int | None
    failed: int | None
    not_used: int | None
    fails_often: bool  # of enough people, at least half of those who used it say that it did not work, or only in part


def groups_of(session: Session, kb: KnowledgeBase, workspace: str) -> list[Group]:
    """Every group with people in it, the next to start first."""
    rows = select(Interest, Person).join(Person, col(Person.id) == Interest.person_id)
    rows = rows.where(Interest.workspace == workspace, Interest.stage != "withdrawn").order_by(col(Interest.since))
    people: dict[tuple[str, str], list[Waiting]] = {}
    for interest, person in session.exec(rows).all():
        onward = tuple(stage for stage in BY_STAFF if STAGES.index(stage) > STAGES.index(interest.stage))
        name = f"{person.first_name} {person.last_name}".strip()
        waiting = Waiting(interest.id or 0, name, interest.stage, interest.since, onward)
        people.setdefault((interest.program, interest.cohort), []).append(waiting)
    groups = [_group(kb, program, cohort, found) for (program, cohort), found in people.items()]
    return sorted(groups, key=lambda group: (group.starts or date.max, group.title))


def _group(kb: KnowledgeBase, program: str, cohort_id: str, people: list[Waiting]) -> Group:
    known, cohort = group_of(kb, f"{program}:{cohort_id}")
    title = known.title.en if known else program
    taken = sum(each.stage in HOLDS_A_SEAT for each in people)
    if cohort is None:
        return Group(program, title, None, None, None, taken, tuple(people))
    return Group(program, title, cohort.starts, cohort.apply_by, cohort.seats, taken, tuple(people))


def move_on(
    session: Session, kb: KnowledgeBase, interest_id: int, stage: str, by: Person, now: datetime
) -> tuple[Interest, OutboxItem | None]:
    """The next stage, and the message that tells the employee. Raises ValueError, in words for the page."""
    interest = session.get(Interest, interest_id)
    if interest is None or interest.workspace != by.workspace or interest.stage == "withdrawn":
        raise ValueError("This name is off the list by now.")
    if stage not in BY_STAFF or STAGES.index(stage) <= STAGES.index(interest.stage):
        raise ValueError(f"That was not done: {stage} does not come after {interest.stage}.")
    advance(session, interest, stage, by, now)
    record(session, by, "moved on", now, subject_id=interest.person_id, reason=f"{interest.program}: {stage}")
    person = session.get(Person, interest.person_id)
    if person is None or not person.slack_id:
        return interest, None
    language = language_of(person)
    words = {"program": kb.title(f"programs/{interest.program}", language), "stage": kb.say(f"stage_{stage}", language)}
    text = kb.say("interest_moved", language, **words)
    key = f"interest:{interest.id}:{stage}"
    return interest, queues.put(session, interest.workspace, key, person.slack_id, {"text": text}, now)


def support_outcomes(session: Session, kb: KnowledgeBase, workspace: str, smallest: int) -> Sequence[SupportOutcome]:
    """What people said of each support; those that fail often first. What fewer than `smallest` people said is hidden."""
    said = select(SupportOffer.support, SupportOffer.outcome, SupportOffer.person_id).where(
        SupportOffer.workspace == workspace, SupportOffer.outcome != ""
    )
    people: dict[str, dict[str, set[int]]] = {}
    for support, outcome, person in session.exec(said).all():
        people.setdefault(support, {name: set() for name in OUTCOMES})[outcome].add(person)
    found = []
    for support, by_outcome in people.items():
        asked = set().union(*by_outcome.values())
        shown = parts_shown(by_outcome, smallest)
        counts = [len(by_outcome[name]) if name in shown else None for name in OUTCOMES]
        title = kb.title(f"supports/{support}", "en") if kb.has(f"supports/{support}") else support
        enough = len(asked) >= smallest
        failing = enough and _fails_often(by_outcome)
        found.append(SupportOutcome(support, title, len(asked) if enough else None, *counts, fails_often=failing))
    return sorted(found, key=lambda each: (not each.fails_often, -(each.asked or 0), each.title))


def _fails_often(by_outcome: Mapping[str, Set[int]]) -> bool:
    used = set().union(*(people for outcome, people in by_outcome.items() if outcome != "not-used"))
    return len(by_outcome["partly"] | by_outcome["failed"]) * 2 >= len(used) > 0
