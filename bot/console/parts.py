"""What the console is made of; bot.app puts it together."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from fastapi import Request

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
    secret: str  # signs the session cookie and makes pseudonyms
    client_id: str
    client_secret: str
    slack_web_url: str = "https://slack.com"
    access: Mapping[str, str] = field(default_factory=dict)  # e-mail → role, over the roster's
    idle: timedelta = timedelta(minutes=30)
    longest: timedelta = timedelta(hours=10)
    sign_ins_a_minute: int = 10

    def send(self, outgoing: list[OutboxItem]) -> None:
        """Post at once what was just committed to the outbox; what fails now is sent later by the outbox itself."""
        for item in outgoing:
            deliver_one(self.desk.sessions, self.desk.sender, item.id or 0, self.desk.clock)


def parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts
