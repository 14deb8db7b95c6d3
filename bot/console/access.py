"""Who may do what. Every route stands in MAY; what does not stand there is closed to everybody."""

import secrets
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request
from sqlmodel import Session

from bot.console.parts import parts_of
from bot.services.people import COACH, CONTENT_OWNER, HR, LEAD, ROLES, access_of
from storage.models import Person

COACHES = frozenset({COACH, LEAD})
EVERY_ROLE = frozenset(ROLES)

# Names of routes. Conversations are for coaches alone; content owners see questions in coaches' words, HR sees counts.
MAY: dict[str, frozenset[str]] = {
    "home": EVERY_ROLE,
    "sign_out": EVERY_ROLE,
    **dict.fromkeys(("inbox", "inbox_counts", "save_filter", "drop_filter"), COACHES),
    **dict.fromkeys(("conversation", "handoff", "open_with_reason", "reveal"), COACHES),
    **dict.fromkeys(("claim", "write", "hand_back", "resolve", "snooze", "assign"), COACHES),
    **dict.fromkeys(("add_note", "add_label", "drop_label", "save_reply", "drop_reply"), COACHES),
    **dict.fromkeys(("add_review",), COACHES),
    **dict.fromkeys(("reviews", "reviews_yaml", "close_review"), COACHES | {CONTENT_OWNER}),
    **dict.fromkeys(("unanswered",), COACHES | {CONTENT_OWNER}),
    **dict.fromkeys(("content", "content_card", "content_facts", "content_try"), EVERY_ROLE),
    "programs": EVERY_ROLE,
    "move_interest": COACHES | {HR},
    **dict.fromkeys(("dashboards", "dashboard_csv"), EVERY_ROLE),
    **dict.fromkeys(("deliveries",), COACHES),
    **dict.fromkeys(("people", "person_record", "person_erase"), frozenset({LEAD, HR})),
    "person_export": frozenset({LEAD}),
    **dict.fromkeys(("audit",), frozenset({LEAD, HR})),
}
# Calls that the page makes by itself: they do not count as somebody being there.
BY_ITSELF = {"inbox_counts"}


class SignInNeeded(Exception):
    """Nobody is signed in, or was idle for too long."""

    def __init__(self, address: str) -> None:
        self.address = address


class NotAllowed(Exception):
    """Signed in, but this page is not for them."""


class Forged(Exception):
    """The form did not come from our own page."""


def sign_in(request: Request, person: Person) -> None:
    """A new session for somebody with a role; nothing of an older one is taken over."""
    now = parts_of(request).wall().timestamp()
    request.session.clear()
    request.session.update(person=person.id, workspace=person.workspace, since=now, seen=now, csrf=secrets.token_urlsafe(24))
    request.session.update(role=access_of(person, parts_of(request).desk.access), ended=person.sessions_ended)


def end_sessions(session: Session, person: Person) -> None:
    """Every session of this person is over, in this browser and in any other: a copy of the cookie is worth nothing."""
    kept = session.get_one(Person, person.id)
    kept.sessions_ended += 1
    session.commit()


def session_of(request: Request) -> dict[str, Any] | None:
    """The session, when somebody is signed in and was there lately."""
    parts, session = parts_of(request), request.session
    if "person" not in session:
        return None
    now = parts.wall().timestamp()
    if now - session["seen"] > parts.idle.total_seconds() or now - session["since"] > parts.longest.total_seconds():
        session.clear()
        return None
    return session


def guard(request: Request) -> Person:
    """The person at the screen, if they may do this. Looked up every time: who leaves is out at once. Who has signed out, or
    has another role than when they signed in, signs in again."""
    parts, name = parts_of(request), request.scope["route"].name
    session = session_of(request)
    if session is None:
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        raise SignInNeeded(f"/sign-in?next={quote(here, safe='')}" if request.method == "GET" else "/sign-in")
    with parts.reading() as reading:
        person = _person(reading, session["person"])
    if person is None or session.get("ended", 0) != person.sessions_ended:
        session.clear()
        raise SignInNeeded("/sign-in")
    person.access = access_of(person, parts.desk.access)
    if person.access and person.access != session.get("role", person.access):  # older cookies name none
        session.clear()
        raise SignInNeeded("/sign-in")
    if person.access not in MAY.get(name, frozenset()):
        raise NotAllowed
    if name not in BY_ITSELF:
        session["seen"] = parts.wall().timestamp()
    return person


async def own_form(request: Request) -> None:
    """Cross-site request forgery: every form carries the session's secret, and browsers say where it came from."""
    if request.method in ("GET", "HEAD"):
        return
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Forged
    form = await request.form()
    given = request.headers.get("x-csrf") or form.get("csrf") or ""
    expected = request.session.get("csrf", "")
    if not expected or not secrets.compare_digest(str(given).encode(), expected.encode()):
        raise Forged


def _person(session: Session, person_id: int) -> Person | None:
    person = session.get(Person, person_id)
    if person is not None:
        session.expunge(person)  # its access is set for this request only
    return person


Staff = Annotated[Person, Depends(guard)]
