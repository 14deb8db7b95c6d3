"""Slack accounts of people on the roster: found by e-mail, kept up to date when they change."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlmodel import Session, select

from bot.services.people import link_slack_account, may_ask
from storage.database import Sessions
from storage.models import Person

logger = logging.getLogger(__name__)


class Accounts(Protocol):
    """What Slack knows of accounts. Both may raise what the network raises."""

    def account_of(self, email: str) -> dict[str, Any] | None:
        """The account with this address; None when Slack has none."""
        ...

    def resting_until(self, slack_ids: Sequence[str], now: datetime) -> dict[str, datetime]:
        """Who has notifications paused now (Do Not Disturb), and until when. At most 50 people."""
        ...


def find_account(sessions: Sessions, accounts: Accounts, person: Person, now: datetime) -> bool:
    """Link the account of somebody who has not written to the app yet. False when Slack could not be asked."""
    if person.slack_id or not person.email:
        return True
    try:
        profile = accounts.account_of(person.email)
    except Exception as error:
        logger.warning("Slack can't say who person %s is: %s", person.id, type(error).__name__)
        return False
    if profile:
        with sessions() as session:
            link_slack_account(session, person.workspace, profile, now)
            session.commit()
    return True


def account_changed(session: Session, workspace: str, profile: dict[str, Any], now: datetime) -> Person | None:
    """`team_join` and `user_change`: a new account is linked, a deactivated one is no longer written to, and its sessions end."""
    known = select(Person).where(Person.workspace == workspace, Person.slack_id == profile["id"])
    person = session.exec(known.where(Person.status != "terminated")).first()
    if person is None:
        return link_slack_account(session, workspace, profile, now)
    may = may_ask(profile, workspace)
    if person.on_slack and not may:
        person.sessions_ended += 1  # who signed in to the console with this account is out
    person.on_slack, person.updated_at = may, now
    person.zone = profile.get("tz") or person.zone
    return person
