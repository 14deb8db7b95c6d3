"""The inbox page: urgent first, filters, search, counts that keep themselves up to date."""

from datetime import date
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session, select

from bot.console.access import Staff
from bot.console.parts import parts_of
from bot.console.views import flash, render
from bot.services.coach_inbox import Filter, count_conversations, list_conversations, undelivered_messages
from storage.models import Label, Person, SavedFilter

WORDS = {
    "danger": "May be in danger",
    "waiting": "Waiting for a person",
    "reply-due": "Wrote to a coach",
    "with-coach": "With a coach",
    "checkin-disputed": "Check-in disputed",
    "checkin-overdue": "Check-in overdue",
    "not-reached": "Reminder not delivered",
    "thumbs-down": "Thumbs down",
    "abstained": "Not answered",
    "unsure": "Not sure",
    "": "Nothing to do",
}
SHORT = Annotated[str, Query(max_length=200)]

router = APIRouter()


@router.get("/inbox")
def inbox(
    request: Request,
    staff: Staff,
    reason: SHORT = "",
    language: SHORT = "",
    site: SHORT = "",
    topic: SHORT = "",
    whose: SHORT = "",
    label: SHORT = "",
    since: SHORT = "",
    until: SHORT = "",
    words: SHORT = "",
    after: SHORT = "",
) -> Response:
    parts = parts_of(request)
    kb, now = parts.desk.answering.kb, parts.desk.clock()
    wanted = Filter(reason, language, site, topic, whose, label, _day(since), _day(until), words.replace("\0", ""))

    def site_name(site: str) -> str:
        return kb.sites[site].name if site in kb.sites else "No site"

    with parts.reading() as session:
        listed = list_conversations(session, staff, wanted, parts.secret, now, after)
        if request.headers.get("hx-target") == "more":
            return render(request, "inbox_rows.html", staff=staff, listed=listed, words_for=WORDS, site_name=site_name)
        return render(
            request,
            "inbox.html",
            staff=staff,
            listed=listed,
            wanted=wanted,
            words_for=WORDS,
            counts=count_conversations(session, staff, now),
            sites=kb.sites.values(),
            topics=sorted({card.split("/")[0] for card, _ in kb.entries()}),
            labels=_labels(session, staff),
            saved=_saved(session, staff),
            whole_query=request.url.query,
            site_name=site_name,
        )


@router.get("/inbox/counts")
def inbox_counts(request: Request, staff: Staff, reason: SHORT = "", whose: SHORT = "") -> Response:
    """The list of reasons with their counts; the page asks for it again every 20 seconds."""
    parts = parts_of(request)
    with parts.reading() as session:
        counts = count_conversations(session, staff, parts.desk.clock())
    wanted = Filter(reason=reason, whose=whose)
    return render(request, "inbox_counts.html", staff=staff, counts=counts, wanted=wanted, words_for=WORDS)


@router.post("/inbox/filters")
def save_filter(
    request: Request,
    staff: Staff,
    name: Annotated[str, Form(max_length=60)],
    view: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Keep the filters of this page under a name; the same name again replaces it."""
    kept = urlencode([(key, value) for key, value in parse_qsl(view) if key in Filter.__dataclass_fields__])
    with parts_of(request).desk.sessions() as session:
        old = session.exec(
            select(SavedFilter).where(SavedFilter.owner_id == staff.id, SavedFilter.name == name.strip())
        ).first()
        saved = old or SavedFilter(
            workspace=staff.workspace, owner_id=staff.id or 0, name=name.strip() or "My view", query=""
        )
        saved.query = kept
        session.add(saved)
        session.commit()
    flash(request, "Saved.")
    return RedirectResponse(f"/inbox?{kept}", 303)


@router.post("/inbox/filters/{filter_id}/drop")
def drop_filter(request: Request, staff: Staff, filter_id: int) -> Response:
    with parts_of(request).desk.sessions() as session:
        saved = session.get(SavedFilter, filter_id)
        if saved and saved.owner_id == staff.id:
            session.delete(saved)
            session.commit()
    return RedirectResponse("/inbox", 303)


@router.get("/deliveries")
def deliveries(request: Request, staff: Staff) -> Response:
    """Messages that Slack did not take: to whom and why, never the words."""
    with parts_of(request).reading() as session:
        return render(request, "deliveries.html", staff=staff, items=undelivered_messages(session, staff.workspace))


def _day(words: str) -> date | None:
    try:
        return date.fromisoformat(words) if words else None
    except ValueError:
        return None


def _labels(session: Session, staff: Person) -> list[str]:
    return list(session.exec(select(Label.name).where(Label.workspace == staff.workspace).distinct().order_by(Label.name)))


def _saved(session: Session, staff: Person) -> list[SavedFilter]:
    return list(session.exec(select(SavedFilter).where(SavedFilter.owner_id == staff.id).order_by(SavedFilter.name)))
