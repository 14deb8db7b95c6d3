"""Who is writing? People of the roster, found by their Slack id or, the first time, by e-mail."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import Session, func, or_, select

from storage.models import Person

COACH, LEAD, CONTENT_OWNER, HR = "coach", "lead", "content-owner", "hr"
ROLES = (COACH, LEAD, CONTENT_OWNER, HR)

# Statements that every question needs are built once: building them takes longer than the database does.
_BY_SLACK_ID = select(Person).where(
    Person.workspace == bindparam("workspace"), Person.slack_id == bindparam("slack_id"), Person.status != "terminated"
)


def person_by_slack_id(session: Session, workspace: str, slack_id: str) -> Person | None:
    return session.exec(_BY_SLACK_ID, params={"workspace": workspace, "slack_id": slack_id}).first()


def person_with_email(session: Session, workspace: str, email: str) -> Person | None:
    """Somebody who works here and has this address; upper and lower case are the same. None for an empty one."""
    same = select(Person).where(Person.workspace == workspace, func.lower(Person.email) == email.lower())
    return session.exec(same.where(Person.status != "terminated")).first() if email else None


def access_of(person: Person, access: Mapping[str, str]) -> str:
    """What somebody may do for others: a role of ROLES, or "". `access` is e-mail → role, over the roster's; any other word
    there takes a role away. The console and the buttons in Slack both ask here."""
    role = access.get((person.email or "").lower(), person.access)
    return role if role in ROLES and person.status == "active" else ""


def staff_in(session: Session, workspace: str, access: Mapping[str, str], *roles: str) -> list[Person]:
    """The people who have one of these roles now, by first name."""
    here = select(Person).where(Person.workspace == workspace, Person.status == "active")
    named = or_(Person.access != "", func.lower(Person.email).in_(list(access)))
    found = session.exec(here.where(named).order_by(Person.first_name)).all()
    return [person for person in found if access_of(person, access) in roles]


def may_ask(profile: dict[str, Any], workspace: str) -> bool:
    """Only full members of our own workspace: no bots, guests, strangers or deactivated accounts.

    In an Enterprise Grid an account belongs to the organisation and to several of its teams.
    """
    barred = ("is_bot", "deleted", "is_restricted", "is_ultra_restricted", "is_stranger")
    grid = profile.get("enterprise_user") or {}
    homes = {profile.get("team_id", workspace), grid.get("enterprise_id"), *grid.get("teams", ())}
    return not any(profile.get(flag) for flag in barred) and workspace in homes


def link_slack_account(session: Session, workspace: str, profile: dict[str, Any], now: datetime) -> Person | None:
    """The roster row with the account's e-mail address, now linked to it; None for people not on the roster."""
    email = str(profile.get("profile", {}).get("email") or "").lower()
    if not email or not may_ask(profile, workspace):
        return None
    person = person_with_email(session, workspace, email)
    if person is None:
        return None
    person.slack_id, person.on_slack, person.updated_at = profile["id"], True, now
    person.zone = person.zone or profile.get("tz")
    if person.language is None and str(profile.get("locale", "")).startswith("es"):
        person.language = "es"
    return person
