"""The doctor at Slack's door: tokens, scopes, the clock. Asks, and changes nothing."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.config import Settings
from bot.operations.faults import kind_of
from bot.operations.findings import Finding, ok, warning, wrong

CLOCK_ODD, CLOCK_WRONG = 30, 300  # seconds; Slack's signatures are refused when they are five minutes old
WHERE_TOKENS_ARE = "Copy it again from your Slack app (api.slack.com/apps)"
SLACKS_OWN = "Leave SLACK_API_URL out: Slack's own address is https://slack.com/api/, with the stroke at its end."


def examine_slack(
    settings: Settings, tokens: Mapping[str, str], scopes: Sequence[str] | None, now: datetime
) -> Iterator[Finding]:
    """`tokens` by workspace ("" for the only one); `scopes` as the manifest asks for them, None when there is no manifest."""
    address = urlsplit(settings.slack_api_url)
    if address.scheme not in ("http", "https") or not address.hostname:
        yield wrong("SLACK_API_URL", f"{settings.slack_api_url} is no address.", SLACKS_OWN)
        return
    heads: Mapping[str, str] = {}
    for workspace, token in tokens.items():
        findings, heads = _bot_token(settings, workspace, token, scopes)
        yield from findings
    yield from _app_token(settings)
    if heads.get("date"):
        yield _clock(parsedate_to_datetime(heads["date"]), now)


def team_of(settings: Settings) -> str:
    """The workspace that SLACK_BOT_TOKEN belongs to; "" when Slack can't say, or there are several workspaces."""
    if not settings.slack_bot_token or settings.workspaces_file:
        return ""
    try:
        return str(_client(settings, settings.slack_bot_token).auth_test()["team_id"])
    except Exception:  # away, or no such token: findings of their own
        return ""


def _bot_token(
    settings: Settings, workspace: str, token: str, scopes: Sequence[str] | None
) -> tuple[list[Finding], Mapping[str, str]]:
    """What is to be said about the token, and the heads of Slack's answer."""
    about = f"bot token of {workspace}" if workspace else "bot token"
    if not token:
        mend = (
            f"Install the app there: PUBLIC_URL/slack/install ({workspace})."
            if workspace
            else "Set SLACK_BOT_TOKEN; it stands in your Slack app under OAuth & Permissions."
        )
        return [wrong(about, "There is no token.", mend)], {}
    if not token.startswith("xoxb-"):
        return [
            wrong(about, "This is not a bot token: those begin with xoxb-.", f"{WHERE_TOKENS_ARE}: OAuth & Permissions.")
        ], {}
    try:
        answer = _client(settings, token).auth_test()
    except SlackApiError as error:
        return [_refused(about, settings, error, "OAuth & Permissions → Bot User OAuth Token")], {}
    except Exception as error:
        return [_away(about, settings, error)], {}
    heads = {name.lower(): str(value) for name, value in answer.headers.items()}
    team = ok(about, f"Slack knows us as {answer['user']} in {answer['team']} ({answer['team_id']}).")
    return [team, *_scopes(about, heads.get("x-oauth-scopes", ""), scopes)], heads


def _scopes(about: str, granted: str, asked: Sequence[str] | None) -> Iterator[Finding]:
    if asked is None:
        yield warning(
            "scopes", "manifest.json is not here, so scopes were not compared.", "Run the doctor in Trellis's folder."
        )
        return
    have = {scope.strip() for scope in granted.split(",") if scope.strip()}
    if missing := sorted(set(asked) - have):
        mend = "Add them in your Slack app (OAuth & Permissions), reinstall it to the workspace, and take the new token."
        yield wrong(f"scopes of the {about}", f"Missing: {', '.join(missing)}.", mend)
    elif more := sorted(have - set(asked)):
        yield warning(
            f"scopes of the {about}", f"More than Trellis needs: {', '.join(more)}.", "Remove them and reinstall the app."
        )
    else:
        yield ok(f"scopes of the {about}", f"All {len(have)}, and no more, as in manifest.json.")


def _app_token(settings: Settings) -> Iterator[Finding]:
    """Opening a connection gives an address that nobody has to use."""
    token, about = settings.slack_app_token, "app-level token"
    if not token:
        if settings.slack_signing_secret:
            yield ok("signing secret", "Set: Slack reaches Trellis over HTTP at /slack/events.")
        else:
            mend = "Set SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP events)."
            yield wrong(about, "Slack has no way to reach Trellis.", mend)
        return
    if not token.startswith("xapp-"):
        yield wrong(
            about, "This is not an app-level token: those begin with xapp-.", f"{WHERE_TOKENS_ARE}: Basic Information."
        )
        return
    try:
        _client(settings, "").apps_connections_open(app_token=token)
        yield ok(about, "Slack opens connections for it.")
    except SlackApiError as error:
        yield _refused(about, settings, error, "Basic Information → App-Level Tokens, with connections:write")
    except Exception as error:
        yield _away(about, settings, error)


def _refused(about: str, settings: Settings, error: SlackApiError, where: str) -> Finding:
    if error.response.status_code == 429 or error.response.status_code >= 500:
        return warning(about, f"Slack could not say ({error.response.status_code}).", "Ask again in a minute.")
    if ": " not in kind_of(error):  # none of Slack's codes: something else answered
        return wrong(about, f"What answers at SLACK_API_URL={settings.slack_api_url} is not Slack's API.", SLACKS_OWN)
    return wrong(about, f"Slack refuses it ({kind_of(error)}).", f"{WHERE_TOKENS_ARE}: {where}.")


def _away(about: str, settings: Settings, error: Exception) -> Finding:
    mend = "Let this machine reach it over HTTPS; a proxy goes into HTTPS_PROXY."
    return wrong(about, f"{settings.slack_api_url} can't be reached ({kind_of(error)}).", mend)


def _clock(slacks: datetime, now: datetime) -> Finding:
    apart = abs((now - slacks).total_seconds())
    says = f"This machine's clock and Slack's are {apart:.0f} s apart."
    if apart <= CLOCK_ODD:
        return ok("clock", says)
    mend = "Let the machine set its clock by itself (timedatectl set-ntp true)."
    return (wrong if apart > CLOCK_WRONG else warning)("clock", says, mend)


def _client(settings: Settings, token: str) -> Any:
    return WebClient(token=token, base_url=settings.slack_api_url, timeout=8, retry_handlers=[])
