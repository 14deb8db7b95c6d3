"""The manager's side: one message a week for everybody who is due, a guide for each conversation, the team's state.

Everything a manager learns of an employee is made here, from what the employee chose to share and from public content.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from bot.domain.cards import Language
from bot.domain.checkins import monday, week_digest
from bot.knowledge_base import KnowledgeBase
from bot.knowledge_base.base import show_date
from bot.services.accounts import Accounts, find_account
from bot.services.answering import today_for
from bot.services.audit import full_name
from bot.services.checkin_rules import is_holiday_at, may_reach, reach_of
from bot.services.checkin_words import Digest, DigestLine, Draw, when_words
from bot.services.plan_words import step_words
from bot.services.plans import language_of, shared_lines
from bot.services.queues import put
from storage.database import Sessions
from storage.models import Checkin, CheckinLine, CheckinPromise, ManagerDigest, Person

BATCH = 20
DIGEST_AHEAD = timedelta(days=21)  # check-ins so near are in the weekly message
NUDGE_AFTER = timedelta(days=7)  # later than this after its day a check-in is called overdue
DIGEST_LIVES = timedelta(days=3)
TEAM_BACK = timedelta(days=183)
OPEN = ("planned", "booked", "disputed", "paused")
IN_DIGEST = ("overdue", "ask", "due", "booked")
NEXT_JOBS = 3
QUESTIONS = 3


def state_for_manager(checkin: Checkin, now: datetime) -> str:
    """Where it stands, as far as a manager may know: whether the employee has answered, and how, is not part of it."""
    if checkin.state in ("held", "paused", "missed", "skipped"):
        return checkin.state
    happened = checkin.slot_at < now if checkin.slot_at else checkin.planned_on < now.date()
    if checkin.manager_said:
        return "waiting"
    if not happened:
        return "booked" if checkin.slot_at else "due"
    return "overdue" if now.date() - checkin.planned_on > NUDGE_AFTER else "ask"


# --- the weekly message ------------------------------------------------------------------------------------------


def send_digests(sessions: Sessions, kb: KnowledgeBase, accounts: Accounts, draw: Draw, now: datetime) -> int:
    """Put the weekly messages that are due into the outbox; returns how many."""
    sent = 0
    while (batch := _send_some(sessions, kb, accounts, draw, now)) is not None:
        sent += batch
    return sent


def _send_some(sessions: Sessions, kb: KnowledgeBase, accounts: Accounts, draw: Draw, now: datetime) -> int | None:
    with sessions() as session:
        near = select(Person).join(ManagerDigest, col(ManagerDigest.manager_id) == col(Person.id))
        near = near.where(col(ManagerDigest.next_at) <= now).order_by(col(ManagerDigest.next_at)).limit(BATCH)
        managers = session.exec(near).all()
    ids = {each.id for each in managers if find_account(sessions, accounts, each, now)}
    if not ids:
        return None
    with sessions() as session:
        claimed = select(ManagerDigest).where(col(ManagerDigest.manager_id).in_(ids), col(ManagerDigest.next_at) <= now)
        rows = session.exec(claimed.order_by(col(ManagerDigest.manager_id)).with_for_update(skip_locked=True)).all()
        if not rows:
            return None
        sent = sum(_send_digest(session, kb, draw, row, now) for row in rows)
        session.commit()
        return sent


def _send_digest(session: Session, kb: KnowledgeBase, draw: Draw, row: ManagerDigest, now: datetime) -> bool:
    """One manager's message, and the time of the next; none any more once nothing is open."""
    manager = session.get_one(Person, row.manager_id)
    checkins = _open_checkins(session, manager)
    at, row.next_at = row.next_at, None
    if manager.status == "terminated" or not checkins:
        return False
    row.next_at = week_digest(now, reach_of(kb, manager), is_holiday_at(kb, manager.site), kb.checkins)
    digest = digest_of(session, kb, manager, checkins, now)
    if digest is None or not may_reach(manager) or (at and now - at > DIGEST_LIVES):
        return False
    key = f"digest:{manager.id}:{monday((at or now).date())}"
    item = put(session, manager.workspace, key, manager.slack_id or "", draw(digest), now, not_after=now + DIGEST_LIVES)
    return item is not None


def _open_checkins(session: Session, manager: Person) -> Sequence[Checkin]:
    mine = select(Checkin).where(Checkin.manager_id == manager.id, col(Checkin.state).in_(OPEN))
    return session.exec(mine.order_by(col(Checkin.planned_on), col(Checkin.id))).all()


def digest_of(
    session: Session, kb: KnowledgeBase, manager: Person, checkins: Sequence[Checkin], now: datetime
) -> Digest | None:
    """Who is due, who is booked, where an answer is missing, what is late. None when there is nothing to say."""
    language = language_of(manager)
    near = [each for each in checkins if each.planned_on <= now.date() + DIGEST_AHEAD]
    lines = [_line(session, kb, manager, each, now) for each in near]
    lines = sorted((each for each in lines if each.state in IN_DIGEST), key=lambda each: IN_DIGEST.index(each.state))
    if not lines:
        return None
    shown, left = lines[: kb.checkins.digest_people], len(lines) - kb.checkins.digest_people
    late = sum(each.state == "overdue" for each in lines)
    title = kb.say(
        "digest_title",
        language,
        first_name=manager.first_name,
        count=len(lines),
        late=late,
        minutes=kb.checkins.minutes,
    )
    more = kb.say("digest_more", language, count=left) if left > 0 else ""
    return Digest(title, tuple(shown), more, language)


def _line(session: Session, kb: KnowledgeBase, manager: Person, checkin: Checkin, now: datetime) -> DigestLine:
    employee, language = session.get_one(Person, checkin.person_id), language_of(manager)
    state = state_for_manager(checkin, now)
    shift = kb.say(f"shift_{employee.shift}", language) if employee.shift else ""
    words = kb.say(f"team_{state}", language, name=full_name(employee), when=when_words(kb, checkin, manager), shift=shift)
    return DigestLine(checkin.id or 0, state, words)


# --- the team ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Team:
    """The manager's view in the Home tab. `held` of `all`: people who had a check-in in the last half-year."""

    lines: tuple[DigestLine, ...]
    held: int
    all: int


def team_of(session: Session, kb: KnowledgeBase, manager: Person, now: datetime) -> Team | None:
    """Everybody who reports to this manager; None for who manages nobody."""
    people = session.exec(select(Person.id).where(Person.manager_id == manager.id, Person.status != "terminated")).all()
    if not people:
        return None
    lines = [_line(session, kb, manager, each, now) for each in _open_checkins(session, manager)]
    since = now.date() - TEAM_BACK
    held = select(Checkin.person_id).where(
        col(Checkin.person_id).in_(people), Checkin.state == "held", col(Checkin.planned_on) >= since
    )
    order = (*IN_DIGEST, "waiting", "paused")
    lines.sort(key=lambda each: order.index(each.state))
    return Team(tuple(lines), len(set(session.exec(held))), len(people))


# --- the guide to one conversation -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Guide:
    """What a manager reads before a conversation; each part is a heading with lines."""

    title: str
    parts: tuple[tuple[str, tuple[str, ...]], ...]


def has_guide(checkin: Checkin) -> bool:
    """Once the conversation is over, what was shared for it is not shown any more."""
    return checkin.state in OPEN


def guide_of(session: Session, kb: KnowledgeBase, manager: Person, checkin: Checkin, now: datetime) -> Guide:
    """The job's next steps and open groups, what the employee shared, questions, and what not to say."""
    employee, language = session.get_one(Person, checkin.person_id), language_of(manager)

    def head(name: str) -> str:
        return kb.say(f"guide_{name}", language, name=employee.first_name)

    shared = shared_by(session, kb, employee, checkin, language)
    talked = tuple(line.topic for line in _shared_lines(session, checkin))
    parts = [
        (head("when"), (when_words(kb, checkin, manager),)),
        (head("shared"), tuple(shared) or (head("shared_nothing"),)),
        (head("jobs"), tuple(_next_jobs(kb, employee, language, now))),
        (head("groups"), tuple(_open_groups(kb, employee, language, now))),
        (head("questions"), _questions(kb, talked, employee, language)),
        (head("avoid"), tuple(head(f"avoid_{number}") for number in (1, 2, 3))),
        (head("promised"), tuple(_promises(session, kb, checkin, manager, language))),
    ]
    return Guide(head("title"), tuple((title, lines) for title, lines in parts if lines))


def shared_by(session: Session, kb: KnowledgeBase, employee: Person, checkin: Checkin, language: Language) -> list[str]:
    """The lines that the employee shared: from the preparation of this check-in, and from the plan."""
    lines = [
        kb.say("guide_line", language, topic=kb.say(f"checkin_topic_{each.topic}", language), text=each.text)
        for each in _shared_lines(session, checkin)
    ]
    for goal, steps in shared_lines(session, employee):
        if goal.shared:
            lines.append(kb.say("guide_goal", language, title=kb.title(goal.card, language)))
        lines += [kb.say("guide_step", language, words=step_words(kb, step, goal, language)) for step in steps]
    return lines


def _shared_lines(session: Session, checkin: Checkin) -> Sequence[CheckinLine]:
    shared = select(CheckinLine).where(CheckinLine.checkin_id == checkin.id, col(CheckinLine.shared).is_(True))
    return session.exec(shared.order_by(col(CheckinLine.position))).all()


def _promises(session: Session, kb: KnowledgeBase, checkin: Checkin, manager: Person, language: Language) -> list[str]:
    """The manager's own promises to this person, and what the person promised and shared: of the latest check-in."""
    last = select(Checkin.id).where(
        Checkin.person_id == checkin.person_id, Checkin.manager_id == manager.id, Checkin.state == "held"
    )
    latest = session.exec(last.order_by(col(Checkin.planned_on).desc())).first()
    promised = select(CheckinPromise).where(CheckinPromise.checkin_id == latest)
    return [
        kb.say(
            "guide_promise",
            language,
            text=each.text,
            day=show_date(kb, each.due_on, language),
            mine=each.person_id == manager.id,
        )
        for each in session.exec(promised)
        if each.person_id == manager.id or each.shared
    ]


def _next_jobs(kb: KnowledgeBase, employee: Person, language: Language, now: datetime) -> list[str]:
    """Public facts of the job's next steps: title, pay, time."""
    today = today_for(employee, now, kb.employer["zone"])
    lines = []
    for step in kb.steps_from(employee.role or "")[:NEXT_JOBS]:
        pay = kb.pay_line(step.to, language, today)
        title = kb.roles[step.to].title.in_(language)
        lines.append(kb.say("guide_job", language, title=title, months=step.months, pay=pay))
    return lines


def _open_groups(kb: KnowledgeBase, employee: Person, language: Language, now: datetime) -> list[str]:
    """Programs on the way to these jobs that take applications now."""
    today = today_for(employee, now, kb.employer["zone"])
    names = dict.fromkeys(name for step in kb.steps_from(employee.role or "")[:NEXT_JOBS] for name in step.programs)
    lines = []
    for name in names:
        cohort = kb.next_cohort(kb.programs[name], today)
        if cohort:
            dates = {"starts": show_date(kb, cohort.starts, language), "apply_by": show_date(kb, cohort.apply_by, language)}
            lines.append(kb.say("guide_group", language, title=kb.programs[name].title.in_(language), **dates))
    return lines


def _questions(kb: KnowledgeBase, topics: Sequence[str], employee: Person, language: Language) -> tuple[str, ...]:
    """Three good questions: about what was shared first, then the general ones."""
    wanted = [f"guide_ask_{topic}" for topic in topics] + [f"guide_ask_{number}" for number in (1, 2, 3)]
    known = dict.fromkeys(each for each in wanted if each in kb.messages)
    return tuple(kb.say(each, language, name=employee.first_name) for each in list(known)[:QUESTIONS])
