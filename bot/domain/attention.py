"""What in a conversation needs a coach, and how soon: pure decisions behind the coaches' inbox."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

# The lower, the sooner. Up to WAITS an employee is waiting for a person: whoever waits longest comes first.
LEVELS = {
    "danger": 10,  # shown a safety answer for danger to life; nobody has taken it on yet
    "waiting": 20,  # asked for a person; nobody has claimed it
    "reply-due": 25,  # wrote to the coach who stepped in and has no answer yet
    "with-coach": 30,  # a coach has stepped in
    "checkin-disputed": 35,  # one side says that a check-in took place, the other that it did not
    "checkin-overdue": 36,  # weeks after its day nobody has confirmed it
    "not-reached": 38,  # a reminder could not be delivered, or the person is not in Slack
    "thumbs-down": 40,
    "abstained": 50,
    "unsure": 60,
    "": 100,  # nothing to do
}
WAITS = LEVELS["with-coach"]
NOTHING = LEVELS[""]
UNSURE_BELOW = 0.65  # answers given with less confidence are worth a look


@dataclass(frozen=True)
class Sign:
    """Something that happened and why a coach should look."""

    reason: str
    at: datetime

    @property
    def level(self) -> int:
        return LEVELS[self.reason]

    @property
    def turn(self) -> float:
        """Order within a level, ascending: the longest wait first, else the latest first."""
        return self.at.timestamp() if self.level <= WAITS else -self.at.timestamp()


def most_urgent(signs: Iterable[Sign], otherwise: datetime) -> Sign:
    """The sign that decides where a conversation stands; nothing to do since `otherwise` when there is none."""
    return min(signs, key=lambda sign: (sign.level, sign.turn), default=Sign("", otherwise))


def sign_of_exchange(outcome: str, confidence: float, cards: Iterable[str], at: datetime) -> Sign | None:
    """What an exchange alone says: it was not answered, or not surely. Small talk never needs a coach."""
    if outcome == "abstain":
        return Sign("abstained", at)
    if outcome == "answer" and confidence < UNSURE_BELOW and not any(card.startswith("assistant/") for card in cards):
        return Sign("unsure", at)
    return None


def working_time_after(start: datetime, wait: timedelta, zone: str) -> datetime:
    """`start` plus `wait`, counting Monday to Friday only, in the employer's zone."""
    moment, left = start.astimezone(ZoneInfo(zone)), wait
    while True:
        midnight = (moment + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        if moment.weekday() < 5:
            if moment + left <= midnight:
                return moment + left
            left -= midnight - moment
        moment = midnight


def next_working_day(today: date) -> date:
    """The next Monday to Friday after `today`."""
    day = today + timedelta(days=1)
    while day.weekday() >= 5:
        day += timedelta(days=1)
    return day
