"""One conversation: the whole story. Opening it, and learning the name, is written down."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session, select

from bot.console.access import Staff
from bot.console.inbox import WORDS
from bot.console.parts import Parts, parts_of
from bot.console.views import flash, render
from bot.services.audit import log_of
from bot.services.coach_inbox import without_names
from bot.services.opening import conversation_for, may_open, open_conversation, reveal
from bot.services.people import COACH, LEAD, staff_in
from bot.services.plan_words import plan_of
from bot.services.reviewing import VERDICTS, card_choices
from bot.services.story import Story, tell
from storage.models import Handoff, Person, SavedReply

SHORTEST_REASON = 8
REASON = Annotated[str, Form(max_length=300)]
DELIVERED = {"sent": "Delivered", "dead": "NOT delivered", "expired": "NOT delivered", "": ""}

router = APIRouter()


@router.get("/conversations/{conversation_id}")
def conversation(request: Request, staff: Staff, conversation_id: int) -> Response:
    parts = parts_of(request)
    now = parts.desk.clock()
    with parts.desk.sessions() as session:
        try:
            conversation_for(session, staff, conversation_id)
        except LookupError:
            raise HTTPException(404) from None
        reason = may_open(session, staff, conversation_id, now)
        if reason is None:
            return render(request, "open_with_reason.html", staff=staff, conversation_id=conversation_id)
        open_conversation(session, staff, conversation_id, reason, now)
        session.commit()
    with parts.reading() as session:
        story = tell(session, staff, conversation_id, parts.secret)
        return _page(request, staff, parts, session, story)


@router.get("/handoffs/{handoff_id}")
def handoff(request: Request, staff: Staff, handoff_id: int) -> Response:
    """Where the card in the coach channel leads."""
    with parts_of(request).reading() as session:
        asked = session.get(Handoff, handoff_id)
        if asked is None or asked.workspace != staff.workspace or asked.conversation_id is None:
            raise HTTPException(404)
        return RedirectResponse(f"/conversations/{asked.conversation_id}", 303)


@router.post("/conversations/{conversation_id}/open")
def open_with_reason(request: Request, staff: Staff, conversation_id: int, reason: REASON) -> Response:
    """For conversations in which nothing asks for a coach: the employee can read the reason later."""
    return _for_a_reason(request, staff, conversation_id, reason, open_conversation)


@router.post("/conversations/{conversation_id}/reveal", name="reveal")
def reveal_name(request: Request, staff: Staff, conversation_id: int, reason: REASON) -> Response:
    return _for_a_reason(request, staff, conversation_id, reason, reveal)


def _for_a_reason(request: Request, staff: Person, conversation_id: int, reason: str, act: Callable[..., None]) -> Response:
    parts, words = parts_of(request), " ".join(reason.replace("\0", "").split())
    if len(words) < SHORTEST_REASON:
        flash(request, "Please say in a few words why. The employee can read it.")
        return RedirectResponse(f"/conversations/{conversation_id}", 303)
    with parts.desk.sessions() as session:
        try:
            act(session, staff, conversation_id, words, parts.desk.clock())
        except LookupError:
            raise HTTPException(404) from None
        session.commit()
    return RedirectResponse(f"/conversations/{conversation_id}", 303)


def _shared_plan(parts: Parts, session: Session, person: Person) -> list[dict[str, Any]]:
    """The employee's goals and steps, as far as the employee shares them."""
    kb, today = parts.desk.answering.kb, parts.desk.clock().date()
    return [
        {
            "title": goal.title,
            "done": goal.done,
            "steps": goal.steps,
            "shown": [step for step in goal.steps if step.shared],
        }
        for goal in plan_of(session, kb, person, "en", today)
        if goal.shared and goal.state != "dropped"
    ]


def _page(request: Request, staff: Person, parts: Parts, session: Session, story: Story) -> Response:
    kb, now, conversation_id = parts.desk.answering.kb, parts.desk.clock(), story.conversation.id or 0
    role = kb.roles.get(story.person.role or "")
    site = kb.sites.get(story.person.site or "")
    replies = session.exec(
        select(SavedReply).where(SavedReply.workspace == staff.workspace).order_by(SavedReply.title)
    ).all()
    return render(
        request,
        "conversation.html",
        staff=staff,
        story=story,
        mask=lambda words: without_names(words, story.person, story.known),
        plan=_shared_plan(parts, session, story.person),
        role=role.title.en if role else story.person.job_title if story.known else "",
        site=site.name if site else "",
        reasons=WORDS,
        delivered=DELIVERED,
        title_of=lambda card: kb.title(card, "en"),
        coaches=staff_in(session, staff.workspace, parts.desk.access, COACH, LEAD),
        log=[act for act in log_of(session, staff.workspace, conversation_id=conversation_id) if act.act != "signed in"],
        replies=[reply for reply in replies if reply.language == story.conversation.language]
        + [reply for reply in replies if reply.language != story.conversation.language],
        verdicts=VERDICTS,
        cards=card_choices(kb),
        snoozes=[
            ("in 1 hour", now + timedelta(hours=1)),
            ("tomorrow", now + timedelta(days=1)),
            ("in a week", now + timedelta(days=7)),
        ],
        is_mine=story.claim is not None and story.claim.coach.id == staff.id,
        kind=lambda event: type(event).__name__,
    )
