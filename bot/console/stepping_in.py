"""What a coach does in a conversation: each button one route, each act one transaction."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session

from bot.console.access import Staff
from bot.console.parts import parts_of
from bot.console.views import flash
from bot.domain.privacy import redact
from bot.services import notes, reviewing, stepping_in
from bot.services.opening import conversation_for
from bot.services.stepping_in import CantDo
from storage.models import OutboxItem, Person, SavedReply

LONG = Annotated[str, Form(max_length=40_000)]
SHORT = Annotated[str, Form(max_length=200)]
HERE = "/conversations/{conversation_id}"

router = APIRouter()


@router.post(HERE + "/claim")
def claim(request: Request, staff: Staff, conversation_id: int) -> Response:
    return _send(request, conversation_id, lambda s, kb, now: stepping_in.claim(s, kb, staff, conversation_id, now))


@router.post(HERE + "/write")
def write(request: Request, staff: Staff, conversation_id: int, words: LONG = "") -> Response:
    return _send(request, conversation_id, lambda s, kb, now: stepping_in.write(s, kb, staff, conversation_id, words, now))


@router.post(HERE + "/hand-back")
def hand_back(request: Request, staff: Staff, conversation_id: int) -> Response:
    return _send(request, conversation_id, lambda s, kb, now: stepping_in.hand_back(s, kb, staff, conversation_id, now))


@router.post(HERE + "/resolve")
def resolve(request: Request, staff: Staff, conversation_id: int) -> Response:
    done = _send(request, conversation_id, lambda s, kb, now: stepping_in.resolve(s, kb, staff, conversation_id, now))
    if "flash" not in request.session:
        flash(request, "Resolved.")
        return RedirectResponse("/inbox", 303)
    return done


@router.post(HERE + "/snooze")
def snooze(request: Request, staff: Staff, conversation_id: int, until: SHORT) -> Response:
    def act(session: Session, now: datetime) -> None:
        stepping_in.snooze(session, staff, conversation_id, _moment(until), now)

    return _do(request, conversation_id, act, "/inbox")


@router.post(HERE + "/assign")
def assign(request: Request, staff: Staff, conversation_id: int, to: SHORT = "") -> Response:
    def act(session: Session, now: datetime) -> None:
        access = parts_of(request).desk.access
        stepping_in.assign(session, staff, conversation_id, int(to) if to.isdecimal() else None, now, access)

    return _do(request, conversation_id, act)


@router.post(HERE + "/notes")
def add_note(request: Request, staff: Staff, conversation_id: int, words: LONG = "", exchange: SHORT = "") -> Response:
    def act(session: Session, now: datetime) -> None:
        person_id = _employee(session, staff, conversation_id)
        notes.add_note(session, staff, person_id, words, now, int(exchange) if exchange.isdecimal() else None)

    return _do(request, conversation_id, act)


@router.post(HERE + "/labels")
def add_label(request: Request, staff: Staff, conversation_id: int, name: SHORT = "", exchange: SHORT = "") -> Response:
    def act(session: Session, now: datetime) -> None:
        person_id = _employee(session, staff, conversation_id)
        notes.add_label(session, staff, person_id, name, now, int(exchange) if exchange.isdecimal() else None)

    return _do(request, conversation_id, act)


@router.post(HERE + "/labels/{label_id}/drop")
def drop_label(request: Request, staff: Staff, conversation_id: int, label_id: int) -> Response:
    return _do(request, conversation_id, lambda session, _now: notes.drop_label(session, staff, label_id))


@router.post(HERE + "/reviews")
def add_review(
    request: Request,
    staff: Staff,
    conversation_id: int,
    exchange: SHORT,
    verdict: SHORT = "",
    right_card: SHORT = "",
    question: LONG = "",
    comment: LONG = "",
) -> Response:
    def act(session: Session, now: datetime) -> None:
        kb = parts_of(request).desk.answering.kb
        given = reviewing.Verdict(verdict, right_card, question, comment)
        number = int(exchange) if exchange.isdecimal() else 0
        reviewing.review(session, kb, staff, conversation_id, number, given, now)

    return _do(request, conversation_id, act)


@router.post("/saved-replies")
def save_reply(
    request: Request, staff: Staff, title: SHORT = "", language: SHORT = "en", words: LONG = "", back: SHORT = ""
) -> Response:
    """Words that all coaches of the workspace may use again."""
    conversation_id = int(back) if back.isdecimal() else 0

    def act(session: Session, _now: datetime) -> None:
        text = redact(words.replace("\0", "").strip()[: stepping_in.MOST_WORDS])
        if not title.strip() or not text:
            raise CantDo("A saved reply needs a title and words.")
        language_of = "es" if language == "es" else "en"
        session.add(
            SavedReply(
                workspace=staff.workspace,
                title=title.strip(),
                language=language_of,
                text=text,
                added_by=staff.id or 0,
            )
        )

    return _do(request, conversation_id, act)


@router.post("/saved-replies/{reply_id}/drop")
def drop_reply(request: Request, staff: Staff, reply_id: int, back: SHORT = "") -> Response:
    def act(session: Session, _now: datetime) -> None:
        reply = session.get(SavedReply, reply_id)
        if reply and reply.workspace == staff.workspace:
            session.delete(reply)

    return _do(request, int(back) if back.isdecimal() else 0, act)


# --- parts -------------------------------------------------------------------------------------------------------


def _send(request: Request, conversation_id: int, act: Callable[..., list[OutboxItem]]) -> Response:
    """Do it, commit it, and post at once what it wrote to the outbox."""
    parts = parts_of(request)
    try:
        with parts.desk.sessions() as session:
            outgoing = act(session, parts.desk.answering.kb, parts.desk.clock())
            session.commit()
    except CantDo as why:
        flash(request, str(why))
    else:
        parts.send(outgoing)
    return RedirectResponse(f"/conversations/{conversation_id}#end", 303)


def _do(request: Request, conversation_id: int, act: Callable[[Session, datetime], None], back: str = "") -> Response:
    parts = parts_of(request)
    here = f"/conversations/{conversation_id}" if conversation_id else "/inbox"
    try:
        with parts.desk.sessions() as session:
            act(session, parts.desk.clock())
            session.commit()
    except CantDo as why:
        flash(request, str(why))
        return RedirectResponse(here, 303)
    return RedirectResponse(back or here, 303)


def _employee(session: Session, staff: Person, conversation_id: int) -> int:
    try:
        return conversation_for(session, staff, conversation_id).person_id
    except LookupError:
        raise HTTPException(404) from None


def _moment(words: str) -> datetime:
    try:
        moment = datetime.fromisoformat(words)
    except ValueError:
        raise CantDo("That is no date.") from None
    if moment.tzinfo is None:
        raise CantDo("That date has no zone.")
    return moment
