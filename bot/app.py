"""The only place that knows all parts: builds them from the settings."""

import secrets
import signal
import threading
from datetime import UTC, datetime
from functools import partial

import uvicorn
from fastapi import FastAPI
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient

from bot.config import Settings
from bot.domain.cards import LANGUAGES, Language
from bot.domain.matching import Example, Matcher
from bot.domain.role_mentions import RoleReader
from bot.domain.understanding import Understanding
from bot.knowledge_base import KnowledgeBase, load
from bot.services.answering import Answering
from bot.services.delivery import Clock, deliver_due
from bot.services.escalating import escalate
from bot.services.inbox import Desk, sweep
from bot.services.reviewing import close_settled
from bot.services.working_out import WorkingOut
from bot.slack.coaching import draw_handoff, draw_reply_with_rights, register_coaching
from bot.slack.listeners import register
from bot.slack.sender import SlackSender
from storage.database import make_sessions, migrate, open_database


def build_answering(settings: Settings) -> Answering:
    """Content, matcher and career map, ready to answer. Raises ContentError when the content can't be trusted."""
    kb = load(settings.content_dir)
    return Answering(kb, understanding_of(kb), WorkingOut(kb))


def understanding_of(kb: KnowledgeBase) -> Understanding:
    examples = [Example(text, card) for text, card, _ in (*kb.examples(), *kb.outside_examples())]
    titles: dict[Language, dict[str, str]] = {
        language: {card: entry.title.in_(language) for card, entry in kb.entries()} for language in LANGUAGES
    }
    return Understanding(Matcher.train(examples).rank, role_reader(kb), kb.safety_rules, kb.other_languages, titles)


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
    return RoleReader(names, kb.ambiguous_titles)


def now() -> datetime:
    return datetime.now(UTC)


def build_desk(settings: Settings, answering: Answering, clock: Clock = now) -> Desk:
    """Database, sender and content, put together for working on the inbox."""
    migrate(settings.database_url)
    kb = answering.kb
    return Desk(
        sessions=make_sessions(open_database(settings.database_url)),
        answering=answering,
        sender=SlackSender(settings.slack_bot_token, settings.slack_api_url),
        draw=partial(draw_reply_with_rights, kb),
        clock=clock,
        coach_channel=settings.coach_channel,
        draw_handoff=partial(draw_handoff, kb, settings.console_url),
    )


def build_slack_app(settings: Settings, desk: Desk) -> App:
    """The Bolt app. Calls auth.test once before anything arrives: a first event would be lost while it fails."""
    client = WebClient(token=settings.slack_bot_token, base_url=settings.slack_api_url)
    workspace = str(client.auth_test()["team_id"])
    app = App(client=client, signing_secret=settings.slack_signing_secret or None, token_verification_enabled=False)
    register(app, desk, workspace)
    register_coaching(app, desk, workspace)
    return app


def build_console(settings: Settings, desk: Desk) -> FastAPI:
    """The coaches' console, to be served by any ASGI server. Its reads use a connection that can't write."""
    from bot.console.app import create_console
    from bot.console.parts import Parts

    named = (entry.strip().rpartition("=") for entry in settings.console_access.split(",") if "=" in entry)
    return create_console(
        Parts(
            desk=desk,
            reading=make_sessions(open_database(settings.database_url, read_only=True)),
            wall=now,
            url=settings.console_url,
            secret=settings.console_secret or secrets.token_urlsafe(32),
            client_id=settings.slack_client_id,
            client_secret=settings.slack_client_secret,
            slack_web_url=settings.slack_web_url,
            access={email.strip().lower(): access.strip() for email, _, access in named},
        )
    )


def serve_console(console: FastAPI, port: int, host: str = "127.0.0.1") -> uvicorn.Server:
    """Serves in a thread of its own until `should_exit` is set. No access log: addresses may hold what was searched for."""
    config = uvicorn.Config(console, host=host, port=port, log_level="warning", access_log=False, server_header=False)
    server = uvicorn.Server(config)
    threading.Thread(target=server.run, name="console", daemon=True).start()
    return server


def run(settings: Settings) -> None:
    """Serve until told to stop: Socket Mode with an app token, else HTTP events at /slack/events."""
    desk = build_desk(settings, build_answering(settings))
    app = build_slack_app(settings, desk)
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    if settings.slack_app_token:
        SocketModeHandler(app, settings.slack_app_token).connect()
    else:
        threading.Thread(target=app.start, kwargs={"port": settings.port, "path": "/slack/events"}, daemon=True).start()
    close_settled(desk.sessions, desk.answering, desk.clock().date(), desk.clock())
    if settings.slack_client_id:
        serve_console(build_console(settings, desk), settings.console_port, settings.console_host)
    while not stop.wait(1.0):
        tick(desk)


def tick(desk: Desk) -> None:
    """What must be looked at again and again: questions left behind, people who wait too long, messages that are due."""
    sweep(desk)
    escalate(desk)
    deliver_due(desk.sessions, desk.sender, desk.clock)
