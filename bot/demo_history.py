"""The weeks before the demo opens: what the sample people asked, and what the coaches did about it, in its order."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from bot.localslack import LocalSlack
from bot.services import notes, reviewing, stepping_in
from bot.services.delivery import deliver_one
from bot.services.inbox import Desk
from storage.models import CoachMessage, Conversation, Exchange, OutboxItem, Person, SavedReply

Entry = dict[str, Any]


@dataclass
class History:
    """Entries of content/sample/history.yaml, lived through on the clock of the local Slack."""

    slack: LocalSlack
    desk: Desk
    domain: str  # of everybody's e-mail address

    def live_through(self, entries: list[Entry], now: datetime) -> None:
        """Ends at `now`, whatever the last entry was."""
        today = now.replace(minute=0, second=0, microsecond=0)
        for moment, entry in sorted(((_moment(each, today, now), each) for each in entries), key=lambda pair: pair[0]):
            self.slack.clock.set_to(moment)
            if "coach" in entry:
                self._coach_acts(entry)
            else:
                self._employee_writes(entry)
        self.slack.clock.set_to(now)

    def _employee_writes(self, entry: Entry) -> None:
        member = self.slack.as_user(self._address(entry["who"]))
        if "tells_coach" in entry:  # the bot keeps out of it
            ts = member.say(entry["tells_coach"])
            self.slack.workspace.until(lambda: self._has_reached_coach(ts), 10)
            return
        reply = member.ask(entry["says"])
        if pressed := _AFTERWARDS.get(entry.get("after", "")):
            pressed(member, reply)

    def _coach_acts(self, entry: Entry) -> None:
        with self.desk.sessions() as session:
            coach = session.exec(select(Person).where(Person.email == self._address(entry["coach"]))).one()
            outgoing = _ACTS[entry["does"]](self, session, coach, entry) or []
            session.commit()
        for item in outgoing:
            deliver_one(self.desk.sessions, self.desk.sender, item.id or 0, self.desk.clock)

    def _address(self, name: str) -> str:
        return f"{name}@{self.domain}"

    def _has_reached_coach(self, slack_ts: str) -> bool:
        with self.desk.sessions() as session:
            return session.exec(select(CoachMessage.id).where(CoachMessage.slack_ts == slack_ts)).first() is not None

    # --- what coaches do ---

    def _with(self, session: Session, entry: Entry) -> Conversation:
        """The latest conversation of the employee named in the entry."""
        theirs = select(Conversation).join(Person, col(Person.id) == col(Conversation.person_id))
        theirs = theirs.where(Person.email == self._address(entry["with"])).order_by(col(Conversation.last_at).desc())
        found = session.exec(theirs).first()
        assert found is not None, f"{entry['with']} has said nothing yet"
        return found

    def _steps_in(self, session: Session, coach: Person, entry: Entry) -> list[OutboxItem]:
        number, kb, now = self._with(session, entry).id or 0, self.desk.answering.kb, self.desk.clock()
        match entry["does"]:
            case "claim":
                return stepping_in.claim(session, kb, coach, number, now)
            case "write":
                return stepping_in.write(session, kb, coach, number, entry["words"], now)
            case "hand-back":
                return stepping_in.hand_back(session, kb, coach, number, now)
        return stepping_in.resolve(session, kb, coach, number, now)

    def _note(self, session: Session, coach: Person, entry: Entry) -> None:
        notes.add_note(session, coach, self._with(session, entry).person_id, entry["words"], self.desk.clock())

    def _label(self, session: Session, coach: Person, entry: Entry) -> None:
        notes.add_label(session, coach, self._with(session, entry).person_id, entry["words"], self.desk.clock())

    def _review(self, session: Session, coach: Person, entry: Entry) -> None:
        """A verdict on the latest exchange."""
        number = self._with(session, entry).id or 0
        theirs = select(Exchange.id).where(Exchange.conversation_id == number).order_by(col(Exchange.id).desc())
        exchange = session.exec(theirs).first() or 0
        words = {name: entry.get(name, "") for name in ("verdict", "right_card", "question", "comment")}
        kb, verdict = self.desk.answering.kb, reviewing.Verdict(**words)
        reviewing.review(session, kb, coach, number, exchange, verdict, self.desk.clock())

    def _save_reply(self, session: Session, coach: Person, entry: Entry) -> None:
        session.add(
            SavedReply(
                workspace=coach.workspace,
                title=entry["title"],
                language=entry.get("language", "en"),
                text=entry["words"],
                added_by=coach.id or 0,
            )
        )


_ACTS: dict[str, Callable[[History, Session, Person, Entry], list[OutboxItem] | None]] = {
    **dict.fromkeys(("claim", "write", "hand-back", "resolve"), History._steps_in),
    "note": History._note,
    "label": History._label,
    "review": History._review,
    "save-reply": History._save_reply,
}


def _moment(entry: Entry, today: datetime, now: datetime) -> datetime:
    """`days` ago at `hour` (UTC), or `minutes` ago."""
    if "minutes" in entry:
        return now - timedelta(minutes=entry["minutes"])
    return (today - timedelta(days=entry["days"])).replace(hour=entry["hour"], minute=entry.get("minute", 0))


def _thumb(side: str) -> Callable[[Any, Any], None]:
    def press(member: Any, reply: Any) -> None:
        for block in reply["blocks"]:
            for element in block.get("elements", []):
                if element.get("type") == "feedback_buttons":
                    member.act(reply, block, {**element, "pressed": side})
                    return

    return press


_AFTERWARDS: dict[str, Callable[[Any, Any], None]] = {"up": _thumb("positive_button"), "down": _thumb("negative_button")}
