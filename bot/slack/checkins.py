"""What both sides press about a check-in. Each press does one thing in one transaction, and shows it. No decisions here."""

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from sqlmodel import Session

from bot.domain.cards import Language
from bot.knowledge_base import KnowledgeBase
from bot.services import queues
from bot.services.accounts import Accounts, account_changed, find_account
from bot.services.answering import today_for
from bot.services.checkin_calendar import invitation
from bot.services.checkin_rules import set_checkin_reminders
from bot.services.checkin_talks import (
    OPEN,
    PROMISE_OUTCOMES,
    Items,
    Line,
    Side,
    accept_time,
    answer_promise,
    cancel_time,
    checkin_for,
    is_still_with,
    lines_of,
    offer_times,
    other_side,
    prepare,
    promise,
    say_whether_held,
    skip,
    times_to_offer,
)
from bot.services.checkin_team import guide_of, has_guide
from bot.services.checkin_words import Digest, Notice, notice, time_choices
from bot.services.checkins import snooze
from bot.services.danger import Checked, check_words
from bot.services.delivery import deliver_one
from bot.services.inbox import Desk, work_through
from bot.services.people import person_by_slack_id
from bot.services.plans import language_of
from bot.slack import checkin_blocks
from bot.slack.home import home_view
from storage.models import Checkin, OutboxItem, Person

logger = logging.getLogger(__name__)
Json = dict[str, Any]
PROMISE_LASTS = timedelta(days=30)


def register_checkins(app: App, desk: Desk, workspace: str, accounts: Accounts) -> None:
    """The listeners of check-ins. `workspace` is the team that the bot token belongs to."""
    Listeners(desk, workspace, accounts).register(app)


class Press:
    """One press, with everything that an action on a check-in needs."""

    def __init__(self, session: Session, body: Json, person: Person, checkin: Checkin, side: Side, more: str) -> None:
        self.session, self.body, self.person, self.checkin, self.side, self.more = session, body, person, checkin, side, more
        self.other = other_side(session, checkin, side)

    @property
    def language(self) -> Language:
        return language_of(self.person)


class Listeners:
    def __init__(self, desk: Desk, workspace: str, accounts: Accounts) -> None:
        self.desk, self.workspace, self.accounts = desk, workspace, accounts

    @property
    def kb(self) -> KnowledgeBase:
        """The content as it is now: it may change while we run."""
        return self.desk.answering.kb

    def draw(self, said: Notice | Digest) -> Json:
        return checkin_blocks.draw(self.kb, said)

    def register(self, app: App) -> None:
        app.action(re.compile(f"^{checkin_blocks.ACTION}:"))(self.on_press)
        app.view(checkin_blocks.PREPARE_VIEW)(self.on_prepared)
        app.view(checkin_blocks.TIMES_VIEW)(self.on_times)
        app.view(checkin_blocks.SKIP_VIEW)(self.on_skip)
        app.view(checkin_blocks.PROMISE_VIEW)(self.on_promise)

    # --- buttons and menus ---------------------------------------------------------------------------------------

    def on_press(self, ack: Ack, body: Json, client: WebClient) -> None:
        ack()
        action = body["actions"][0]
        pressed = str(action.get("value") or (action.get("selected_option") or {}).get("value", ""))
        verb, _, rest = pressed.partition(":")
        number, _, more = rest.partition(":")
        if not number.isdigit():
            return
        if verb in PROMISE_OUTCOMES:
            self._promise_answered(body, client, int(number), verb)
            return
        self._link_other_side(body, int(number))
        opens: dict[str, Callable[[Press], Json]] = {
            "prepare": self._prepare_view,
            "times": self._times_view,
            "skip": self._skip_view,
            "promise": self._promise_view,
            "guide": self._guide_view,
        }
        acts: dict[str, Callable[[Press], Items]] = {
            "yes": self._said,
            "no": self._said,
            "accept": self._accept,
            "cancel": self._cancel,
            "snooze": self._snooze,
            "fewer": self._reminders,
            "stop": self._reminders,
            "start": self._reminders,
        }
        with self.desk.sessions() as session:
            press = self._press(session, body, int(number), more)
            if press is None:
                return
            if verb == "guide" and press.side == "manager" and not has_guide(press.checkin):
                items = [self._tell(press, "over")]
            elif verb in opens:
                view = opens[verb](press)
                session.commit()
                client.views_open(trigger_id=body["trigger_id"], view=view)
                return
            elif verb == "calendar":
                self._calendar(press, client)
                return
            else:
                items = acts[verb](press) if verb in acts else []
            session.commit()
        self._show(client, press.person, items)

    def _press(self, session: Session, body: Json, number: int, more: str = "") -> Press | None:
        """Nothing for who is not on the roster, or for a check-in that is somebody else's."""
        person = person_by_slack_id(session, self.workspace, body["user"]["id"])
        found = checkin_for(session, person, number) if person else None
        return Press(session, body, person, *found, more) if person and found else None

    def _said(self, press: Press) -> Items:
        answer = "yes" if "yes:" in _value(press.body) else "no"
        result = say_whether_held(press.session, self.kb, press.checkin, press.side, answer, self.desk.clock())
        if result == "not-held":
            return [self._tell(press, "new_day")]
        return [self._tell(press, f"thanks_{answer}", f"team_thanks_{answer}" if press.side == "manager" else "")]

    def _accept(self, press: Press) -> Items:
        at = datetime.fromisoformat(press.more)
        told = accept_time(press.session, self.kb, self.draw, press.checkin, press.side, at, self.desk.clock())
        return told if told is not None else [self._tell(press, "time_gone")]

    def _cancel(self, press: Press) -> Items:
        return cancel_time(press.session, self.kb, self.draw, press.checkin, press.side, self.desk.clock())

    def _snooze(self, press: Press) -> Items:
        later = press.side == "employee" and snooze(press.session, self.kb, press.checkin, press.person, self.desk.clock())
        return [self._tell(press, "snoozed" if later else "snoozed_enough")]

    def _reminders(self, press: Press) -> Items:
        wants = {"fewer": "fewer", "stop": "off", "start": "all"}[_value(press.body).partition(":")[0]]
        set_checkin_reminders(press.session, press.person, wants, self.desk.clock())
        return [self._tell(press, f"reminders_{wants}")]

    def _calendar(self, press: Press, client: WebClient) -> None:
        """The invitation as a file; for a time that is off by now, the one that takes it out again."""
        at = datetime.fromisoformat(press.more) if press.more else press.checkin.slot_at
        if at is None:
            return
        file = invitation(press.session, self.kb, press.checkin, press.person, at, self.desk.clock())
        off = press.checkin.slot_at != at
        comment = self.kb.say("calendar_comment_off" if off else "calendar_comment", press.language)
        name = self.kb.say("calendar_file", press.language)
        channel = client.conversations_open(users=press.body["user"]["id"])["channel"]["id"]
        client.files_upload_v2(channel=channel, content=file, filename=f"{name}.ics", title=name, initial_comment=comment)

    def _promise_answered(self, body: Json, client: WebClient, number: int, outcome: str) -> None:
        with self.desk.sessions() as session:
            person = person_by_slack_id(session, self.workspace, body["user"]["id"])
            if person is None or not answer_promise(session, person, number, outcome):
                return
            words = self.kb.say("promise_thanks_kept" if outcome == "kept" else "promise_thanks_more", language_of(person))
            item = self._say(session, body, person, f"promise:{number}:{outcome}", {"text": words})
            session.commit()
        self._show(client, person, [item])

    # --- modals opened -------------------------------------------------------------------------------------------

    def _prepare_view(self, press: Press) -> Json:
        lines = [(line.topic, line.text, line.shared) for line in lines_of(press.session, press.person, press.checkin)]
        return checkin_blocks.prepare_view(self.kb, _form_of(press), self._other(press), lines, press.language)

    def _times_view(self, press: Press) -> Json:
        moments = times_to_offer(press.session, self.kb, press.checkin, self.desk.clock())
        times = time_choices(self.kb, moments, press.person)
        return checkin_blocks.times_view(self.kb, press.checkin.id or 0, self._other(press), times, press.language)

    def _skip_view(self, press: Press) -> Json:
        for_manager = press.side == "manager"
        return checkin_blocks.skip_view(self.kb, press.checkin.id or 0, self._other(press), for_manager, press.language)

    def _promise_view(self, press: Press) -> Json:
        until = today_for(press.person, self.desk.clock(), self.kb.employer["zone"]) + PROMISE_LASTS
        return checkin_blocks.promise_view(self.kb, _form_of(press), self._other(press), until, press.language)

    def _guide_view(self, press: Press) -> Json:
        if press.side != "manager":
            return self._prepare_view(press)
        guide = guide_of(press.session, self.kb, press.person, press.checkin, self.desk.clock())
        return checkin_blocks.guide_view(self.kb, guide, press.language)

    # --- modals sent ---------------------------------------------------------------------------------------------

    # A form is acknowledged once it is kept: until then Slack leaves it open with all that was written in it.

    def on_prepared(self, ack: Ack, body: Json, view: Json, client: WebClient) -> None:
        values = view["state"]["values"]
        lines = []
        for number in range(checkin_blocks.LINES):
            topic = (values[f"topic{number}"]["value"].get("selected_option") or {}).get("value", "")
            text = values[f"text{number}"]["value"].get("value") or ""
            shared = bool(values[f"share{number}"]["value"].get("selected_options"))
            if topic or text.strip():
                lines.append(Line(topic or "other", text, shared))
        checked = self._check(body, view, [line.text for line in lines])
        lines = [line for line, words in zip(lines, checked.words, strict=True) if words == line.text]
        number, _, manager = view["private_metadata"].partition(":")
        with self.desk.sessions() as session:
            press = self._press(session, body, int(number))
            if press is None or press.side != "employee":
                ack()
                return
            if not is_still_with(press.checkin, manager):
                lines = [replace(line, shared=False) for line in lines]
            prepare(session, self.kb, press.person, press.checkin, lines)
            shared = sum(line.shared for line in lines)
            item = None if checked.is_danger else self._tell(press, "thanks_prepared", shared=shared)
            session.commit()
        ack()
        work_through(self.desk, checked.item)
        self._show(client, press.person, [item])

    def on_times(self, ack: Ack, body: Json, view: Json, client: WebClient) -> None:
        ack()
        options = view["state"]["values"]["times"]["value"].get("selected_options") or []
        times = [datetime.fromisoformat(option["value"]) for option in options]
        number = int(view["private_metadata"])
        self._link_other_side(body, number)
        with self.desk.sessions() as session:
            press = self._press(session, body, number)
            if press is None:
                return
            sent = offer_times(session, self.kb, self.draw, press.checkin, press.side, times, self.desk.clock())
            reached = any(sent)
            kind = "thanks_offered" if reached else "no_manager_here" if press.checkin.state in OPEN else "over"
            told = self._tell(press, kind)
            session.commit()
        self._show(client, press.person, [*sent, told])

    def on_skip(self, ack: Ack, body: Json, view: Json, client: WebClient) -> None:
        reason = (view["state"]["values"]["reason"]["value"].get("selected_option") or {}).get("value", "")
        with self.desk.sessions() as session:
            press = self._press(session, body, int(view["private_metadata"]))
            if press is None or press.checkin.state not in OPEN:
                ack()
                return
            told = skip(session, self.kb, self.draw, press.checkin, press.side, reason, self.desk.clock())
            told.append(self._tell(press, "skipped", "team_skipped" if press.side == "manager" else ""))
            session.commit()
        ack()
        self._show(client, press.person, told)

    def on_promise(self, ack: Ack, body: Json, view: Json, client: WebClient) -> None:
        values = view["state"]["values"]
        text = str(values["text"]["value"].get("value") or "")
        until = datetime.fromisoformat(values["day"]["value"]["selected_date"]).date()
        shared = bool(values["share"]["value"].get("selected_options"))
        checked = self._check(body, view, [text])
        if checked.is_danger:
            ack()
            work_through(self.desk, checked.item)
            return
        number, _, manager = view["private_metadata"].partition(":")
        with self.desk.sessions() as session:
            press = self._press(session, body, int(number))
            if press is None:
                ack()
                return
            shared = shared and is_still_with(press.checkin, manager)
            promise(session, self.kb, press.person, press.checkin, text, until, shared, self.desk.clock())
            item = self._tell(press, "promised", shared=shared)
            session.commit()
        ack()
        self._show(client, press.person, [item])

    # --- what all of them need -----------------------------------------------------------------------------------

    def _other(self, press: Press) -> str:
        return press.other.first_name if press.other else self.kb.say("checkin_your_manager", press.language)

    def _check(self, body: Json, view: Json, words: list[str]) -> Checked:
        return check_words(self.desk, self.workspace, body["user"]["id"], view["id"], words)

    def _link_other_side(self, body: Json, number: int) -> None:
        """Who has never written to the app is found in Slack by e-mail, before anything is sent to them."""
        with self.desk.sessions() as session:
            press = self._press(session, body, number)
            other = press.other if press else None
        if other:
            find_account(self.desk.sessions, self.accounts, other, self.desk.clock())

    def _tell(self, press: Press, kind: str, words: str = "", **values: Any) -> OutboxItem | None:
        """An answer to who pressed, with what can be done next. `words`: another message with the same buttons."""
        said = notice(self.kb, kind, press.checkin, press.person, press.other, **values)
        payload = self.draw(said)
        if words:
            text = self.kb.say(words, press.language, other=self._other(press))
            payload = self.draw(replace(said, text=text))
        return self._say(press.session, press.body, press.person, f"checkin:{press.checkin.id}:{kind}", payload)

    def _say(self, session: Session, body: Json, person: Person, key: str, payload: Json) -> OutboxItem | None:
        thread = body.get("message", {}).get("thread_ts")
        channel = body.get("channel", {}).get("id") or person.slack_id or ""
        more = {"thread_ts": thread} if thread else {}
        press = body.get("trigger_id", "")
        return queues.put(session, self.workspace, f"{key}:{press}", channel, payload | more, self.desk.clock())

    def _show(self, client: WebClient, person: Person, items: Items) -> None:
        """Bring the messages to Slack at once, and the Home tab up to date."""
        for item in items:
            if item and item.id:
                deliver_one(self.desk.sessions, self.desk.sender, item.id, self.desk.clock)
        client.views_publish(user_id=person.slack_id or "", view=home_view(self.desk, person))


def _form_of(press: Press) -> str:
    """What a form with boxes to share carries: the check-in, and the manager whose name stands beside them."""
    return f"{press.checkin.id}:{press.checkin.manager_id}"


def _value(body: Json) -> str:
    action = body["actions"][0]
    return str(action.get("value") or (action.get("selected_option") or {}).get("value", ""))


def register_accounts(app: App, desk: Desk, workspace: str) -> None:
    """New, changed and deactivated accounts. Before the listeners that take every other event."""

    @app.event("team_join")
    @app.event("user_change")
    def on_account(event: Json) -> None:
        with desk.sessions() as session:
            account_changed(session, workspace, event["user"], desk.clock())
            session.commit()
