"""Check-ins get their day, and both sides are reminded of it. Any number of processes may run this, any number of times.

The row is the schedule: `plan` looks at people whose next check-in is near, `send_due` at check-ins whose next step is
due. What a step sends goes into the outbox in the transaction that takes the step.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import func, literal_column
from sqlmodel import Session, col, select, update

from bot.domain.checkins import (
    BEFORE,
    MESSAGES,
    CheckinPolicy,
    after_leave,
    cycle_date,
    due,
    hours_end,
    monday,
    next_cycle,
    next_good_time,
    place,
    plan_on,
    schedule,
    week_digest,
)
from bot.knowledge_base import KnowledgeBase
from bot.services import queues
from bot.services.accounts import Accounts, find_account
from bot.services.checkin_rules import FEWER, checkin_reminders_of, is_holiday_at, may_reach, reach_of
from bot.services.checkin_trouble import raise_trouble, settle_troubles
from bot.services.checkin_words import Draw, Notice, notice
from storage.database import Sessions
from storage.models import Checkin, CheckinLine, CheckinPromise, CheckinReminder, ManagerDigest, OutboxItem, Person
from storage.queries import insert_new

PLAN_BATCH = 500
SEND_BATCH = 20  # a transaction of a fraction of a second: little is lost when the process is killed in it
MISSED_PLANNING = timedelta(days=60)  # nobody planned for so long: that half-year's check-in is let go
OPEN = ("planned", "booked")
LOOK_AT_ONCE = date(1970, 1, 1)  # as `plan_checkin_on`: the roster has changed for this person


# --- planning ----------------------------------------------------------------------------------------------------


def first_plan_on(person: Person, policy: CheckinPolicy, today: date) -> date | None:
    """When this person's next check-in gets its day; None for who has left, has no manager or no hire date."""
    if person.status == "terminated" or person.hired_on is None or person.manager_id is None:
        return None
    return plan_on(person.hired_on, next_cycle(person.hired_on, today, policy), policy)


def plan(sessions: Sessions, kb: KnowledgeBase, now: datetime) -> int:
    """Give every check-in its day that is near enough; returns how many are new. Work grows with what is due."""
    planned = 0
    while (batch := _plan_some(sessions, kb, now)) is not None:
        planned += batch
    return planned


def _plan_some(sessions: Sessions, kb: KnowledgeBase, now: datetime) -> int | None:
    with sessions() as session:
        near = select(Person).where(col(Person.plan_checkin_on) <= now.date())
        near = near.order_by(col(Person.plan_checkin_on), col(Person.id)).limit(PLAN_BATCH)
        people = session.exec(near.with_for_update(skip_locked=True)).all()
        if not people:
            return None
        for person in people:
            if person.plan_checkin_on == LOOK_AT_ONCE:
                _follow(session, kb, person, now)
        people = [each for each in people if each.plan_checkin_on and each.plan_checkin_on <= now.date()]
        _hold_managers(session, kb, people, now)
        taken, last = _weeks_taken(session, people), _last_days(session, people)
        rows = [row for person in people if (row := _plan_one(kb, person, taken, last.get(person.id or 0), now))]
        before = _count_of(session, people)
        insert_new(session, Checkin, rows)
        count = _count_of(session, people) - before
        session.commit()
        return count


def _plan_one(
    kb: KnowledgeBase, person: Person, taken: Counter[tuple[int, date]], last: tuple[date, date] | None, now: datetime
) -> dict[str, Any] | None:
    """The new check-in's row; `plan_checkin_on` moves on to the half-year after it."""
    policy, today = kb.checkins, now.date()
    if first_plan_on(person, policy, today) is None or person.hired_on is None or person.manager_id is None:
        person.plan_checkin_on = None
        return None
    wanted = (person.plan_checkin_on or today) + timedelta(days=policy.plan_ahead_days)
    cycle = next_cycle(person.hired_on, max(wanted, today - MISSED_PLANNING), policy)
    if plan_on(person.hired_on, cycle, policy) > today:  # the hire date was corrected since
        person.plan_checkin_on = plan_on(person.hired_on, cycle, policy)
        return None
    soonest = [cycle_date(person.hired_on, cycle, policy), today + timedelta(days=policy.prepare_days_before + 1)]
    if last:
        day, anchor = last
        soonest.append(day + timedelta(days=policy.gap_days))
        if anchor != person.hired_on and soonest[0] - day < MISSED_PLANNING:  # the hire date was corrected: it has one
            person.plan_checkin_on = plan_on(person.hired_on, cycle + 1, policy)
            return None
    weeks = {week: count for (manager, week), count in taken.items() if manager == person.manager_id}
    day = place(max(soonest), weeks, is_holiday_at(kb, person.site), policy)
    taken[person.manager_id, monday(day)] += 1
    person.plan_checkin_on = plan_on(person.hired_on, cycle + 1, policy)
    on_leave = person.status == "leave"
    return {
        "workspace": person.workspace,
        "person_id": person.id,
        "manager_id": person.manager_id,
        "anchor": person.hired_on,
        "cycle": cycle,
        "planned_on": day,
        "state": "paused" if on_leave else "planned",
        "next_action_at": None
        if on_leave
        else schedule(day, reach_of(kb, person), is_holiday_at(kb, person.site), policy)[0][1],
    }


def _hold_managers(session: Session, kb: KnowledgeBase, people: Sequence[Person], now: datetime) -> None:
    """One planner at a time counts a manager's weeks: their digest rows are made and locked, always in the same order."""
    ids = {person.manager_id for person in people if person.manager_id}
    managers = session.exec(select(Person).where(col(Person.id).in_(ids))).all()
    _hold_digests(session, kb, {each.id or 0: each for each in managers}, now)


def _hold_digests(session: Session, kb: KnowledgeBase, managers: Mapping[int, Person], now: datetime) -> None:
    rows = [{"manager_id": each, "workspace": managers[each].workspace, "next_at": None} for each in sorted(managers)]
    insert_new(session, ManagerDigest, rows)
    held = select(ManagerDigest).where(col(ManagerDigest.manager_id).in_(managers)).order_by(col(ManagerDigest.manager_id))
    for row in session.exec(held.with_for_update()):
        if row.next_at is None:
            manager = managers[row.manager_id]
            row.next_at = week_digest(now, reach_of(kb, manager), is_holiday_at(kb, manager.site), kb.checkins)


def _weeks_taken(session: Session, people: Sequence[Person]) -> Counter[tuple[int, date]]:
    """How many check-ins each manager of these people has, by week."""
    ids = {person.manager_id for person in people}
    earliest = min((person.plan_checkin_on for person in people if person.plan_checkin_on), default=date.max)
    days = select(Checkin.manager_id, Checkin.planned_on, func.count()).where(
        col(Checkin.manager_id).in_(ids),
        col(Checkin.planned_on) >= earliest,
        col(Checkin.state).in_((*OPEN, "paused", "held")),
    )
    taken: Counter[tuple[int, date]] = Counter()
    for manager, day, count in session.exec(days.group_by(col(Checkin.manager_id), col(Checkin.planned_on))):
        taken[manager or 0, monday(day)] += count
    return taken


def _last_days(session: Session, people: Sequence[Person]) -> dict[int, tuple[date, date]]:
    """The day of each person's latest check-in, and the hire date it was counted from. Those of a job that ended don't count."""
    mine = select(Checkin.person_id, Checkin.planned_on, Checkin.anchor).where(
        col(Checkin.person_id).in_([person.id for person in people]), Checkin.state != "cancelled"
    )
    return {person: (day, anchor) for person, day, anchor in session.exec(mine.order_by(col(Checkin.planned_on)))}


def _count_of(session: Session, people: Sequence[Person]) -> int:
    ids = [person.id for person in people]
    return session.exec(select(func.count()).select_from(Checkin).where(col(Checkin.person_id).in_(ids))).one()


def reschedule(session: Session, kb: KnowledgeBase, checkin: Checkin, now: datetime) -> None:
    """The check-in has a new day or time: work out its next step anew. What was still to be sent about it is let go."""
    person = session.get_one(Person, checkin.person_id)
    checkin.version += 1
    checkin.snoozed_until = None
    steps = schedule(checkin.planned_on, reach_of(kb, person), is_holiday_at(kb, person.site), kb.checkins)
    passed = [step for step, at in steps if at <= now]
    checkin.step = passed[-1] if passed else ("prepare" if checkin.step else None)
    found = due(steps, checkin.step, now, kb.checkins)  # type: ignore[arg-type]
    checkin.next_action_at = found.next_at
    _let_go(session, checkin)


def _let_go(session: Session, checkin: Checkin) -> None:
    """Reminders about the old day that are not out yet."""
    waiting = (
        select(OutboxItem)
        .join(CheckinReminder, col(CheckinReminder.outbox_id) == col(OutboxItem.id))
        .where(CheckinReminder.checkin_id == checkin.id, OutboxItem.state == "ready")
    )
    for item in session.exec(waiting):
        item.state, item.due_at = "expired", None


def settle(session: Session, checkin: Checkin, state: str, now: datetime) -> None:
    """The check-in is over: no more steps, nothing left to send, no coach needed."""
    checkin.state, checkin.settled_at, checkin.next_action_at, checkin.snoozed_until = state, now, None, None
    _let_go(session, checkin)
    settle_troubles(session, checkin, now)


# --- people change -----------------------------------------------------------------------------------------------


def _follow(session: Session, kb: KnowledgeBase, person: Person, now: datetime) -> None:
    """After the roster has changed: open check-ins are cancelled, paused, resumed or moved to the new manager."""
    person.plan_checkin_on = first_plan_on(person, kb.checkins, now.date())
    open_ones = select(Checkin).where(Checkin.person_id == person.id, col(Checkin.state).in_((*OPEN, "paused")))
    checkins = session.exec(open_ones.order_by(col(Checkin.planned_on))).all()
    for checkin in checkins:
        if person.status == "terminated":
            settle(session, checkin, "cancelled", now)
            continue
        if person.status == "leave" and checkin.state != "paused":
            checkin.state, checkin.next_action_at, checkin.slot_at = "paused", None, None
            _let_go(session, checkin)
        elif person.status == "active" and checkin.state == "paused":
            _resume(session, kb, person, checkin, now, is_newest=checkin is checkins[-1])
        if checkin.manager_id != person.manager_id:
            _move_over(session, kb, person, checkin, now)


def _move_over(session: Session, kb: KnowledgeBase, person: Person, checkin: Checkin, now: datetime) -> None:
    """To the new manager, with the same day. A time that was agreed with the old one is off, and what was shared with
    them is private again: the employee is reminded anew, with the new manager's name, and chooses what to share."""
    checkin.manager_id, checkin.manager_said = person.manager_id, ""
    checkin.offered, checkin.offered_by = [], ""
    for kind in (CheckinLine, CheckinPromise):
        session.exec(update(kind).where(col(kind.checkin_id) == checkin.id).values(shared=False))
    if checkin.state in OPEN:
        if checkin.slot_at:
            checkin.slot_at, checkin.state = None, "planned"
        reschedule(session, kb, checkin, now)
        if checkin.step in BEFORE:
            checkin.snoozed_until = checkin.next_action_at = now
    _digest_for(session, kb, person.manager_id, now)


def _resume(
    session: Session, kb: KnowledgeBase, person: Person, checkin: Checkin, now: datetime, *, is_newest: bool
) -> None:
    """Back from leave: only the newest check-in that waited takes place, some days later."""
    if not is_newest:
        settle(session, checkin, "skipped", now)
        checkin.skip_reason = "on-leave"
        return
    earliest = after_leave(now.date(), checkin.planned_on, kb.checkins)
    checkin.planned_on, checkin.state = place(earliest, {}, is_holiday_at(kb, person.site), kb.checkins), "planned"
    reschedule(session, kb, checkin, now)


def _digest_for(session: Session, kb: KnowledgeBase, manager_id: int | None, now: datetime) -> None:
    """The new manager hears of it in their next weekly message."""
    if manager := session.get(Person, manager_id) if manager_id else None:
        _hold_digests(session, kb, {manager.id or 0: manager}, now)


# --- reminding ---------------------------------------------------------------------------------------------------


def send_due(sessions: Sessions, kb: KnowledgeBase, accounts: Accounts, draw: Draw, now: datetime) -> int:
    """Take every step that is due and put its message into the outbox; returns how many messages."""
    sent = 0
    while (batch := _send_some(sessions, kb, accounts, draw, now)) is not None:
        sent += batch
    _note_failures(sessions, now)
    return sent


def _send_some(sessions: Sessions, kb: KnowledgeBase, accounts: Accounts, draw: Draw, now: datetime) -> int | None:
    with sessions() as session:
        near = select(Checkin.id, Person).join(Person, col(Person.id) == col(Checkin.person_id))
        near = near.where(col(Checkin.next_action_at) <= now).order_by(col(Checkin.next_action_at)).limit(SEND_BATCH)
        found = session.exec(near).all()
    known = {number for number, person in found if find_account(sessions, accounts, person, now)}
    if not known:
        return None
    with sessions() as session:
        claimed = select(Checkin).where(col(Checkin.id).in_(known), col(Checkin.next_action_at) <= now)
        checkins = session.exec(claimed.order_by(col(Checkin.id)).with_for_update(skip_locked=True)).all()
        if not checkins:
            return None
        people = {
            each.id: each for each in session.exec(select(Person).where(col(Person.id).in_({c.person_id for c in checkins})))
        }
        resting = _resting(accounts, list(people.values()), now)
        sent = sum(_take_step(session, kb, draw, each, people[each.person_id], resting, now) for each in checkins)
        session.commit()
        return sent


def _resting(accounts: Accounts, people: Sequence[Person], now: datetime) -> dict[str, datetime]:
    """Who has notifications paused. When Slack can't say, Slack itself keeps quiet for them."""
    ids = sorted(person.slack_id for person in people if person.slack_id and may_reach(person))
    try:
        return accounts.resting_until(ids, now) if ids else {}
    except Exception:
        return {}


def _take_step(
    session: Session,
    kb: KnowledgeBase,
    draw: Draw,
    checkin: Checkin,
    person: Person,
    resting: Mapping[str, datetime],
    now: datetime,
) -> bool:
    """The step of one check-in that is due, in the caller's transaction. True when a message goes out."""
    if checkin.state not in OPEN or person.status != "active":
        checkin.next_action_at = None
        if person.status == "leave" and checkin.state in OPEN:
            checkin.state = "paused"
        return False
    is_holiday, reach = is_holiday_at(kb, person.site), reach_of(kb, person)
    steps = schedule(checkin.planned_on, reach, is_holiday, kb.checkins)
    found = due(steps, checkin.step, now, kb.checkins)  # type: ignore[arg-type]
    for step in found.skipped:
        _note(session, checkin, step, now, "too-late")
    step = found.step
    if step is None and checkin.snoozed_until and checkin.snoozed_until <= now:
        step = checkin.step if checkin.step in MESSAGES else None  # type: ignore[assignment]
    if checkin.snoozed_until and checkin.snoozed_until <= now:
        checkin.snoozed_until = None
    checkin.step = found.step or (found.skipped[-1] if found.skipped else checkin.step)
    coming = [at for at in (found.next_at, checkin.snoozed_until) if at]
    checkin.next_action_at = min(coming) if coming else None
    if step is None:
        return False
    if step == "close":
        settle(session, checkin, "missed", now)
        return False
    if step == "coach":
        raise_trouble(session, checkin, "checkin-overdue", now)
        return False
    return _remind(session, kb, draw, checkin, person, step, resting.get(person.slack_id or ""), now)


def _remind(
    session: Session,
    kb: KnowledgeBase,
    draw: Draw,
    checkin: Checkin,
    person: Person,
    step: str,
    wakes: datetime | None,
    now: datetime,
) -> bool:
    """A message to the employee, unless they have stopped it, said already, or can't be reached. `wakes`: when their
    Do Not Disturb ends."""
    wants = checkin_reminders_of(session, person)
    if wants == "off" or (wants == "fewer" and step not in FEWER):
        return _note(session, checkin, step, now, "stopped")
    if step in ("ask", "ask-again") and checkin.employee_said:
        return False
    if not may_reach(person):
        raise_trouble(session, checkin, "not-reached", now)
        return _note(session, checkin, step, now, "not-on-slack")
    manager = session.get(Person, checkin.manager_id) if checkin.manager_id else None
    words = notice(kb, step.replace("-", "_"), checkin, person, manager)
    item = put_notice(session, kb, draw, f"checkin:{checkin.id}:{_key(checkin, step)}", person, words, now, not_before=wakes)
    _note(session, checkin, step, now, "queued", item)
    return item is not None


def put_notice(
    session: Session,
    kb: KnowledgeBase,
    draw: Draw,
    key: str,
    to: Person,
    words: Notice,
    now: datetime,
    *,
    at_once: bool = False,
    not_before: datetime | None = None,
) -> OutboxItem | None:
    """A message into the outbox, for the next good hour of who gets it; `at_once` answers who has just pressed. Should
    delivery be down until these hours are over, it waits for the next ones; after the policy's days it is let go.
    None when it is there already, or nobody can be reached."""
    if not may_reach(to):
        return None
    payload, channel = draw(words), to.slack_id or ""
    if at_once:
        return queues.put(session, to.workspace, key, channel, payload, now)
    reach, is_holiday, policy = reach_of(kb, to), is_holiday_at(kb, to.site), kb.checkins
    at = next_good_time(max(now, not_before or now), reach, is_holiday, policy)
    ends = hours_end(at, reach, policy)
    again = next_good_time(ends, reach, is_holiday, policy)
    late = at + timedelta(days=policy.too_late_after_days)
    hours = {"due_at": at, "not_after": max(late, again + timedelta(days=1)), "good_until": ends, "good_again_at": again}
    return queues.put(session, to.workspace, key, channel, payload, now, **hours)


def _key(checkin: Checkin, step: str) -> str:
    return f"{step}:{checkin.version}:{checkin.snoozes}"


def _note(
    session: Session, checkin: Checkin, step: str, now: datetime, outcome: str, item: OutboxItem | None = None
) -> bool:
    """What became of a step; kept once. Always False: nothing goes out."""
    row = {"checkin_id": checkin.id, "person_id": checkin.person_id, "key": _key(checkin, step), "step": step}
    insert_new(session, CheckinReminder, [row | {"at": now, "outcome": outcome, "outbox_id": item.id if item else None}])
    return False


def _note_failures(sessions: Sessions, now: datetime) -> None:
    """Reminders that Slack refused for good go to the coach's list. The literal makes SQLite use its small index."""
    with sessions() as session:
        dead = select(CheckinReminder).join(OutboxItem, col(OutboxItem.id) == col(CheckinReminder.outbox_id))
        dead = dead.where(literal_column("outbox.state = 'dead'"), CheckinReminder.outcome == "queued")
        for reminder in session.exec(dead.limit(SEND_BATCH)).all():
            reminder.outcome = "failed"
            raise_trouble(session, session.get_one(Checkin, reminder.checkin_id), "not-reached", now)
        session.commit()


def snooze(session: Session, kb: KnowledgeBase, checkin: Checkin, person: Person, now: datetime) -> bool:
    """Not now: the same reminder again in some days. False when it was put off often enough."""
    if checkin.snoozes >= kb.checkins.most_snoozes or checkin.state not in OPEN:
        return False
    checkin.snoozes += 1
    later = now + timedelta(days=kb.checkins.snooze_days)
    at = next_good_time(later, reach_of(kb, person), is_holiday_at(kb, person.site), kb.checkins)
    checkin.snoozed_until = at.astimezone(UTC)
    checkin.next_action_at = min(each for each in (checkin.next_action_at, checkin.snoozed_until) if each)
    return True
