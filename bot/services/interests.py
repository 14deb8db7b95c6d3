"""Interest in a program's group: express it, withdraw it, the wait list, and the stages to the new job."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from bot.domain.plans import STAGES, at_good_hour
from bot.domain.programs import Program
from bot.services.plans import Planning, group_for, offer_support
from bot.services.wraparound import supports_for
from storage.models import Interest, InterestChange, Person

HOLDS_A_SEAT = ("interested", "applied", "accepted", "enrolled", "completed", "placed")
REMIND_BEFORE_DEADLINE = timedelta(days=7)
MOST_SUPPORTS = 2


def express_interest(
    session: Session, planning: Planning, person: Person, program: Program, now: datetime
) -> tuple[Interest, bool]:
    """(interest, is it new). The group is the open one that goes best with the shift; a full group has a wait list."""
    active = select(Interest).where(
        Interest.person_id == person.id, Interest.program == program.slug, Interest.stage != "withdrawn"
    )
    if known := session.exec(active).first():
        return known, False
    group = group_for(planning, program)
    cohort = group[1] if group else None
    name = cohort.id if cohort else ""
    mine = select(Interest).where(Interest.person_id == person.id, Interest.program == program.slug, Interest.cohort == name)
    interest = session.exec(mine).first() or Interest(
        workspace=person.workspace, person_id=person.id or 0, program=program.slug, cohort=name, since=now
    )
    full = cohort is not None and seats_taken(session, person.workspace, program.slug, name) >= cohort.seats
    interest.since = now
    if cohort:
        at = at_good_hour(cohort.apply_by - REMIND_BEFORE_DEADLINE, person.shift, planning.zone)
        interest.remind_at = at if at > now else None
    session.add(interest)
    _move(session, interest, "waiting" if full else "interested", None, now)
    for support, reason in supports_for(planning.kb, program, planning.employee, planning.today)[:MOST_SUPPORTS]:
        if reason:
            offer_support(session, planning, person, support, program.id, now)
    return interest, True


def withdraw(session: Session, person: Person, interest_id: int, now: datetime) -> tuple[Interest | None, Interest | None]:
    """(the interest that was taken back, the one on the wait list that has a seat now). None where there is none."""
    interest = session.get(Interest, interest_id)
    if interest is None or interest.person_id != person.id:
        return None, None
    if interest.stage == "withdrawn":
        return interest, None
    freed = interest.stage in HOLDS_A_SEAT
    interest.remind_at = None
    _move(session, interest, "withdrawn", None, now)
    return interest, next_on_list(session, interest, now) if freed else None


def next_on_list(session: Session, left: Interest, now: datetime) -> Interest | None:
    """Somebody left: who waited longest has the seat. None when nobody waits."""
    waiting = select(Interest).where(
        Interest.workspace == left.workspace,
        Interest.program == left.program,
        Interest.cohort == left.cohort,
        Interest.stage == "waiting",
    )
    following = session.exec(waiting.order_by(col(Interest.since), col(Interest.id))).first()
    if following:
        _move(session, following, "interested", None, now)
    return following


def advance(session: Session, interest: Interest, stage: str, by: Person, now: datetime) -> None:
    """A coach or program owner moves somebody on: applied → accepted → enrolled → completed → placed.

    Raises ValueError for a stage that is not known or that goes backwards.
    """
    if stage not in STAGES or STAGES.index(stage) <= STAGES.index(interest.stage):
        raise ValueError(f"{interest.stage} does not lead to {stage}")
    if stage != "waiting":
        interest.remind_at = None
    _move(session, interest, stage, by.id, now)


def _move(session: Session, interest: Interest, stage: str, by_id: int | None, now: datetime) -> None:
    interest.stage = stage
    session.add(interest)
    session.flush()
    session.add(InterestChange(workspace=interest.workspace, interest_id=interest.id or 0, stage=stage, at=now, by_id=by_id))
    session.flush()


def seats_taken(session: Session, workspace: str, program: str, cohort: str) -> int:
    taken = select(func.count()).where(
        Interest.workspace == workspace,
        Interest.program == program,
        Interest.cohort == cohort,
        col(Interest.stage).in_(HOLDS_A_SEAT),
    )
    return session.exec(taken).one()


def place_on_list(session: Session, interest: Interest) -> int:
    """1 for who is next; 0 for someone who does not wait."""
    if interest.stage != "waiting":
        return 0
    ahead = select(func.count()).where(
        Interest.workspace == interest.workspace,
        Interest.program == interest.program,
        Interest.cohort == interest.cohort,
        Interest.stage == "waiting",
        (col(Interest.since) < interest.since) | ((Interest.since == interest.since) & (col(Interest.id) < interest.id)),
    )
    return session.exec(ahead).one() + 1


def interests_of(session: Session, person: Person) -> Sequence[Interest]:
    mine = select(Interest).where(Interest.person_id == person.id, Interest.stage != "withdrawn")
    return session.exec(mine.order_by(col(Interest.since))).all()


def people_interested(session: Session, workspace: str, program: str) -> Sequence[tuple[Interest, Person]]:
    """For the program's owner and the coaches: everyone with interest, by group and time."""
    found = (
        select(Interest, Person)
        .join(Person, col(Person.id) == Interest.person_id)
        .where(Interest.workspace == workspace, Interest.program == program, Interest.stage != "withdrawn")
    )
    return session.exec(found.order_by(col(Interest.cohort), col(Interest.since))).all()
