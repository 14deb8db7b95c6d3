"""The only place that knows all parts: builds them from the settings."""

import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI
from slack_bolt import App
from slack_sdk import WebClient

from bot.config import Settings
from bot.domain.cards import LANGUAGES, Language
from bot.domain.context import Neighbours
from bot.domain.matching import COMPUTERS, Example, Reader, Speller, tell_it_apart
from bot.domain.role_mentions import RoleReader
from bot.domain.understanding import Understanding
from bot.encoders import find
from bot.encoders.words import ordinary_words
from bot.knowledge_base import KnowledgeBase, load
from bot.services.checkin_talks import ask_about_promises
from bot.services.checkin_team import send_digests
from bot.services.checkins import plan, send_due
from bot.services.delivery import Clock, SlackStruggles, deliver_due, never
from bot.services.escalating import escalate
from bot.services.inbox import Desk, sweep
from bot.services.nudges import remind
from bot.services.privacy_rights import erase_old
from bot.services.replying import Answering
from bot.services.reviewing import close_settled
from bot.services.stepping_in import policy_of
from bot.services.trained_matcher import trained_matcher
from bot.services.working_out import WorkingOut
from bot.slack.checkin_blocks import draw as draw_checkin
from bot.slack.checkins import register_accounts, register_checkins
from bot.slack.coaching import draw_handoff, draw_reply_with_rights, register_coaching
from bot.slack.listeners import register
from bot.slack.plan_blocks import draw_nudge
from bot.slack.plans import register_plans
from bot.slack.receiving import without_bolts_own_settings
from bot.slack.sender import SlackSender
from storage.database import Limits, Sessions, make_sessions, migrate, open_database

if TYPE_CHECKING:  # the console brings its own libraries: only who serves it waits for them
    from bot.console.parts import Parts


def build_answering(settings: Settings) -> Answering:
    """Content, matcher and career map, ready to answer. Raises ContentError when the content can't be trusted."""
    kb = load(settings.content_dir)
    return Answering(kb, build_understanding(kb, settings), WorkingOut(kb))


def build_understanding(kb: KnowledgeBase, settings: Settings) -> Understanding:
    """Learnt from every utterance of the content; kept in `model_dir` until the content changes."""
    examples = [Example(text, card) for text, card, _ in (*kb.examples(), *kb.outside_examples())]
    speller = Speller([*kb.reviewed_texts(), COMPUTERS], [each.text for each in examples], ordinary_words(), kb.short_forms)
    roles = role_reader(kb)
    reader = Reader(speller, roles)
    encoders = [find(name.strip()) for name in settings.encoders.split(",") if name.strip()]
    matcher = trained_matcher(examples, encoders, reader, settings.model_dir)
    titles: dict[Language, dict[str, str]] = {
        language: {card: entry.title.in_(language) for card, entry in kb.entries()} for language in LANGUAGES
    }
    return Understanding(matcher.rank, reader.mend, roles, kb.safety_rules, kb.other_languages, titles, neighbours_of(kb))


def neighbours_of(kb: KnowledgeBase) -> Neighbours:
    """Cards that lead on to one another, and roles with the programs that lead to them."""
    related = {card: set(getattr(entry, "next", ())) for card, entry in kb.entries()}
    programs: dict[str, list[str]] = {}
    about = {role.id: slug for slug, role in kb.roles.items()}
    for program in kb.programs.values():
        for role in program.leads_to:
            programs.setdefault(role, []).append(program.id)
            related[program.id].add(f"roles/{role}")
            related[f"roles/{role}"].add(program.id)
        if len(program.leads_to) == 1:
            about[program.id] = program.leads_to[0]
    return Neighbours(
        {card: frozenset(cards) for card, cards in related.items()},
        {role: tuple(cards) for role, cards in programs.items()},
        about,
    )


def role_reader(kb: KnowledgeBase) -> RoleReader:
    """Knows every role by its slug, titles and lay titles in both languages."""
    names = {
        slug: [
            slug.replace("-", " "),
            role.title.en,
            role.title.es,
            *(name for names in role.lay_titles.values() for name in names),
        ]
        for slug, role in kb.roles.items()
    }
    names = {slug: [tell_it_apart(name) for name in each] for slug, each in names.items()}
    return RoleReader(names, kb.ambiguous_titles)


def now() -> datetime:
    return datetime.now(UTC)


def limits_of(settings: Settings) -> Limits:
    return Limits(
        settings.database_pool,
        settings.database_overflow,
        settings.database_connect_seconds,
        settings.database_statement_seconds,
        settings.database_lock_seconds,
    )


def build_desk(settings: Settings, answering: Answering, clock: Clock = now, stopping: Callable[[], bool] = never) -> Desk:
    """Database, sender and content of one workspace, put together for working on the inbox."""
    migrate(settings.database_url)
    sessions = make_sessions(open_database(settings.database_url, limits=limits_of(settings)))
    return desk_of(
        settings,
        answering,
        sessions,
        SlackSender(settings.slack_bot_token, settings.slack_api_url),
        clock,
        stopping,
        access_in(settings),
    )


def desk_of(
    settings: Settings,
    answering: Answering,
    sessions: Sessions,
    sender: SlackSender,
    clock: Clock,
    stopping: Callable[[], bool],
    access: Mapping[str, str],
) -> Desk:
    """The desk on these sessions, with this sender."""
    return Desk(
        sessions=sessions,
        answering=answering,
        sender=sender,
        profile_of=sender.profile_of,
        draw=draw_reply_with_rights,
        clock=clock,
        coach_channel=settings.coach_channel,
        draw_handoff=partial(draw_handoff, settings.console_url),
        stopping=stopping,
        access=access,
    )


def build_slack_app(settings: Settings, desk: Desk) -> App:
    """The Bolt app. Calls auth.test once before anything arrives: a first event would be lost while it fails."""
    client = WebClient(token=settings.slack_bot_token, base_url=settings.slack_api_url)
    workspace = str(client.auth_test()["team_id"])
    with without_bolts_own_settings():
        app = App(client=client, signing_secret=settings.slack_signing_secret or None, token_verification_enabled=False)
    register_listeners(app, settings, desk, workspace)
    return app


def register_listeners(app: App, settings: Settings, desk: Desk, workspace: str) -> None:
    """Everything that people of this workspace may do in Slack."""
    register_accounts(app, desk, workspace)
    register(app, desk, workspace)
    whose = f"?workspace={workspace}" if settings.workspaces_file else ""
    map_address = f"{settings.console_url.rstrip('/')}/map{whose}" if settings.slack_client_id else ""
    register_plans(app, desk, workspace, map_address)
    register_checkins(app, desk, workspace, desk.sender)
    register_coaching(app, desk, workspace)


def build_console(settings: Settings, desk: Desk) -> FastAPI:
    """The coaches' console, to be served by any ASGI server. Its reads use a connection that can't write."""
    from bot.console.app import create_console

    reading = make_sessions(open_database(settings.database_url, read_only=True, limits=limits_of(settings)))
    return create_console(console_parts(settings, desk, reading))


def console_parts(settings: Settings, desk: Desk, reading: Sessions, workspace: str = "") -> "Parts":
    """What the console of one workspace is made of."""
    from bot.console.parts import Parts

    return Parts(
        desk=desk,
        reading=reading,
        wall=now,
        url=settings.console_url,
        secret=settings.console_secret or secrets.token_urlsafe(32),
        client_id=settings.slack_client_id,
        client_secret=settings.slack_client_secret,
        slack_web_url=settings.slack_web_url,
        workspace=workspace,
    )


def access_in(settings: Settings) -> dict[str, str]:
    """CONSOLE_ACCESS: e-mail → role."""
    named = (entry.strip().rpartition("=") for entry in settings.console_access.split(",") if "=" in entry)
    return {email.strip().lower(): access.strip() for email, _, access in named}


def listen_on(host: str, port: int) -> socket.socket:
    """Takes the port now, so that a port in use is an error of the start; 0 takes any. Raises OSError."""
    return socket.create_server((host, port), backlog=128)


def serve_web(
    web: FastAPI, listening: socket.socket, name: str = "console", patience: int = 1, trusted_proxies: str = "127.0.0.1"
) -> Callable[[], None]:
    """Serves in a thread of its own; call what comes back to stop it, and the port is free again.

    Requests that are in hand get `patience` seconds. No access log: addresses may hold what was searched for.
    `trusted_proxies` are believed when they say for whom they ask (X-Forwarded-For); nobody else is.
    """
    quiet = {"log_level": "warning", "access_log": False, "server_header": False, "lifespan": "off"}
    server = uvicorn.Server(
        uvicorn.Config(web, timeout_graceful_shutdown=patience, forwarded_allow_ips=trusted_proxies, **quiet)
    )  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run, args=([listening],), name=name, daemon=True)
    thread.start()

    def stop() -> None:
        server.should_exit = True
        thread.join(patience + 4)
        listening.close()

    return stop


def plan_checkins(desk: Desk) -> int:
    """Give every check-in its day that is near enough; returns how many are new."""
    return plan(desk.sessions, desk.answering.kb, desk.clock())


def send_checkins(desk: Desk) -> int:
    """Put what is due about check-ins into the outbox; returns how many messages."""
    kb, now = desk.answering.kb, desk.clock()
    ports = (desk.sessions, kb, desk.sender, partial(draw_checkin, kb), now)
    return send_due(*ports) + send_digests(*ports) + ask_about_promises(*ports)


def deliver(desk: Desk) -> int:
    """Post what is due in the outbox; returns how many messages."""
    return deliver_due(desk.sessions, desk.sender, desk.clock, desk.stopping)


def look_after(desk: Desk) -> None:
    """People who wait too long, reminders of plans, check-ins: what is due goes into the outbox."""
    escalate(desk)
    remind(desk.sessions, desk.answering.kb, partial(draw_nudge, desk.answering.kb), desk.clock())
    plan_checkins(desk)
    send_checkins(desk)


def tidy_up(desk: Desk) -> None:
    """Once a day and at the start: what is older than the policy keeps goes, reviews that the content has settled close."""
    erase_old(desk.sessions, policy_of(desk.answering.kb), desk.clock())
    close_settled(desk.sessions, desk.answering, desk.clock().date(), desk.clock())


def tick(desk: Desk) -> None:
    """What must be looked at again and again: questions left behind, people who wait too long, messages that are due."""
    sweep(desk)
    look_after(desk)
    with suppress(SlackStruggles):  # the next round is the pause
        deliver(desk)
