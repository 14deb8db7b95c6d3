"""Several workspaces: where the app is installed, the two pages on which that is done, and which app an event is for."""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from datetime import UTC, datetime
from html import escape
from typing import Any

from slack_bolt import App, BoltContext, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.error import BoltError
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.callback_options import CallbackOptions, FailureArgs, SuccessArgs
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk import WebClient
from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.cacheable_installation_store import CacheableInstallationStore
from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.sqlalchemy import SQLAlchemyOAuthStateStore
from sqlalchemy import Engine

from storage.models.installations import BOTS, INSTALLATIONS, STATES

logger = logging.getLogger(__name__)

# What the app may do, as in manifest.json.
SCOPES = (
    "assistant:write",
    "channels:history",
    "chat:write",
    "commands",
    "dnd:read",
    "files:write",
    "groups:history",
    "im:history",
    "im:write",
    "users:read",
    "users:read.email",
)
BEGUN_A_MINUTE = 20  # first pages, whoever opens them
STATE_LIVES = 600  # seconds between the first page and the way back
Knows = Callable[[str, str], bool]  # team, enterprise: is it one of ours?


class Installations:
    """Slack's own stores on our database. Tokens come from a cache; `forget` it now and then, because another process may
    have heard of an installation that came or went."""

    def __init__(self, engine: Engine, client_id: str) -> None:
        names = {"bots_table_name": BOTS.name, "installations_table_name": INSTALLATIONS.name}
        self.store = CacheableInstallationStore(SQLAlchemyInstallationStore(client_id, engine, **names))
        self.states = SQLAlchemyOAuthStateStore(STATE_LIVES, engine, table_name=STATES.name)

    def bot_of(self, team: str, enterprise: str = "") -> Bot | None:
        """The installation in this team, else the one in its whole organisation; None when there is none."""
        found = self.store.find_bot(enterprise_id=enterprise or None, team_id=team) if team else None
        if found is None and enterprise:
            found = self.store.find_bot(enterprise_id=enterprise, team_id=None, is_enterprise_install=True)
        return found

    def token_of(self, team: str, enterprise: str = "") -> str:
        """The bot's token there; "" when the app is not installed."""
        bot = self.bot_of(team, enterprise)
        return str(bot.bot_token or "") if bot else ""

    def remove(self, team: str | None, enterprise: str | None) -> None:
        """Token and installers of one place are deleted."""
        self.store.delete_all(enterprise_id=enterprise or None, team_id=team or None)

    def forget(self) -> None:
        """Look into the database at the next question, not into the cache."""
        self.store.cached_bots.clear()
        self.store.cached_installations.clear()

    def tidy_up(self) -> None:
        """What somebody began and did not bring to its end within its time is deleted."""
        now = datetime.now(UTC).replace(tzinfo=None)  # as Slack's store keeps it
        with self.states.engine.begin() as connection:
            connection.execute(STATES.delete().where(STATES.c.expire_at <= now))

    def authorize(self, context: BoltContext, enterprise_id: str | None, team_id: str | None) -> AuthorizeResult | None:
        """Who we are where this event comes from. Asks Slack nothing: while Slack fails, a question would be lost."""
        whole = bool(context.is_enterprise_install)
        bot = self.bot_of("" if whole else team_id or "", enterprise_id or "")
        if bot is None or not bot.bot_token:
            return None
        return AuthorizeResult(
            enterprise_id=bot.enterprise_id,
            team_id=bot.team_id,
            bot_user_id=bot.bot_user_id,
            bot_id=bot.bot_id,
            bot_token=bot.bot_token,
            bot_scopes=list(bot.bot_scopes),
        )


class OwnWorkspacesOnly(OAuthFlow):
    """The install flow for the workspaces that are set up here. Others get a sentence, and their token is not kept."""

    def __init__(self, knows: Knows, **more: Any) -> None:
        super().__init__(**more)
        self._knows = knows
        self._begun: deque[float] = deque(maxlen=BEGUN_A_MINUTE)

    def handle_installation(self, request: BoltRequest) -> BoltResponse:
        """Anybody may open this page, and each time a row is kept: not more of them than a hospital needs."""
        now = time.monotonic()
        if len(self._begun) == BEGUN_A_MINUTE and now - self._begun[0] < 60:
            return _page(429, "Please wait a minute", "Many people are installing Trellis right now.")
        self._begun.append(now)
        return super().handle_installation(request)

    def store_installation(self, request: BoltRequest, installation: Installation) -> None:
        if not self._knows(installation.team_id or "", installation.enterprise_id or ""):
            logger.warning("an installation in %s was refused", installation.team_id or installation.enterprise_id)
            raise BoltError("unknown workspace")
        super().store_installation(request, installation)
        logger.info("installed in %s", installation.team_id or installation.enterprise_id)


def install_flow(
    installations: Installations, client_id: str, client_secret: str, api_url: str, web_url: str, own_url: str, knows: Knows
) -> OwnWorkspacesOnly:
    """`web_url` is where Slack's own pages are, `own_url` where browsers reach ours."""
    settings = OAuthSettings(
        client_id=client_id,
        client_secret=client_secret,
        scopes=list(SCOPES),
        user_scopes=[],
        redirect_uri=f"{own_url.rstrip('/')}/slack/oauth_redirect",
        install_page_rendering_enabled=False,
        callback_options=CallbackOptions(_installed, _not_installed),
        authorization_url=f"{web_url.rstrip('/')}/oauth/v2/authorize",
        installation_store=installations.store,
        installation_store_bot_only=True,
        state_store=installations.states,
        state_expiration_seconds=STATE_LIVES,
    )
    return OwnWorkspacesOnly(knows, client=WebClient(base_url=api_url), settings=settings)


def _installed(done: SuccessArgs) -> BoltResponse:
    name = done.installation.team_name or done.installation.enterprise_name or "your workspace"
    return _page(200, "Trellis is installed", f"People of {name} who are on the roster can write to it now.")


def _not_installed(failed: FailureArgs) -> BoltResponse:
    words = {
        "access_denied": "You said no on Slack's page. Nothing was installed.",
        "storage_error": "This workspace is not set up here. Ask who runs Trellis to add it to the workspaces file first.",
        "invalid_browser": "Please begin again in this browser: the way back from Slack did not fit to the way there.",
        "invalid_state": "That took longer than ten minutes, or it was used before. Please begin again.",
    }
    what = words.get(failed.reason, "Slack did not accept it. Please begin again.")
    return _page(max(failed.suggested_status_code, 400), "Trellis is not installed", what)


def _page(status: int, title: str, words: str) -> BoltResponse:
    body = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1><p>{escape(words)}</p>'
    )
    headers = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": "default-src 'none'"}
    return BoltResponse(status=status, body=body, headers=headers | {"Cache-Control": "no-store"})


# --- which app is it for? ----------------------------------------------------------------------------------------


class Front:
    """One app a workspace, each with listeners that know its own people and content alone. Hands each request to its own.

    `find` names the workspace of (team, enterprise); None when it is none of ours.
    """

    def __init__(self, apps: Mapping[str, App], find: Callable[[str, str], str | None]) -> None:
        self.apps, self._find = apps, find
        first = next(iter(apps.values()))
        self.client, self.logger = first.client, logging.getLogger("slack_sdk.socket_mode")  # what Socket Mode needs

    def dispatch(self, request: BoltRequest) -> BoltResponse:
        """As Bolt's own, and never an error: Bolt reads some payloads before anything of ours can object to their shape."""
        try:
            return self._dispatch(request)
        except Exception as error:
            logger.error("what came from Slack can't be read: %s", type(error).__name__)
            return BoltResponse(status=400, body="")

    def _dispatch(self, request: BoltRequest) -> BoltResponse:
        """A greeting of Slack's (url_verification) belongs to nobody: any app knows the answer."""
        if request.body.get("type") == "url_verification" or "ssl_check" in request.body:
            return next(iter(self.apps.values())).dispatch(request)
        team, enterprise = request.context.team_id or "", request.context.enterprise_id or ""
        workspace = self._find(team, enterprise)
        if workspace is None:
            logger.warning("something came from a workspace that is not set up here: %s", team or enterprise or "unknown")
            return BoltResponse(status=200, body="")
        return self.apps[workspace].dispatch(request)

    @property
    def executors(self) -> list[Executor]:
        """Where listeners run."""
        return [app.listener_runner.listener_executor for app in self.apps.values()]


def register_leaving(app: App, leave: Callable[[str | None, str | None], None]) -> None:
    """`leave(team, enterprise)` when the app is removed or its token revoked. Before the listener that takes every event."""

    @app.event("app_uninstalled")
    def on_uninstalled(context: BoltContext) -> None:
        _leave(context)

    @app.event("tokens_revoked")
    def on_revoked(event: dict[str, Any], context: BoltContext) -> None:
        if event.get("tokens", {}).get("bot"):  # people's own tokens may come and go
            _leave(context)

    def _leave(context: BoltContext) -> None:
        leave(None if context.is_enterprise_install else context.team_id, context.enterprise_id)
