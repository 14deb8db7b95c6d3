"""The Slack side of delivery: posts once, never repeats by itself, and reads a conversation back when in doubt."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.services.delivery import Found, InDoubt, NotSent, Outcome, Refused, Sent
from storage.models import OutboxItem

EVENT_TYPE = "trellis_message"
# Slack says that with these some aspect of the call may have succeeded.
DOUBTFUL = {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}
# The conversation can't be read back, today or tomorrow.
UNREADABLE = {"channel_not_found", "not_in_channel", "missing_scope", "no_permission", "thread_not_found", "user_not_found"}
READ_BACK_PAGES = 5
SOON, LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=1)
CLOCKS_DIFFER = 3600  # seconds: a clock of ours that runs ahead of Slack's must not hide a message


class SlackSender:
    """`retry_handlers=[]` is essential: the client's own retries would send a message twice."""

    def __init__(self, token: str, base_url: str, timeout: float = 10) -> None:
        self._client = WebClient(token=token, base_url=base_url, timeout=timeout, retry_handlers=[])  # type: ignore[arg-type]

    def post(self, item: OutboxItem) -> Outcome:
        """One attempt, with the item's key in the message's metadata."""
        try:
            metadata = {"event_type": EVENT_TYPE, "event_payload": {"id": item.key}}
            answer = self._client.chat_postMessage(channel=item.channel, metadata=metadata, **item.payload)
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
    return Refused(str(response.get("error")))


def _wait_of(retry_after: str) -> timedelta:
    """What Slack asks for, within reason: a header that can't be right must not hold a message for days."""
    return min(timedelta(seconds=int(retry_after)), LONGEST_WAIT) if retry_after.isdecimal() else SOON
