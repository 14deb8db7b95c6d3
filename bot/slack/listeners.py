"""What Slack sends, kept before it is acknowledged, then handed to the services. No decisions here."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from slack_bolt import Ack, App, BoltContext, BoltRequest, BoltResponse
from slack_sdk import WebClient

from bot.domain.cards import Language
from bot.domain.privacy import redact, shortened
from bot.domain.safety import safety_card
from bot.services import queues
from bot.services.answering import taken_back
from bot.services.feedback import give_feedback
from bot.services.inbox import Desk, find_person, work_through
from bot.services.people import person_by_slack_id
from bot.slack import blocks
from bot.slack.home import home_view
from storage.models import InboxItem, Person

logger = logging.getLogger(__name__)

ASK_VIEW = "ask_view"
KEPT = "kept"  # in Bolt's context: the inbox item of this request, leased to its listener


@dataclass(frozen=True)
class Received:
    """What is kept of something that Slack sent: as little as answering needs, words redacted."""

    key: str
    conversation: str
    kind: str
    body: dict[str, Any]


Keep = Callable[[str], str]  # what may be kept of the words that somebody wrote


def received_of(body: dict[str, Any], keep: Keep) -> Received | None:
    """The part of an event or a button that the inbox keeps; None for what needs no answer."""
    if body.get("type") == "event_callback":
        return _message_of(body["event_id"], body["event"], keep)
    if body.get("type") == "block_actions":
        return _click_of(body)
    return None


def _words(of: dict[str, Any], name: str, otherwise: str | None = None) -> str:
    value = of[name] if otherwise is None else of.get(name, otherwise)
    if not isinstance(value, str):
        raise TypeError(name)
    return value


def _message_of(event_id: str, event: dict[str, Any], keep: Keep) -> Received | None:
    if event.get("type") != "message" or event.get("channel_type", "im") != "im":
        return None
    subtype, channel = event.get("subtype"), _words(event, "channel")
    if subtype == "message_changed":
        message, kind = event["message"], "edit"
        if message.get("text") == event.get("previous_message", {}).get("text"):
            return None  # a link preview, not a change of words
    elif subtype == "message_deleted":
        message, kind = event.get("previous_message", {}), "delete"
    elif subtype in (None, "file_share"):
        message, kind = event, "message"
    else:
        return None
    if message.get("bot_id") or not message.get("user"):
        return None
    thread, ts = _words(message, "thread_ts", ""), _words(message, "ts")
    text = keep(_words(message, "text", "")) if kind != "delete" else ""
    body = {"user": _words(message, "user"), "channel": channel, "ts": ts, "thread_ts": thread, "text": text}
    place = f"{channel}:{ts}"
    key = {"message": place, "edit": event_id, "delete": taken_back(place)}[kind]
    return Received(key, f"{channel}:{thread}", kind, body)


def _click_of(body: dict[str, Any]) -> Received | None:
    action = body["actions"][0]
    name = action["action_id"].split(":")[0]
    if name not in (blocks.CHOOSE_CARD, blocks.TALK_TO_A_PERSON):
        return None
    user, channel = body["user"]["id"], body.get("channel", {}).get("id") or body["user"]["id"]
    thread = body.get("message", {}).get("thread_ts", "")
    kept = {"user": user, "channel": channel, "thread_ts": thread, "ts": ""}
    if name == blocks.CHOOSE_CARD:
        return Received(f"click:{body['trigger_id']}", f"{channel}:{thread}", "choice", kept | {"card": action["value"]})
    exchange = action["value"] if action["value"].isdigit() else 0
    return Received(f"click:{body['trigger_id']}", f"{channel}:{thread}", "person", kept | {"exchange": exchange})


def register(app: App, desk: Desk, workspace: str) -> None:
    """All listeners of the app. `workspace` is the team that the bot token belongs to."""

    @app.middleware
    def keep_before_ack(body: dict[str, Any], context: BoltContext, next: Callable[[], BoltResponse]) -> BoltResponse:
        """Bolt acknowledges before listeners run: without this a crash would lose the question."""
        try:
            received = received_of(body, lambda text: _kept_of(desk, text))
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            logger.error("Slack sent what we don't understand: %s", error)
            return BoltResponse(status=200)  # it would only send it again
        if received:
            context[KEPT] = queues.receive(
                desk.sessions, workspace, received.key, received.conversation, received.kind, received.body, desk.clock()
            )
        return next()

    @app.event("message")
    def on_message(context: BoltContext) -> None:
        work_through(desk, context.get(KEPT))

    @app.action({"action_id": blocks.TALK_TO_A_PERSON})
    def on_talk_to_a_person(ack: Ack, context: BoltContext) -> None:
        ack()
        work_through(desk, context.get(KEPT))

    @app.action(re.compile(f"^{blocks.CHOOSE_CARD}:"))
    def on_choose_card(ack: Ack, context: BoltContext) -> None:
        ack()
        work_through(desk, context.get(KEPT))

    @app.action(blocks.FEEDBACK)
    def on_feedback(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        value, exchange = body["actions"][0]["value"].split(":")
        person = _keep_feedback(desk, workspace, body["user"]["id"], int(exchange), value == "up", "")
        if person is None:
            return
        kb, language = desk.answering.kb, _language(person)
        payload = {"text": kb.say("feedback_thanks", language)}
        if value == "down":
            payload = blocks.feedback_reasons(kb, int(exchange), language)
        client.chat_postEphemeral(channel=body["channel"]["id"], user=body["user"]["id"], **payload)

    @app.action(re.compile(f"^{blocks.FEEDBACK_REASON}:"))
    def on_feedback_reason(ack: Ack, body: dict[str, Any], respond: Callable[..., Any]) -> None:
        ack()
        reason, exchange = body["actions"][0]["value"].split(":")
        person = _keep_feedback(desk, workspace, body["user"]["id"], int(exchange), False, reason)
        if person:
            respond(text=desk.answering.kb.say("feedback_thanks", _language(person)), replace_original=True)

    @app.event("app_home_opened")
    def on_home(event: dict[str, Any], client: WebClient) -> None:
        if event.get("tab") == "home" and (person := find_person(desk, workspace, event["user"])):
            client.views_publish(user_id=event["user"], view=home_view(desk, person))

    @app.command("/career")
    def on_career(ack: Ack, command: dict[str, Any], client: WebClient) -> None:
        person = find_person(desk, workspace, command["user_id"])
        kb, language = desk.answering.kb, _language(person)
        if not person or not command.get("text", "").strip():
            ack(text=kb.say("command_help", language))
            return
        key = f"command:{command['trigger_id']}"
        kept = _receive_text(desk, client, workspace, command["user_id"], key, command["text"])
        ack(text=kb.say("command_taken", language))
        work_through(desk, kept)

    @app.shortcut("ask_career")
    def on_shortcut(ack: Ack, shortcut: dict[str, Any], client: WebClient) -> None:
        ack()
        if person := find_person(desk, workspace, shortcut["user"]["id"]):
            client.views_open(trigger_id=shortcut["trigger_id"], view=_ask_view(desk, _language(person)))

    @app.view(ASK_VIEW)
    def on_asked(ack: Ack, body: dict[str, Any], view: dict[str, Any], client: WebClient) -> None:
        user, text = body["user"]["id"], view["state"]["values"]["question"]["text"]["value"] or ""
        kept = _receive_text(desk, client, workspace, user, f"view:{view['id']}", text)
        ack()
        work_through(desk, kept)

    @app.event({"type": re.compile(".*")})
    def on_anything_else() -> None:
        """Slack counts an event without a listener as a failed delivery."""

    @app.error
    def on_error(error: Exception, request: BoltRequest) -> None:
        logger.error("listener failed on %s", request.body.get("event_id") or request.body.get("type"), exc_info=error)


def _kept_of(desk: Desk, text: str) -> str:
    """Words as they are kept: redacted, and not too long. A sign of danger stays wherever it stands."""
    return shortened(redact(text), lambda part: safety_card(part, desk.answering.understanding.safety_rules))


def _receive_text(desk: Desk, client: WebClient, workspace: str, user: str, key: str, text: str) -> InboxItem | None:
    channel = client.conversations_open(users=user)["channel"]["id"]
    body = {"user": user, "channel": channel, "ts": "", "thread_ts": "", "text": _kept_of(desk, text)}
    return queues.receive(desk.sessions, workspace, key, f"{channel}:", "message", body, desk.clock())


def _keep_feedback(desk: Desk, workspace: str, slack_id: str, exchange: int, helpful: bool, reason: str) -> Person | None:
    with desk.sessions() as session:
        person = person_by_slack_id(session, workspace, slack_id)
        if person is None or not give_feedback(session, person, exchange, helpful, reason, desk.clock()):
            return None
        session.commit()
        return person


def _language(person: Person | None) -> Language:
    return "es" if person and person.language == "es" else "en"


def _ask_view(desk: Desk, language: Language) -> dict[str, Any]:
    say = desk.answering.kb.say

    def plain(message: str) -> dict[str, str]:
        return {"type": "plain_text", "text": say(message, language)}

    element = {"type": "plain_text_input", "action_id": "text", "multiline": True, "max_length": 2000}
    question = {"type": "input", "block_id": "question", "label": plain("ask_label"), "element": element}
    return {
        "type": "modal",
        "callback_id": ASK_VIEW,
        "title": plain("ask_title"),
        "submit": plain("ask_send"),
        "close": plain("ask_close"),
        "blocks": [question],
    }
