"""Who did what with whose conversation: written in the transaction of the act itself, never changed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlmodel import Session, col, or_, select

from bot.domain.privacy import redact
from storage.models import AuditEntry, Person

MOST_SHOWN = 200
WEEKS = 12  # of the log in numbers
NOBODY, THEMSELVES = 0, -1  # no ids: what Trellis did, and what employees did with their own data
READING = ("opened", "revealed", "claimed", "exported")  # what lets somebody read an employee's words or learn their name


def record(
    session: Session,
    actor: Person | None,
    act: str,
    now: datetime,
    *,
    workspace: str = "",
    subject_id: int | None = None,
    conversation_id: int | None = None,
    reason: str = "",
) -> None:
    """`actor` is None for what Trellis does by itself; then `workspace` is needed. Nothing can be taken out of this table
    again, so numbers and names that must not be stored are taken out of the reason here."""
    session.add(
        AuditEntry(
            workspace=actor.workspace if actor else workspace,
            at=now,
            actor_id=actor.id if actor else None,
            act=act,
            subject_id=subject_id,
            conversation_id=conversation_id,
            reason=redact(reason),
        )
    )


@dataclass(frozen=True)
class Act:
    """A line of the log as people read it."""

    id: int
    at: datetime
    actor_id: int | None
    actor: str  # "Trellis" for what nobody did who is on the roster
    act: str
    subject_id: int | None
    conversation_id: int | None
    reason: str


def log_of(
    session: Session,
    workspace: str,
    *,
    subject_id: int | None = None,
    conversation_id: int | None = None,
    before: int | None = None,
    reader: Person | None = None,
) -> list[Act]:
    """The latest acts first; those about one person or conversation when asked. `before` is the id to page on from.
    What concerns people whom `reader` manages is left out."""
    wanted = select(AuditEntry).where(AuditEntry.workspace == workspace)
    if subject_id is not None:
        wanted = wanted.where(AuditEntry.subject_id == subject_id)
    if conversation_id is not None:
        wanted = wanted.where(AuditEntry.conversation_id == conversation_id)
    if reader is not None:
        team = select(Person.id).where(Person.workspace == workspace, Person.manager_id == reader.id)
        wanted = wanted.where(or_(col(AuditEntry.subject_id).is_(None), col(AuditEntry.subject_id).not_in(team)))
    if before is not None:
        wanted = wanted.where(col(AuditEntry.id) < before)
    return _as_acts(session, session.exec(wanted.order_by(col(AuditEntry.id).desc()).limit(MOST_SHOWN)).all())


@dataclass(frozen=True)
class Times:
    """How often somebody did something in the week that began on this Monday: nothing of whom it concerned or why."""

    week: date
    actor: str  # nobody by name who did it with their own data
    act: str
    count: int


def tally_of(session: Session, workspace: str, now: datetime) -> list[Times]:
    """The log of the last WEEKS weeks in numbers, the latest week first, for those who may not know who asked for help."""
    since = datetime.combine(now.date() - timedelta(days=now.weekday(), weeks=WEEKS - 1), time(), UTC)
    wanted = select(AuditEntry.at, AuditEntry.actor_id, AuditEntry.subject_id, AuditEntry.act).where(
        AuditEntry.workspace == workspace, col(AuditEntry.at) >= since
    )
    counts = Counter(
        (at.date() - timedelta(days=at.weekday()), THEMSELVES if actor and actor == subject else actor or NOBODY, act)
        for at, actor, subject, act in session.exec(wanted)
    )
    names = names_of(session, [actor for _, actor, _ in counts]) | {
        NOBODY: "Trellis",
        THEMSELVES: "Employees, for themselves",
    }
    times = [Times(week, names.get(actor, ""), act, count) for (week, actor, act), count in counts.items()]
    return sorted(times, key=lambda each: (-each.week.toordinal(), each.actor, each.act))


def readers_of(session: Session, person: Person) -> list[Act]:
    """Who opened or took on this employee's conversations, learned their name or got a copy, the latest first: what the
    employee may always see. A copy that they fetched themselves is nobody's reading."""
    wanted = select(AuditEntry).where(
        AuditEntry.workspace == person.workspace,
        AuditEntry.subject_id == person.id,
        col(AuditEntry.act).in_(READING),
        col(AuditEntry.actor_id).is_distinct_from(person.id),
    )
    return _as_acts(session, session.exec(wanted.order_by(col(AuditEntry.id).desc())).all())


def _as_acts(session: Session, entries: Sequence[AuditEntry]) -> list[Act]:
    names = names_of(session, [entry.actor_id for entry in entries])
    return [
        Act(
            entry.id or 0,
            entry.at,
            entry.actor_id,
            names.get(entry.actor_id or 0, "Trellis"),
            entry.act,
            entry.subject_id,
            entry.conversation_id,
            entry.reason,
        )
        for entry in entries
    ]


def names_of(session: Session, ids: Sequence[int | None]) -> dict[int, str]:
    """Full names by person id."""
    known = [each for each in set(ids) if each is not None]
    if not known:
        return {}
    people = session.exec(select(Person).where(col(Person.id).in_(known))).all()
    return {person.id or 0: full_name(person) for person in people}


def full_name(person: Person) -> str:
    return f"{person.first_name} {person.last_name}".strip()
