"""Coaches and privacy rights in Slack: the card in the coach channel, and what employees may do with their own data."""

import logging
from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.domain.cards import Language
from bot.knowledge_base import KnowledgeBase
from bot.services import queues
from bot.services.answering import ask_for_coach
from bot.services.attention import reassess
from bot.services.audit import full_name, readers_of, record
from bot.services.delivery import deliver_one
from bot.services.inbox import Desk
from bot.services.people import COACH, LEAD, access_of, person_by_slack_id
from bot.services.privacy_rights import erase_person, export_person, told_of
from bot.services.replying import Reply
from bot.services.stepping_in import CantDo, claim_handoff, policy_of
from bot.slack import blocks
from storage.models import OutboxItem, Person

logger = logging.getLogger(__name__)

CLAIM, OPEN = "claim_handoff", "open_handoff"
EXPORT, READERS, ERASE = "privacy_export", "privacy_readers", "privacy_erase"
RIGHTS = {
    "privacy/what-you-store": (EXPORT, READERS, ERASE),
    "privacy/who-can-see": (READERS,),
    "privacy/export-my-data": (EXPORT,),
    "privacy/delete-my-data": (ERASE,),
}


# --- drawn -------------------------------------------------------------------------------------------------------


def draw_handoff(console_url: str, kb: KnowledgeBase, who: str, urgent: bool, handoff_id: int) -> dict[str, Any]:
    """The card in the coach channel. `who` is a mention; coaches read English here, like their console."""
    words = kb.say("handoff_urgent" if urgent else "handoff_alert", "en", who=who)
    claim = blocks.button(kb.say("handoff_claim", "en"), CLAIM, str(handoff_id), "danger" if urgent else "primary")
    buttons = [claim]
    if console_url:
        address = f"{console_url.rstrip('/')}/handoffs/{handoff_id}"
        buttons.append(blocks.button(kb.say("handoff_open", "en"), OPEN, str(handoff_id)) | {"url": address})
    text = {"type": "section", "text": {"type": "mrkdwn", "text": words}}
    return {"text": words, "blocks": [text, {"type": "actions", "elements": buttons}]}


def draw_reply_with_rights(kb: KnowledgeBase, reply: Reply, exchange: int, language: Language) -> dict[str, Any]:
    """A reply; under the privacy cards also the buttons that do what the card says."""
    payload = blocks.draw_reply(kb, reply, exchange, language)
    wanted = dict.fromkeys(right for page in reply.pages for right in RIGHTS.get(page.card, ()))
    if wanted:
        buttons = [_right(kb, right, language) for right in wanted]
        payload["blocks"].insert(-1 if reply.ask_for_feedback else None, {"type": "actions", "elements": buttons})
    return payload


def _right(kb: KnowledgeBase, right: str, language: Language) -> dict[str, Any]:
    drawn = blocks.button(kb.say(f"{right}_button", language), right, "mine", "danger" if right == ERASE else None)
    if right == ERASE:
        parts = {"title": "title", "text": "confirm", "confirm": "yes", "deny": "no"}
        drawn["confirm"] = {
            part: {"type": "plain_text", "text": kb.say(f"privacy_erase_{message}", language)}
            for part, message in parts.items()
        } | {"style": "danger"}
    return drawn


# --- listeners ---------------------------------------------------------------------------------------------------


def register_coaching(app: App, desk: Desk, workspace: str) -> None:
    """Claim and Open on the coach channel's cards; export, readers and deletion for employees."""

    @app.action(CLAIM)
    def on_claim(ack: Ack, body: dict[str, Any], client: WebClient, respond: Callable[..., Any]) -> None:
        ack()
        number = body["actions"][0]["value"]
        words, outgoing = _claim(desk, workspace, body["user"]["id"], int(number) if number.isdigit() else 0)
        _deliver(desk, outgoing)
        if outgoing is None:
            respond(text=words, response_type="ephemeral", replace_original=False)
        else:
            message = body.get("message", {})
            kept = [block for block in message.get("blocks", []) if block.get("type") == "section"]
            respond(text=words, blocks=[*kept, blocks.small(words)], replace_original=True)

    @app.action(OPEN)
    def on_open(ack: Ack) -> None:
        ack()  # the button's address opens the console; Slack still wants an answer

    @app.action(EXPORT)
    def on_export(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        _export(desk, workspace, body["user"]["id"], client)

    @app.action(READERS)
    def on_readers(ack: Ack, body: dict[str, Any], respond: Callable[..., Any]) -> None:
        ack()
        with desk.sessions() as session:
            person = person_by_slack_id(session, workspace, body["user"]["id"])
            if person:
                respond(text=_readers(desk.answering.kb, session, person), response_type="ephemeral", replace_original=False)

    @app.action(ERASE)
    def on_erase(ack: Ack, body: dict[str, Any]) -> None:
        ack()
        _erase(desk, workspace, body["user"]["id"])


def _claim(desk: Desk, workspace: str, slack_id: str, handoff_id: int) -> tuple[str, list[OutboxItem] | None]:
    """What to tell the coach, and what goes to the employee; None when the claim did not come about."""
    with desk.sessions() as session:
        coach = person_by_slack_id(session, workspace, slack_id)
        if coach is None or access_of(coach, desk.access) not in (COACH, LEAD):
            return desk.answering.kb.say("handoff_coaches_only", "en"), None
        try:
            outgoing = claim_handoff(session, desk.answering.kb, coach, handoff_id, desk.clock())
        except CantDo as why:
            return str(why), None
        session.commit()
        return desk.answering.kb.say("handoff_claimed", "en", coach=full_name(coach)), outgoing


def _export(desk: Desk, workspace: str, slack_id: str, client: WebClient) -> None:
    """The copy as a file in the direct message. When Slack does not take it, a coach is asked: it can't fail silently."""
    kb, now = desk.answering.kb, desk.clock()
    with desk.sessions() as session:
        person = person_by_slack_id(session, workspace, slack_id)
        if person is None:
            return
        language = _language(person)
        words = export_person(session, kb, person, language, now)
        record(session, person, "exported", now, subject_id=person.id)
        session.commit()
    channel = client.conversations_open(users=slack_id)["channel"]["id"]
    try:
        client.files_upload_v2(
            channel=channel,
            content=words,
            filename=kb.say("privacy_file_name", language),
            title=kb.say("privacy_file_name", language),
            initial_comment=kb.say("privacy_export_sent", language),
        )
    except SlackApiError as error:
        logger.error("export for person %s failed: %s", person.id, error.response.get("error"))
        with desk.sessions() as session:
            handoff = ask_for_coach(session, person, None, None, "asked", now)
            if handoff.conversation_id:
                reassess(session, handoff.conversation_id)
            told = kb.say("privacy_export_failed", language)
            item = queues.put(session, workspace, f"export:{person.id}:{now.timestamp()}", channel, {"text": told}, now)
            session.commit()
        _deliver(desk, [item] if item else [])


def _erase(desk: Desk, workspace: str, slack_id: str) -> None:
    kb, now = desk.answering.kb, desk.clock()
    with desk.sessions() as session:
        person = person_by_slack_id(session, workspace, slack_id)
        if person is None:
            return
        language = _language(person)
        try:
            erase_person(session, person, person, now)
            words = kb.say("privacy_erased", language, days=policy_of(kb).backups_kept_days)
        except CantDo:
            words = kb.say("privacy_erase_later", language)
        item = queues.put(session, workspace, f"erased:{person.id}:{now.timestamp()}", slack_id, {"text": words}, now)
        session.commit()
    _deliver(desk, [item] if item else [])


def _readers(kb: KnowledgeBase, session: Any, person: Person) -> str:
    language = _language(person)
    lines = ["• " + blocks.escaped(told_of(kb, act, language)) for act in readers_of(session, person)]
    if not lines:
        return kb.say("privacy_no_readers", language)
    return "\n".join([kb.say("privacy_readers_title", language), *lines[:30]])


def _deliver(desk: Desk, outgoing: list[OutboxItem] | None) -> None:
    for item in outgoing or ():
        deliver_one(desk.sessions, desk.sender, item.id or 0, desk.clock)


def _language(person: Person) -> Language:
    return "es" if person.language == "es" else "en"
