"""What both sides do about a check-in: prepare, find a time, say whether it took place, promise, skip.

Each function works in the caller's transaction and returns the messages that it put into the outbox.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, delete, select

from bot.domain.checkins import free_slots, good_time, place, verdict
from bot.domain.privacy import redact
from bot.knowledge_base import KnowledgeBase
from bot.knowledge_base.base import show_date
from bot.services.about_me import told_by
from bot.services.accounts import Accounts, find_account
from bot.services.checkin_rules import is_holiday_at, reach_of, zone_of
from bot.services.checkin_trouble import raise_trouble
from bot.services.checkin_words import Draw, notice, time_choices
from bot.services.checkins import OPEN, put_notice, reschedule, settle
from bot.services.plans import language_of
from storage.database import Sessions
from storage.models import Checkin, CheckinLine, CheckinPromise, OutboxItem, Person

Side = Literal["employee", "manager"]
LATEST_BATCH = 50
AGAIN_IN = timedelta(days=7)  # it did not take place, both say: a new day, so far away
PROMISE_OUTCOMES = ("kept", "partly", "not-yet")
Items = list[OutboxItem | None]


@dataclass(frozen=True)
class Line:
    """One line of the preparation as the employee wrote it."""

    topic: str
    text: str
    shared: bool


def checkin_for(session: Session, person: Person, checkin_id: int) -> tuple[Checkin, Side] | None:
    """The check-in and the person's side of it; None when it is not theirs. Who is not the employee's manager any more
    has no side, not even of a check-in that was theirs."""
    checkin = session.get(Checkin, checkin_id)
    if checkin and checkin.person_id == person.id:
        return checkin, "employee"
    if checkin and checkin.manager_id == person.id:
        return (checkin, "manager") if session.get_one(Person, checkin.person_id).manager_id == person.id else None
    return None


def next_checkin(session: Session, person: Person) -> Checkin | None:
    """The employee's own check-in that is open, the earliest."""
    mine = select(Checkin).where(Checkin.person_id == person.id, col(Checkin.state).in_((*OPEN, "disputed", "paused")))
    return session.exec(mine.order_by(col(Checkin.planned_on))).first()


def other_side(session: Session, checkin: Checkin, side: Side) -> Person | None:
    number = checkin.manager_id if side == "employee" else checkin.person_id
    return session.get(Person, number) if number else None


def is_still_with(checkin: Checkin, manager: str) -> bool:
    """Does the check-in still belong to the manager whose name stood in a form (the id, as text)? Else nothing that was
    ticked for them is shared."""
    return manager == str(checkin.manager_id)


# --- preparing ---------------------------------------------------------------------------------------------------


def lines_of(session: Session, person: Person, checkin: Checkin) -> Sequence[CheckinLine]:
    """The employee's own lines, private ones too. Only for the employee."""
    mine = select(CheckinLine).where(CheckinLine.checkin_id == checkin.id, CheckinLine.person_id == person.id)
    return session.exec(mine.order_by(col(CheckinLine.position))).all()


def prepare(session: Session, kb: KnowledgeBase, person: Person, checkin: Checkin, lines: Sequence[Line]) -> None:
    """Keep the employee's lines in place of the earlier ones. Each is private unless it is shared."""
    session.exec(delete(CheckinLine).where(col(CheckinLine.checkin_id) == checkin.id))
    for position, line in enumerate(lines):
        if line.topic in kb.checkins.topics:
            row = {"checkin_id": checkin.id, "person_id": person.id, "position": position, "topic": line.topic}
            session.add(CheckinLine(**row, text=redact(line.text.strip()), shared=line.shared))


# --- finding a time ----------------------------------------------------------------------------------------------


def times_to_offer(session: Session, kb: KnowledgeBase, checkin: Checkin, now: datetime) -> list[datetime]:
    """Times near the day, in the employee's shift, when neither side has another check-in."""
    employee = session.get_one(Person, checkin.person_id)
    told = next((each.value for each in told_by(session, employee) if each.kind == "workdays"), "")
    workdays = frozenset(told.split(",")) if told else None
    tomorrow = (now + timedelta(days=1)).astimezone(ZoneInfo(zone_of(kb, employee))).date()
    busy = _busy(session, checkin, now)
    reach, is_holiday = reach_of(kb, employee), is_holiday_at(kb, employee.site)
    return free_slots(checkin.planned_on, tomorrow, reach, workdays, busy, is_holiday, kb.checkins)


def _busy(session: Session, checkin: Checkin, now: datetime) -> frozenset[datetime]:
    """When one of the two sides has another check-in."""
    both = [each for each in (checkin.person_id, checkin.manager_id) if each]
    booked = select(Checkin.slot_at).where(
        (col(Checkin.manager_id).in_(both)) | (col(Checkin.person_id).in_(both)),
        col(Checkin.slot_at) >= now,
        Checkin.state == "booked",
        Checkin.id != checkin.id,
    )
    return frozenset(at for at in session.exec(booked) if at)


def offer_times(
    session: Session,
    kb: KnowledgeBase,
    draw: Draw,
    checkin: Checkin,
    side: Side,
    times: Sequence[datetime],
    now: datetime,
) -> Items:
    """Suggest times to the other side, who accepts one of them."""
    known = set(times_to_offer(session, kb, checkin, now))
    chosen = sorted(at for at in times if at in known)
    if not chosen or checkin.state not in OPEN:
        return []
    checkin.offered, checkin.offered_by = [at.astimezone(UTC).isoformat() for at in chosen], side
    to, who = (
        other_side(session, checkin, side),
        other_side(session, checkin, "manager" if side == "employee" else "employee"),
    )
    if to is None:
        return []
    key = f"checkin:{checkin.id}:offered:{checkin.version}:{now.timestamp():.0f}"
    words = replace(notice(kb, "offered", checkin, to, who), times=time_choices(kb, chosen, to))
    return [put_notice(session, kb, draw, key, to, words, now)]


def accept_time(
    session: Session, kb: KnowledgeBase, draw: Draw, checkin: Checkin, side: Side, at: datetime, now: datetime
) -> Items | None:
    """Agree to a time that the other side suggested; both hear of it. None when it is gone by now."""
    offered = [datetime.fromisoformat(each) for each in checkin.offered]
    if checkin.offered_by == side or at not in offered or checkin.state not in OPEN or at <= now:
        return None
    if any(abs(at - other) < timedelta(minutes=kb.checkins.minutes) for other in _busy(session, checkin, now)):
        return None
    employee = session.get_one(Person, checkin.person_id)
    kind = "moved" if checkin.slot_at else "booked"
    checkin.slot_at, checkin.state, checkin.offered, checkin.offered_by = at, "booked", [], ""
    checkin.planned_on = at.astimezone(ZoneInfo(zone_of(kb, employee))).date()
    reschedule(session, kb, checkin, now)
    return _tell_both(session, kb, draw, checkin, side, kind, now)


def cancel_time(session: Session, kb: KnowledgeBase, draw: Draw, checkin: Checkin, side: Side, now: datetime) -> Items:
    """The agreed time does not suit any more: the check-in keeps its day and needs a new time."""
    if checkin.slot_at is None or checkin.state != "booked":
        return []
    told = _tell_both(session, kb, draw, checkin, side, "unbooked", now)
    checkin.slot_at, checkin.state = None, "planned"
    reschedule(session, kb, checkin, now)
    return told


def _tell_both(
    session: Session, kb: KnowledgeBase, draw: Draw, checkin: Checkin, side: Side, kind: str, now: datetime
) -> Items:
    """At once to the side that pressed, to the other in a good hour."""
    items: Items = []
    sides: tuple[Side, Side] = ("employee", "manager")
    for reader in sides:
        to, other = other_side(session, checkin, _other(reader)), other_side(session, checkin, reader)
        if to:
            key = f"checkin:{checkin.id}:{kind}:{checkin.version}:{reader}"
            at = [checkin.slot_at] if checkin.slot_at else []
            words = replace(notice(kb, kind, checkin, to, other), times=time_choices(kb, at, to))
            items.append(put_notice(session, kb, draw, key, to, words, now, at_once=reader == side))
    return items


def _other(side: str) -> Side:
    return "manager" if side == "employee" else "employee"


# --- did it take place? ------------------------------------------------------------------------------------------


def say_whether_held(session: Session, kb: KnowledgeBase, checkin: Checkin, side: Side, answer: str, now: datetime) -> str:
    """Keep one side's answer; returns open, held, not-held or disputed. The other side never learns the answer itself."""
    if checkin.state not in (*OPEN, "disputed") or answer not in ("yes", "no"):
        return checkin.state
    if side == "employee":
        checkin.employee_said = answer
    else:
        checkin.manager_said = answer
    result = verdict(checkin.employee_said, checkin.manager_said)
    if result == "held":
        settle(session, checkin, "held", now)
    elif result == "disputed":
        checkin.state, checkin.next_action_at = "disputed", None
        raise_trouble(session, checkin, "checkin-disputed", now)
    elif result == "not-held":
        _again(session, kb, checkin, now)
    return result


def _again(session: Session, kb: KnowledgeBase, checkin: Checkin, now: datetime) -> None:
    """Both say that it did not take place: a new day, the answers are asked anew."""
    employee = session.get_one(Person, checkin.person_id)
    checkin.employee_said = checkin.manager_said = ""
    checkin.slot_at, checkin.state = None, "planned"
    checkin.planned_on = place(now.date() + AGAIN_IN, {}, is_holiday_at(kb, employee.site), kb.checkins)
    reschedule(session, kb, checkin, now)


def skip(session: Session, kb: KnowledgeBase, draw: Draw, checkin: Checkin, side: Side, reason: str, now: datetime) -> Items:
    """No check-in this half-year, for a reason from the list. When the manager says so, the employee hears it."""
    if reason not in kb.checkins.skip_reasons or checkin.state not in OPEN:
        return []
    settle(session, checkin, "skipped", now)
    checkin.skip_reason, checkin.skipped_by = reason, side
    if side == "employee":
        return []
    employee, manager = session.get_one(Person, checkin.person_id), other_side(session, checkin, "employee")
    why = kb.say(f"checkin_skip_{reason}", language_of(employee))
    words = notice(kb, "skipped_by_manager", checkin, employee, manager, why=why)
    key = f"checkin:{checkin.id}:skipped:{checkin.version}"
    return [put_notice(session, kb, draw, key, employee, words, now)]


# --- promises ----------------------------------------------------------------------------------------------------


def promise(
    session: Session,
    kb: KnowledgeBase,
    person: Person,
    checkin: Checkin,
    text: str,
    due_on: date,
    shared: bool,
    now: datetime,
) -> CheckinPromise | None:
    """What this side will do until a day; asked about some weeks later. None for an empty one."""
    words = redact(text.strip())
    if not words:
        return None
    known = select(CheckinPromise).where(CheckinPromise.checkin_id == checkin.id, CheckinPromise.person_id == person.id)
    row = session.exec(known).first() or CheckinPromise(
        workspace=checkin.workspace, checkin_id=checkin.id or 0, person_id=person.id or 0, text="", due_on=due_on
    )
    row.text, row.due_on, row.shared, row.outcome = words, due_on, shared, ""
    ask_on = now.date() + timedelta(days=kb.checkins.promise_asked_after_days)
    row.ask_at = good_time(ask_on, reach_of(kb, person), is_holiday_at(kb, person.site), kb.checkins)
    session.add(row)
    return row


def ask_about_promises(sessions: Sessions, kb: KnowledgeBase, accounts: Accounts, draw: Draw, now: datetime) -> int:
    """Ask everybody whose promise is some weeks old how it went; returns how many."""
    with sessions() as session:
        near = select(CheckinPromise.id, Person).join(Person, col(Person.id) == col(CheckinPromise.person_id))
        near = near.where(col(CheckinPromise.ask_at) <= now).order_by(col(CheckinPromise.ask_at)).limit(LATEST_BATCH)
        found = session.exec(near).all()
    known = {number for number, person in found if find_account(sessions, accounts, person, now)}
    if not known:
        return 0
    with sessions() as session:
        claimed = select(CheckinPromise).where(col(CheckinPromise.id).in_(known), col(CheckinPromise.ask_at) <= now)
        asked = 0
        for row in session.exec(claimed.order_by(col(CheckinPromise.id)).with_for_update(skip_locked=True)).all():
            at, row.ask_at = row.ask_at, None
            asked += _ask_about(session, kb, draw, row, at or now, now)
        session.commit()
        return asked


def _ask_about(session: Session, kb: KnowledgeBase, draw: Draw, row: CheckinPromise, at: datetime, now: datetime) -> bool:
    person, checkin = session.get_one(Person, row.person_id), session.get_one(Checkin, row.checkin_id)
    if row.outcome or now - at > timedelta(days=kb.checkins.too_late_after_days):
        return False
    values = {"promise": row.text, "day": show_date(kb, row.due_on, language_of(person))}
    words = notice(kb, "promise", checkin, person, None, **values)
    words = replace(words, ref=row.id or 0)
    return put_notice(session, kb, draw, f"promise:{row.id}:{row.due_on}", person, words, now) is not None


def answer_promise(session: Session, person: Person, promise_id: int, outcome: str) -> bool:
    row = session.get(CheckinPromise, promise_id)
    if row is None or row.person_id != person.id or outcome not in PROMISE_OUTCOMES:
        return False
    row.outcome, row.ask_at = outcome, None
    return True
