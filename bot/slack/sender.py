"""The Slack side of delivery: posts once, never repeats by itself, and reads a conversation back when in doubt."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.services.delivery import Found, InDoubt, NotSent, Outcome, Refused, Sent
from storage.models import OutboxItem

logger = logging.getLogger(__name__)

EVENT_TYPE = "trellis_message"
# Slack says that with these some aspect of the call may have succeeded.
DOUBTFUL = {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}
# The conversation can't be read back, today or tomorrow.
UNREADABLE = {"channel_not_found", "not_in_channel", "missing_scope", "no_permission", "thread_not_found", "user_not_found"}
READ_BACK_PAGES = 5
# The token is no good, today; the message is. It waits until the app is installed again, or until it is too late for it.
TOKEN_REFUSED = {
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "team_access_not_granted",
}
WITHOUT_TOKEN = timedelta(minutes=10)
SOON, LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=1)
CLOCKS_DIFFER = 3600  # seconds: a clock of ours that runs ahead of Slack's must not hide a message


class NotInstalled(Exception):
    """There is no token for this workspace."""


class SlackSender:
    """`retry_handlers=[]` is essential: the client's own retries would send a message twice."""

    def __init__(self, token: str | Callable[[], str], base_url: str, timeout: float = 10) -> None:
        """`token` may be asked for again and again: the app may be installed anew, or removed (then it is "")."""
        self._token_now = token if callable(token) else lambda: token
        self._made = WebClient(base_url=base_url, timeout=timeout, retry_handlers=[])  # type: ignore[arg-type]

    @property
    def _client(self) -> WebClient:
        """With the token of this moment. Raises NotInstalled."""
        token = self._token_now()
        if not token:
            raise NotInstalled("the app is not installed in this workspace")
        if token != self._made.token:
            self._made = WebClient(token, self._made.base_url, self._made.timeout, retry_handlers=[])
        return self._made

    def post(self, item: OutboxItem) -> Outcome:
        """One attempt, with the item's key in the message's metadata."""
        try:
            client = self._client
        except Exception as error:  # no token: Slack was not asked at all
            return NotSent(WITHOUT_TOKEN, type(error).__name__)
        try:
            metadata = {"event_type": EVENT_TYPE, "event_payload": {"id": item.key}}
            answer = client.chat_postMessage(channel=item.channel, metadata=metadata, **item.payload)
            return Sent(str(answer["channel"]), str(answer["ts"]))
        except SlackApiError as error:
            return _outcome_of(error)
        except ConnectionRefusedError as error:
            return NotSent(timedelta(seconds=5), str(error))
        except Exception as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, ConnectionRefusedError):
                return NotSent(timedelta(seconds=5), "connection refused")
            return InDoubt(type(reason).__name__)

    def profile_of(self, slack_id: str) -> dict[str, Any]:
        """The account as Slack knows it, with its locale. Raises SlackApiError, or what the network raises."""
        return dict(self._client.users_info(user=slack_id, include_locale=True)["user"])

    def account_of(self, email: str) -> dict[str, Any] | None:
        """The account with this e-mail address; None when there is none. Raises SlackApiError, or what the network raises."""
        try:
            return dict(self._client.users_lookupByEmail(email=email)["user"])
        except SlackApiError as error:
            if error.response.get("error") == "users_not_found":
                return None
            raise

    def resting_until(self, slack_ids: Sequence[str], now: datetime) -> dict[str, datetime]:
        """Who has Do Not Disturb on right now, and until when. At most 50 people a call."""
        answer = self._client.dnd_teamInfo(users=",".join(slack_ids))
        return {
            user: datetime.fromtimestamp(info["next_dnd_end_ts"], UTC)
            for user, info in answer["users"].items()
            if info.get("dnd_enabled") and info["next_dnd_start_ts"] <= now.timestamp() < info["next_dnd_end_ts"]
        }

    def find(self, item: OutboxItem) -> Found:
        """Looks for the item's key in the conversation since the item was made."""
        try:
            channel = item.channel
            if channel.startswith(("U", "W")):
                channel = self._client.conversations_open(users=channel)["channel"]["id"]
            return self._search(item, channel)
        except SlackApiError as error:
            return "unreadable" if error.response.get("error") in UNREADABLE else "unknown"
        except Exception:
            return "unknown"

    def _search(self, item: OutboxItem, channel: str) -> Sent | Literal["absent"]:
        arguments: dict[str, Any] = {"channel": channel, "include_all_metadata": True, "limit": 100}
        arguments["oldest"] = f"{item.created_at.timestamp() - CLOCKS_DIFFER:.6f}"
        read = self._client.conversations_history
        if thread := item.payload.get("thread_ts"):
            read, arguments["ts"] = self._client.conversations_replies, thread  # type: ignore[assignment]
        for _ in range(READ_BACK_PAGES):
            page = read(**arguments)
            for message in page["messages"]:
                if message.get("metadata", {}).get("event_payload", {}).get("id") == item.key:
                    return Sent(channel, message["ts"])
            arguments["cursor"] = (page.get("response_metadata") or {}).get("next_cursor")
            if not arguments["cursor"]:
                return "absent"
        raise LookupError("too many messages to read back")


def _outcome_of(error: SlackApiError) -> Outcome:
    response = error.response
    if response.status_code == 429 or response.get("error") == "ratelimited":
        return NotSent(_wait_of(str(response.headers.get("Retry-After", ""))), "rate limited")
    if response.status_code >= 500 or response.get("error") in DOUBTFUL:
        return InDoubt(f"{response.status_code} {response.get('error', '')}")
    if response.get("error") in TOKEN_REFUSED:
        logger.error("Slack refuses the token: %s; nothing can be sent until the app is installed again", response["error"])
        return NotSent(WITHOUT_TOKEN, str(response["error"]))
    return Refused(str(response.get("error")))


def _wait_of(retry_after: str) -> timedelta:
    """What Slack asks for, within reason: a header that can't be right must not hold a message for days."""
    return min(timedelta(seconds=int(retry_after)), LONGEST_WAIT) if retry_after.isdecimal() else SOON
