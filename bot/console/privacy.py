"""Who read what, and people's rights. Nothing here shows a conversation, and the log can't be changed."""

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlmodel import Session, col, func, or_, select

from bot.console.access import HR, Staff
from bot.console.parts import parts_of
from bot.console.views import flash, render
from bot.services.audit import MOST_SHOWN, full_name, log_of, names_of, record, tally_of
from bot.services.privacy_rights import erase_person, export_person
from bot.services.stepping_in import CantDo, policy_of
from storage.models import Conversation, Person

SHORT = Annotated[str, Query(max_length=120)]
REASON = Annotated[str, Form(max_length=300)]
SHORTEST_REASON = 8

router = APIRouter()


@router.get("/audit")
def audit(request: Request, staff: Staff, before: SHORT = "") -> Response:
    parts = parts_of(request)
    with parts.reading() as session:
        if staff.access == HR:  # who asked for help, and why, is not HR's to know
            times = tally_of(session, staff.workspace, parts.desk.clock())
            return render(request, "audit_in_numbers.html", staff=staff, times=times)
        acts = log_of(session, staff.workspace, before=int(before) if before.isdecimal() else None, reader=staff)
        names = names_of(session, [act.subject_id for act in acts])
    return render(request, "audit.html", staff=staff, acts=acts, names=names, page_size=MOST_SHOWN)


@router.get("/people")
def people(request: Request, staff: Staff, words: SHORT = "") -> Response:
    """Find one person by name, number or address; the list is never shown whole."""
    with parts_of(request).reading() as session:
        found = _search(session, staff, words.strip()) if len(words.strip()) >= 2 else []
    return render(request, "people.html", staff=staff, words=words, found=found)


@router.get("/people/{person_id}")
def person_record(request: Request, staff: Staff, person_id: int) -> Response:
    """What can be done for this person; for leads also who opened their chats. HR does not learn whether they wrote at all."""
    parts = parts_of(request)
    policy = policy_of(parts.desk.answering.kb)
    with parts.reading() as session:
        person = _person(session, staff, person_id)
        if staff.access == HR:
            return render(request, "person.html", staff=staff, person=person, who=full_name(person), policy=policy)
        chats = session.exec(select(func.count()).where(Conversation.person_id == person_id)).one()
        acts = log_of(session, staff.workspace, subject_id=person_id)
    return render(
        request, "person.html", staff=staff, person=person, chats=chats, acts=acts, who=full_name(person), policy=policy
    )


@router.post("/people/{person_id}/export")
def person_export(request: Request, staff: Staff, person_id: int, reason: REASON = "") -> Response:
    """The person's own copy, to be handed to them. It holds their chats, so the reason is written down."""
    parts = parts_of(request)
    if len(reason.split()) < 2:
        flash(request, "Please say for whom and why. The person can read it.")
        return RedirectResponse(f"/people/{person_id}", 303)
    with parts.desk.sessions() as session:
        person, now = _person(session, staff, person_id), parts.desk.clock()
        words = export_person(session, parts.desk.answering.kb, person, "es" if person.language == "es" else "en", now)
        record(session, staff, "exported", now, subject_id=person_id, reason=reason.replace("\0", ""))
        session.commit()
    headers = {"Content-Disposition": f'attachment; filename="trellis-data-{person_id}.txt"'}
    return Response(words, media_type="text/plain; charset=utf-8", headers=headers)


@router.post("/people/{person_id}/erase")
def person_erase(request: Request, staff: Staff, person_id: int, name: REASON = "", reason: REASON = "") -> Response:
    parts = parts_of(request)
    with parts.desk.sessions() as session:
        person = _person(session, staff, person_id)
        if " ".join(name.split()).lower() != full_name(person).lower() or len(reason.strip()) < SHORTEST_REASON:
            flash(request, "Nothing was erased: type the full name as it is shown, and the reason.")
            return RedirectResponse(f"/people/{person_id}", 303)
        try:
            erased = erase_person(session, person, staff, parts.desk.clock(), reason.replace("\0", "").strip())
        except CantDo as why:
            flash(request, str(why))
            return RedirectResponse(f"/people/{person_id}", 303)
        session.commit()
    entries = "" if staff.access == HR else f": {erased.all} entries"  # a number says whether they wrote
    flash(request, f"Erased{entries}. Counts without names stay.")
    return RedirectResponse(f"/people/{person_id}", 303)


def _person(session: Session, staff: Person, person_id: int) -> Person:
    person = session.get(Person, person_id)
    if person is None or person.workspace != staff.workspace or person.manager_id == staff.id:
        raise HTTPException(404)  # their own manager neither learns who talks with them nor gets a copy: another one does it
    return person


def _search(session: Session, staff: Person, words: str) -> list[Person]:
    whole = func.lower(col(Person.first_name) + " " + col(Person.last_name))
    fits = or_(
        whole.contains(words.lower(), autoescape=True),
        func.lower(Person.email) == words.lower(),
        Person.employee_id == words,
    )
    wanted = select(Person).where(
        Person.workspace == staff.workspace, fits, col(Person.manager_id).is_distinct_from(staff.id)
    )
    return list(session.exec(wanted.order_by(Person.last_name, Person.first_name).limit(20)))
