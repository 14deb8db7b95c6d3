"""Nobody waits unseen: too long without a coach, and the lead coaches and the employee hear of it, once each."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, select

from bot.domain.attention import LEVELS, next_working_day, working_time_after
from bot.domain.cards import Language
from bot.knowledge_base.base import show_date
from bot.services import queues
from bot.services.coach_inbox import undelivered_messages
from bot.services.inbox import Desk
from bot.services.people import COACH, LEAD, access_of, staff_in
from bot.services.stepping_in import claim_of, policy_of
from storage.models import Attention, Conversation, Handoff, OutboxItem, Person


def escalate(desk: Desk) -> int:
    """Put what is overdue into the outbox; returns how many messages. May run any number of times: keys make it once."""
    now = desk.clock()
    with desk.sessions() as session:
        told = [
            *_unclaimed(desk, session, now),
            *_unanswered(desk, session, now),
            *_alerts_that_failed(desk, session, now),
        ]
        session.commit()
        return len(told)


def _unclaimed(desk: Desk, session: Session, now: datetime) -> list[OutboxItem]:
    """Handoffs that wait longer than the policy says: to the leads, and honestly to the employee."""
    kb, policy = desk.answering.kb, policy_of(desk.answering.kb)
    told: list[OutboxItem | None] = []
    for handoff in session.exec(select(Handoff).where(Handoff.state == "waiting")):
        wait = timedelta(minutes=policy.urgent_within_minutes)
        due = handoff.asked_at + wait
        if not handoff.urgent:
            due = working_time_after(handoff.asked_at, timedelta(hours=policy.claim_within_hours), kb.employer["zone"])
        if now < due:
            continue
        person = session.get_one(Person, handoff.person_id)
        values = {"who": f"<@{person.slack_id}>", "since": _time(handoff.asked_at, kb.employer["zone"])}
        payload = desk.draw_handoff(kb, values["who"], handoff.urgent, handoff.id or 0)
        payload = _with_words(payload, kb.say("handoff_escalated", "en", **values))
        told += _to_leads(desk, session, person, f"escalated:{handoff.id}", payload, now)
        told.append(_to_employee(desk, session, handoff, person, now))
    return [item for item in told if item]


def _to_employee(desk: Desk, session: Session, handoff: Handoff, person: Person, now: datetime) -> OutboxItem | None:
    kb, conversation = desk.answering.kb, session.get(Conversation, handoff.conversation_id)
    channel = conversation.channel if conversation else person.slack_id
    if not channel:
        return None
    language: Language = "es" if (conversation.language if conversation else person.language) == "es" else "en"
    if handoff.urgent:
        words = kb.say("coach_danger_late", language)
    else:
        day = next_working_day(now.astimezone(ZoneInfo(kb.employer["zone"])).date())
        office = kb.offices["career-center"]
        words = kb.say("coach_late", language, day=show_date(kb, day, language))
        words += " " + kb.say("coach_late_call", language, office=f"{office.name.in_(language)} ({office.phone})")
    payload: dict[str, Any] = {"text": words}
    if conversation and conversation.thread_ts:
        payload["thread_ts"] = conversation.thread_ts
    return queues.put(session, handoff.workspace, f"late:{handoff.id}", channel, payload, now)


def _unanswered(desk: Desk, session: Session, now: datetime) -> list[OutboxItem]:
    """Employees who wrote to a coach and got no answer within the policy time."""
    kb, policy = desk.answering.kb, policy_of(desk.answering.kb)
    told: list[OutboxItem | None] = []
    for row in session.exec(select(Attention).where(Attention.level == LEVELS["reply-due"])):
        due = working_time_after(row.since, timedelta(hours=policy.reply_within_hours), kb.employer["zone"])
        held = claim_of(session, row.conversation_id)
        if now < due or held is None:
            continue
        person = session.get_one(Person, row.person_id)
        values = {
            "who": f"<@{person.slack_id}>",
            "coach": held.coach.first_name,
            "since": _time(row.since, kb.employer["zone"]),
        }
        payload = {"text": kb.say("reply_escalated", "en", **values)}
        key = f"unanswered:{row.conversation_id}:{row.since.timestamp():.0f}"
        told += _to_leads(desk, session, person, key, payload, now)
    return [item for item in told if item]


def _alerts_that_failed(desk: Desk, session: Session, now: datetime) -> list[OutboxItem]:
    """A card that the coach channel did not take goes to the leads in person: a failed notification is an alert."""
    told: list[OutboxItem | None] = []
    workspaces = session.exec(select(Handoff.workspace).where(Handoff.state == "waiting").distinct()).all()
    for workspace in workspaces:
        for item in undelivered_messages(session, workspace):
            kind, _, number = item.key.partition(":")
            handoff = session.get(Handoff, int(number)) if kind == "handoff" and number.isdigit() else None
            if handoff and handoff.state == "waiting":
                person = session.get_one(Person, handoff.person_id)
                payload = desk.draw_handoff(desk.answering.kb, f"<@{person.slack_id}>", handoff.urgent, handoff.id or 0)
                words = desk.answering.kb.say("alert_failed", "en", who=f"<@{person.slack_id}>")
                told += _to_leads(desk, session, person, f"alert:{handoff.id}", _with_words(payload, words), now)
    return [item for item in told if item]


def _to_leads(
    desk: Desk, session: Session, about: Person, key: str, payload: dict[str, Any], now: datetime
) -> list[OutboxItem | None]:
    """To every lead coach in person; to every coach where there is no lead. Never to the employee's own manager."""
    workspace = about.workspace
    team = [
        person
        for person in staff_in(session, workspace, desk.access, COACH, LEAD)
        if person.slack_id and person.id != about.manager_id
    ]
    leads = [person for person in team if access_of(person, desk.access) == LEAD] or team
    return [queues.put(session, workspace, f"{key}:{lead.id}", lead.slack_id or "", payload, now) for lead in leads]


def _with_words(payload: dict[str, Any], words: str) -> dict[str, Any]:
    """The handoff's card with other words at its head, and the same buttons."""
    blocks = [block for block in payload.get("blocks", []) if block.get("type") == "actions"]
    section = {"type": "section", "text": {"type": "mrkdwn", "text": words}}
    return {"text": words} | ({"blocks": [section, *blocks]} if blocks else {})


def _time(moment: datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).strftime("%b %-d, %-I:%M %p")
