"""What employees press about their plan: goals, steps, interest, requests, print, map. No decisions here."""

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlmodel import Session

from bot.domain.cards import Language
from bot.domain.plans import NOT_FOR_ME
from bot.knowledge_base import KnowledgeBase
from bot.knowledge_base.base import show_date
from bot.knowledge_base.rendering import show_office
from bot.services import queues
from bot.services.about_me import experience_words, tell, told_by
from bot.services.answering import employee_of, today_for
from bot.services.class_requests import draft, send_request
from bot.services.danger import Checked, check_words
from bot.services.delivery import deliver_one
from bot.services.inbox import Desk, work_through
from bot.services.interests import express_interest, place_on_list, withdraw
from bot.services.map_picture import map_picture
from bot.services.people import link_slack_account, person_by_slack_id
from bot.services.plan_pdf import plan_pdf
from bot.services.plan_words import group_of, plan_of, view_of
from bot.services.plans import (
    Planning,
    answer_about_support,
    change_goal,
    change_step,
    choose_goal,
    drop_step,
    group_for,
    language_of,
    want_reminders,
)
from bot.slack import plan_blocks, plan_views
from bot.slack.home import home_view
from storage.models import Interest, OutboxItem, Person

logger = logging.getLogger(__name__)
Json = dict[str, Any]


def register_plans(app: App, desk: Desk, workspace: str, map_address: str = "") -> None:
    """The listeners of My plan. `workspace` is the team that the bot token belongs to, `map_address` where the career
    map stands as a page, if it does."""
    Listeners(desk, workspace, map_address).register(app)


class Listeners:
    """One method a button or form. Each acknowledges, does one thing in one transaction, and shows it."""

    def __init__(self, desk: Desk, workspace: str, map_address: str) -> None:
        self.desk, self.workspace, self.map_address = desk, workspace, map_address

    @property
    def kb(self) -> KnowledgeBase:
        """The content as it is now: it may change while we run."""
        return self.desk.answering.kb

    def register(self, app: App) -> None:
        actions: dict[str, Callable[..., None]] = {
            plan_blocks.CHOOSE_GOAL: self.on_choose_goal,
            plan_blocks.STEP: self.on_step,
            plan_blocks.GOAL: self.on_goal,
            plan_blocks.PRINT: self.on_print,
            plan_blocks.REMINDERS: self.on_reminders,
            plan_blocks.ABOUT_ME: self.on_about_me,
            plan_blocks.INTEREST: self.on_interest,
            plan_blocks.WITHDRAW: self.on_withdraw,
            plan_blocks.REQUEST: self.on_request,
            plan_blocks.SUPPORT: self.on_support,
            plan_blocks.SHOW_MAP: self.on_map,
        }
        for name, listener in actions.items():
            app.action(re.compile(f"^{name}:"))(listener)
        app.view(plan_views.ABOUT_VIEW)(self.on_about_sent)
        app.view(plan_views.WHY_VIEW)(self.on_why_sent)
        app.view(plan_views.REQUEST_VIEW)(self.on_request_sent)

    # --- goals and steps -----------------------------------------------------------------------------------------

    def on_choose_goal(self, ack: Ack, body: Json, client: WebClient) -> None:
        ack()
        card = body["actions"][0]["value"]
        with self.desk.sessions() as session:
            person = self._person(session, body)
            if person is None or not self.kb.has(card):
                return
            goal, is_new = choose_goal(session, self._planning(session, person), person, card, self.desk.clock())
            language = language_of(person)
            view = view_of(session, self.kb, goal, language, self._today(person))
            payload = plan_blocks.goal_message(self.kb, view, language, is_new=is_new)
            item = self._say(session, body, person, f"goal:{goal.id}", payload)
            session.commit()
        self._show(client, person, item)

    def on_step(self, ack: Ack, body: Json, client: WebClient) -> None:
        ack()
        change, _, step = _pressed(body).partition(":")
        with self.desk.sessions() as session:
            person = self._person(session, body)
            if person is None:
                return
            if change == "drop":
                view = plan_views.why_view(self.kb, int(step), language_of(person))
                client.views_open(trigger_id=body["trigger_id"], view=view)
                return
            change_step(session, person, int(step), change, self._planning(session, person), self.desk.clock())
            session.commit()
        self._show(client, person, None)

    def on_why_sent(self, ack: Ack, body: Json, view: Json, client: WebClient) -> None:
        reason = (view["state"]["values"]["reason"]["value"].get("selected_option") or {}).get("value")
        with self.desk.sessions() as session:
            person = self._person(session, body)
            if person is None or reason not in NOT_FOR_ME:
                ack()
                return
            drop_step(session, person, int(view["private_metadata"]), reason)
            session.commit()
        ack()
        self._show(client, person, None)

    def on_goal(self, ack: Ack, body: Json, client: WebClient) -> None:
        ack()
        change, _, goal = _pressed(body).partition(":")
        with self.desk.sessions() as session:
            person = self._person(session, body)
            if person is None:
                return
            change_goal(session, person, int(goal), change)
            session.commit()
        self._show(client, person, None)

    def on_reminders(self, ack: Ack, body: Json, client: WebClient) -> None:
        ack()
        value = body["actions"][0]["value"]
        with self.desk.sessions() as session:
            person = self._person(session, body)
            if person is None or value not in ("before", "off"):
                return
            want_reminders(session, self._planning(session, person), person, value, self.desk.clock())
            session.commit()
        self._show(client, person, None)

    def on_print(self, ack: Ack, body: Json, client: WebClient) -> None:
        ack()
        language: Language = "es" if body["actions"][0]["value"] == "es" else "en"
        with self.desk.sessions() as session:
            person = self._person(session, body)
            if person is None:
                return
            today = self._today(person)
            goals = plan_of(session, self.kb, person, language, today)
        channel = self._channel(client, body)
        if not goals:
            client.chat_postEphemeral(channel=channel, user=body["user"]["id"], text=self.kb.say("plan_empty", language))
            return
        address = f"https://slack.com/app_redirect?channel={channel}&team={self.workspace}"
        name = f"{person.first_name} {person.last_name}".strip()
        pdf = plan_pdf(self.kb, goals, name, language, today, address)
        title = self.kb.say("pdf_for", language, name=name)
        comment = self.kb.say("plan_printed", language)
        try:
            client.files_upload_v2(
                channel=channel, content=pdf, filename=f"{_file_name(title)}.pdf", title=title, initial_comment=comment
            )
        except SlackApiError as error:
            self._upload_failed(client, body, channel, error, self.kb.say("plan_print_failed", language))

    def on_map(self, ack: Ack, body: Json, client: WebClient) -> None:
        """The picture of the map, with the steps or the way that was asked for marked."""
        ack()
        start, _, goal = body["actions"][0]["value"].partition(">")
        with self.desk.sessions() as session:
            person = self._person(session, body)
            if person is None:
                return
        language, lattice = language_of(person), self.desk.answering.work_out.lattice
        today, address = self._today(person), self.map_address
        picture = map_picture(self.kb, lattice, language, today, start or person.role or "", goal, address)
        channel, thread = self._channel(client, body), body.get("message", {}).get("thread_ts")
        try:
            client.files_upload_v2(
                channel=channel,
                thread_ts=thread,
                content=picture.png,
                filename=picture.name,
                title=self.kb.say("map_title", language),
                alt_txt=picture.alt,
                initial_comment=picture.comment,
            )
        except SlackApiError as error:
            self._upload_failed(client, body, channel, error, self.kb.say("map_failed", language))

    def _upload_failed(self, client: WebClient, body: Json, channel: str, error: SlackApiError, words: str) -> None:
        logger.error("upload for %s failed: %s", body["user"]["id"], error.response.get("error"))
        client.chat_postEphemeral(channel=channel, user=body["user"]["id"], text=words)

    # --- about me ------------------------------------------------------------------------------------------------

    def on_about_me(self, ack: Ack, body: Json, client: WebClient) -> None:
        ack()
        with self.desk.sessions() as session:
            person = self._person(session, body)
            if person is None:
                return
            employee = employee_of(person, session)
            words = experience_words(told_by(session, person))
        role = self.kb.roles.get(employee.role or "")
        assumed = frozenset(role.credentials_required) if role else frozenset()
        held = (employee.credentials | assumed) - employee.not_held
        today = self._today(person)
        view = plan_views.about_view(self.kb, employee, held, words, language_of(person), today)
        client.views_open(trigger_id=body["trigger_id"], view=view)

    def on_about_sent(self, ack: Ack, body: Json, view: Json, client: WebClient) -> None:
        checked = self._check(body, view, plan_views.words_of(view["state"]["values"]))
        with self.desk.sessions() as session:
            person = self._person(session, body)
            if person is None:
                ack()
                return
            role = self.kb.roles.get(person.role or "")
            assumed = frozenset(role.credentials_required) if role else frozenset()
            about = plan_views.about_me_from(view["state"]["values"], assumed)
            if about is None:
                ack(response_action="errors", errors={"used": self.kb.say("about_number", language_of(person))})
                return
            about = replace(about, experience_words=checked.words[0])
            tell(session, person, about, self._today(person), self.desk.clock())
            payload = {"text": self.kb.say("about_saved", language_of(person))}
            item = None if checked.is_danger else self._say(session, body, person, f"about:{view['id']}", payload)
            session.commit()
        ack()
        work_through(self.desk, checked.item)
        self._show(client, person, item)

    # --- programs ------------------------------------------------------------------------------------------------

    def on_interest(self, ack: Ack, body: Json, client: WebClient) -> None:
        ack()
        program = self.kb.programs.get(body["actions"][0]["value"])
        with self.desk.sessions() as session:
            person = self._person(session, body)
            if person is None or program is None:
                return
            planning = self._planning(session, person)
            interest, is_new = express_interest(session, planning, person, program, self.desk.clock())
            payload = self._interest_message(session, interest, language_of(person), is_new=is_new)
            item = self._say(session, body, person, f"interest:{interest.id}", payload)
            session.commit()
        self._show(client, person, item)

    def _interest_message(self, session: Session, interest: Interest, language: Language, *, is_new: bool) -> Json:
        """Noted, on the wait list with the place, or there already; with a way to take it back."""
        program, cohort = group_of(self.kb, f"{interest.program}:{interest.cohort}")
        values: Json = {
            "program": self.kb.title(f"programs/{interest.program}", language),
            "starts": show_date(self.kb, cohort.starts, language) if cohort else "",
            "apply_by": show_date(self.kb, cohort.apply_by, language) if cohort else "",
            "office": show_office(self.kb.offices[program.owner if program else "career-center"], language),
        }
        if interest.stage == "waiting" and cohort:
            place = place_on_list(session, interest)
            text = self.kb.say("interest_waiting", language, seats=cohort.seats, place=place, **values)
        elif is_new:
            text = self.kb.say("interest_taken", language, **values)
        else:
            stage = self.kb.say(f"stage_{interest.stage}", language)
            text = self.kb.say("interest_again", language, program=values["program"], stage=stage)
        label = self.kb.say("interest_withdraw", language)
        take_off = plan_blocks.button(label, f"{plan_blocks.WITHDRAW}:{interest.id}", str(interest.id))
        return plan_blocks.message(text, [take_off])

    def on_withdraw(self, ack: Ack, body: Json, client: WebClient) -> None:
        ack()
        with self.desk.sessions() as session:
            person = self._person(session, body)
            if person is None:
                return
            interest, following = withdraw(session, person, int(body["actions"][0]["value"]), self.desk.clock())
            if interest is None:
                return
            language = language_of(person)
            title = self.kb.title(f"programs/{interest.program}", language)
            text = self.kb.say("interest_withdrawn", language, program=title)
            items = [self._say(session, body, person, f"withdrawn:{interest.id}", {"text": text})]
            if following:
                items.append(self._seat_opened(session, following))
            session.commit()
        self._show(client, person, *items)

    def _seat_opened(self, session: Session, interest: Interest) -> OutboxItem | None:
        """Who waited longest hears of the seat."""
        person = session.get(Person, interest.person_id)
        _, cohort = group_of(self.kb, f"{interest.program}:{interest.cohort}")
        if person is None or cohort is None or not person.slack_id:
            return None
        language = language_of(person)
        dates = {name: show_date(self.kb, getattr(cohort, name), language) for name in ("starts", "apply_by")}
        text = self.kb.say(
            "interest_seat", language, program=self.kb.title(f"programs/{interest.program}", language), **dates
        )
        key = f"seat:{interest.id}:{self.desk.clock().date()}"
        return queues.put(session, self.workspace, key, person.slack_id, {"text": text}, self.desk.clock())

    def on_request(self, ack: Ack, body: Json, client: WebClient) -> None:
        ack()
        program = self.kb.programs.get(body["actions"][0]["value"])
        with self.desk.sessions() as session:
            person = self._person(session, body)
            if person is None or program is None:
                return
            language = language_of(person)
            group = group_for(self._planning(session, person), program)
            if group is None:
                client.chat_postEphemeral(
                    channel=self._channel(client, body),
                    user=body["user"]["id"],
                    text=self.kb.say("request_no_group", language),
                )
                return
            manager = self._manager(session, client, person)
            words = draft(self.kb, person, manager, employee_of(person, session), program, group[1])
            session.commit()
        if manager is None or not manager.slack_id:
            text = self.kb.say("request_no_manager", language, text=words)
            client.chat_postEphemeral(channel=self._channel(client, body), user=body["user"]["id"], text=text)
            return
        view = plan_views.request_view(self.kb, manager.first_name, words, f"{program.slug}:{group[1].id}", language)
        client.views_open(trigger_id=body["trigger_id"], view=view)

    def on_request_sent(self, ack: Ack, body: Json, view: Json, client: WebClient) -> None:
        program, cohort = group_of(self.kb, view["private_metadata"])
        words = plan_views.words_of(view["state"]["values"])
        checked = self._check(body, view, words)
        ack()
        if checked.is_danger:
            work_through(self.desk, checked.item)
            return
        with self.desk.sessions() as session:
            person = self._person(session, body)
            if person is None or program is None or cohort is None:
                return
            manager = self._manager(session, client, person)
            if manager is None or not manager.slack_id:
                return
            draw = partial(plan_blocks.draw_request, self.kb)
            sent = send_request(session, draw, person, manager, program, cohort, words, self.desk.clock())
            key = "request_sent" if sent else "request_sent_before"
            text = self.kb.say(key, language_of(person), manager=manager.first_name)
            told = self._say(session, body, person, f"request:{view['id']}", {"text": text})
            session.commit()
        self._show(client, person, sent, told)

    def on_support(self, ack: Ack, body: Json, client: WebClient) -> None:
        ack()
        outcome, _, offer = _pressed(body).partition(":")
        with self.desk.sessions() as session:
            person = self._person(session, body)
            if person is None or not answer_about_support(session, person, int(offer), outcome):
                return
            key = "support_thanks_failed" if outcome in ("failed", "partly") else "support_thanks"
            text = self.kb.say(key, language_of(person))
            item = self._say(session, body, person, f"support:{offer}:{outcome}", {"text": text})
            session.commit()
        self._show(client, person, item)

    # --- what all of them need -----------------------------------------------------------------------------------

    def _check(self, body: Json, view: Json, words: str) -> Checked:
        return check_words(self.desk, self.workspace, body["user"]["id"], view["id"], [words])

    def _person(self, session: Session, body: Json) -> Person | None:
        return person_by_slack_id(session, self.workspace, body["user"]["id"])

    def _manager(self, session: Session, client: WebClient, person: Person) -> Person | None:
        """The manager, found in Slack by e-mail when they have not written to the app yet."""
        manager = session.get(Person, person.manager_id) if person.manager_id else None
        if manager and not manager.slack_id and manager.email:
            try:
                found = client.users_lookupByEmail(email=manager.email)["user"]
            except SlackApiError as error:  # most often users_not_found: no account with this address
                logger.info("manager of person %s is not in Slack: %s", person.id, error.response.get("error"))
                return manager
            return link_slack_account(session, self.workspace, found, self.desk.clock()) or manager
        return manager

    def _today(self, person: Person) -> Any:
        return today_for(person, self.desk.clock(), self.kb.employer["zone"])

    def _planning(self, session: Session, person: Person) -> Planning:
        zone = person.zone or self.kb.employer["zone"]
        employee = employee_of(person, session)
        return Planning(self.kb, self.desk.answering.work_out.lattice, employee, self._today(person), zone)

    def _say(self, session: Session, body: Json, person: Person, key: str, payload: Json) -> OutboxItem | None:
        """A message to the employee, in the transaction of what it tells about; in the thread where they pressed."""
        thread = body.get("message", {}).get("thread_ts")
        channel = body.get("channel", {}).get("id") or person.slack_id or ""
        more = {"thread_ts": thread} if thread else {}
        press = body.get("trigger_id", "")
        return queues.put(session, self.workspace, f"{key}:{press}", channel, payload | more, self.desk.clock())

    def _show(self, client: WebClient, person: Person, *items: OutboxItem | None) -> None:
        """Bring the messages to Slack at once, and the Home tab up to date."""
        for item in items:
            if item and item.id:
                deliver_one(self.desk.sessions, self.desk.sender, item.id, self.desk.clock)
        client.views_publish(user_id=person.slack_id or "", view=home_view(self.desk, person))

    def _channel(self, client: WebClient, body: Json) -> str:
        """The direct message with the app, also when the button stands in the Home tab."""
        return str(body.get("channel", {}).get("id") or client.conversations_open(users=body["user"]["id"])["channel"]["id"])


def _pressed(body: Json) -> str:
    """The value of a button or of the chosen entry of a menu."""
    action = body["actions"][0]
    return str(action.get("value") or (action.get("selected_option") or {}).get("value", ""))


def _file_name(title: str) -> str:
    return re.sub(r"[^\w]+", "-", title).strip("-").lower()
