"""The invitation to a check-in as a calendar file (RFC 5545): one UID for ever, SEQUENCE counts the changes."""

from datetime import datetime, timedelta

from icalendar import Calendar, Event, vCalAddress, vText
from sqlmodel import Session

from bot.knowledge_base import KnowledgeBase
from bot.services.audit import full_name
from bot.services.plans import language_of
from storage.models import Checkin, Person


def invitation(session: Session, kb: KnowledgeBase, checkin: Checkin, reader: Person, at: datetime, now: datetime) -> bytes:
    """METHOD:REQUEST for the agreed time, CANCEL for a time that is off; PUBLISH when a side has no e-mail address.

    Holds both names and the time, nothing that anybody wrote.
    """
    employee = session.get_one(Person, checkin.person_id)
    manager = session.get(Person, checkin.manager_id) if checkin.manager_id else None
    off = checkin.slot_at != at
    title = kb.say(
        "calendar_title", language_of(reader), employee=full_name(employee), manager=full_name(manager) if manager else ""
    )
    event = Event()
    event.add("uid", f"checkin-{checkin.id}-{checkin.workspace.lower()}@trellis")
    event.add("sequence", checkin.version)
    event.add("dtstamp", now)
    event.add("dtstart", at)
    event.add("dtend", at + timedelta(minutes=kb.checkins.minutes))
    event.add("summary", title)
    event.add("status", "CANCELLED" if off else "CONFIRMED")
    event.add("class", "PRIVATE")
    calendar = Calendar()
    calendar.add("prodid", "-//Trellis//Career check-ins//EN")
    calendar.add("version", "2.0")
    if manager and manager.email and employee.email:
        event["organizer"] = vCalAddress(f"mailto:{manager.email}")
        event.add("attendee", _attendee(employee))
        calendar.add("method", "CANCEL" if off else "REQUEST")
    else:
        calendar.add("method", "CANCEL" if off else "PUBLISH")
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _attendee(person: Person) -> vCalAddress:
    address = vCalAddress(f"mailto:{person.email}")
    address.params["cn"] = vText(full_name(person))
    address.params["partstat"] = vText("NEEDS-ACTION")
    address.params["rsvp"] = vText("TRUE")
    return address
