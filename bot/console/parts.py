"""What the console is made of; bot.app puts it together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from fastapi import Request

from bot.console.remembering import Remembered
from bot.services.delivery import Clock, deliver_one
from bot.services.inbox import Desk
from storage.database import Sessions
from storage.models import OutboxItem


@dataclass(frozen=True)
class Parts:
    """`reading` sessions are read-only and take no lock. `wall` is the real time, for sessions and rate limits: the
    demo's clock can be moved, a signed-in coach should not be thrown out by that."""

    desk: Desk
    reading: Sessions
    wall: Clock
    url: str  # where people reach the console, e.g. https://coach.example.org
    secret: str = field(repr=False)  # signs the session cookie and makes pseudonyms
    client_id: str
    client_secret: str = field(repr=False)
    slack_web_url: str = "https://slack.com"
    idle: timedelta = timedelta(minutes=30)
    longest: timedelta = timedelta(hours=10)
    sign_ins_a_minute: int = 10
    remembered: Remembered = field(default_factory=Remembered, repr=False, compare=False)
    workspace: str = ""  # whose rows these parts reach; "" where there is only one

    def send(self, outgoing: list[OutboxItem]) -> None:
        """Post at once what was just committed to the outbox; what fails now is sent later by the outbox itself."""
        for item in outgoing:
            deliver_one(self.desk.sessions, self.desk.sender, item.id or 0, self.desk.clock)


def parts_of(request: Request) -> Parts:
    """Those of the workspace in which somebody is signed in. For people who are not: of the one whose map they look at, else
    the first; they see nothing but the map and the way in."""
    team = request.session.get("workspace") or request.session.get("map", "")
    return parts_at(request, team) or request.app.state.parts


def parts_at(request: Request, team: str) -> Parts | None:
    """The parts for people of this Slack team; None when it is not served here."""
    by_team: Mapping[str, Parts] = request.app.state.by_team
    return by_team.get(team) if by_team else request.app.state.parts
