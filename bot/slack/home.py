"""The Home tab of one employee: my plan, what my team shares, my role, next steps, quick topics, a person."""

from typing import Any

from sqlmodel import Session

from bot.domain.cards import Language
from bot.domain.role_mentions import RolesAsked
from bot.services.about_me import reminders_of, told_by
from bot.services.answering import employee_of, today_for
from bot.services.checkin_rules import checkin_reminders_of
from bot.services.checkin_talks import next_checkin
from bot.services.checkin_team import team_of
from bot.services.checkin_words import when_words
from bot.services.inbox import Desk
from bot.services.interests import interests_of
from bot.services.plan_words import interest_line, plan_of, shared_with
from bot.services.replying import Choice
from bot.slack import blocks
from bot.slack.blocks import Block
from bot.slack.checkin_blocks import draw_mine, draw_team
from bot.slack.plan_blocks import draw_plan, draw_shared
from storage.models import Person

QUICK_TOPICS = ("pathways/next-roles", "programs/overview", "tuition/overview", "supports/overview", "checkins/when-is-mine")


def _checkins(session: Session, desk: Desk, person: Person, language: Language) -> list[Block]:
    """The person's own next check-in, and the team's for who manages people."""
    kb, now = desk.answering.kb, desk.clock()
    drawn: list[Block] = []
    if mine := next_checkin(session, person):
        manager = session.get(Person, mine.manager_id) if mine.manager_id else None
        other = manager.first_name if manager else kb.say("checkin_your_manager", language)
        text = kb.say("home_checkin_when", language, other=other, when=when_words(kb, mine, person))
        if mine.state == "paused":
            drawn += blocks.section(f"{kb.say('home_checkin', language)}\n{kb.say('home_checkin_paused', language)}")
        else:
            past = mine.slot_at < now if mine.slot_at else mine.planned_on < today_for(person, now, kb.employer["zone"])
            can_answer, booked = past and not mine.employee_said, mine.slot_at is not None and not past
            wants = checkin_reminders_of(session, person)
            drawn += draw_mine(kb, mine.id or 0, text, can_answer, booked, wants, language)
    if team := team_of(session, kb, person, now):
        drawn += draw_team(kb, team, language)
    return drawn


def home_view(desk: Desk, person: Person) -> dict[str, Any]:
    kb = desk.answering.kb
    language: Language = "es" if person.language == "es" else "en"
    today = today_for(person, desk.clock(), kb.employer["zone"])
    with desk.sessions() as session:
        employee = employee_of(person, session)
        goals = plan_of(session, kb, person, language, today)
        interests = [(each.id or 0, interest_line(kb, each, language)) for each in interests_of(session, person)]
        shared = shared_with(session, kb, person, language, today) if employee.is_manager else []
        reminders = reminders_of(told_by(session, person)) != "off"
        checkin = _checkins(session, desk, person, language)
    pages = []
    if person.role:
        pages.append(kb.page(f"roles/{person.role}", employee, language, today))
        if page := desk.answering.work_out("pathways/next-roles", RolesAsked(), employee, language, today):
            pages.append(page)
    plan = draw_plan(kb, goals, interests, language, reminders=reminders) + draw_shared(kb, shared, language)
    plan = [*checkin, *plan]
    topics = tuple(Choice(card, kb.title(card, language)) for card in QUICK_TOPICS if kb.has(card))
    return blocks.draw_home(kb, person.first_name, pages, topics, language, plan)
