"""What Slack remembers: people, conversations, messages, views and files of one workspace. No HTTP here."""

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.localslack.clock import Clock

Json = dict[str, Any]


class SlackError(Exception):
    """A business error: HTTP 200 with `ok: false`, as Slack does it."""

    def __init__(self, error: str, messages: list[str] | None = None, **more: Any) -> None:
        super().__init__(error)
        self.error, self.messages, self.more = error, messages or [], more

    def body(self) -> Json:
        told = {"response_metadata": {"messages": self.messages}} if self.messages else {}
        return {"ok": False, "error": self.error, **told, **self.more}


@dataclass
class User:
    """A member of the workspace. `about` is shown beside the name on the page, never to the app."""

    id: str
    real_name: str
    email: str = ""
    tz: str = "America/Chicago"
    locale: str = "en-US"
    about: str = ""
    deleted: bool = False
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False
    team_id: str = ""
    dnd: bool = False

    @property
    def name(self) -> str:
        return self.email.split("@")[0] or self.real_name.lower().replace(" ", ".")


@dataclass
class Channel:
    id: str
    name: str  # "" for a direct message
    members: list[str]
    messages: list[Json] = field(default_factory=list)
    prompts: list[Json] = field(default_factory=list)
    status: str = ""

    @property
    def is_im(self) -> bool:
        return self.id.startswith("D")

    def message(self, ts: str) -> Json:
        for message in self.messages:
            if message["ts"] == ts:
                return message
        raise SlackError("message_not_found")


@dataclass
class File:
    id: str
    name: str
    size: int
    content: bytes = b""
    title: str = ""
    shared: bool = False
    alt_text: str = ""


class Workspace:
    """One workspace with one app in it. Every change wakes whoever waits in `until`."""

    def __init__(self, manifest: Json, people: list[User], clock: Clock, team_id: str, team_name: str) -> None:
        self.manifest, self.clock, self.team_id, self.team_name = manifest, clock, team_id, team_name
        self.domain = team_name.lower().replace(" ", "-")
        self.app_id, self.bot_user_id, self.bot_id = "A0TRELLIS", "U0TRELLIS", "B0TRELLIS"
        self.app_name = str(manifest["features"]["bot_user"]["display_name"])
        self.scopes = set(manifest["oauth_config"]["scopes"]["bot"])
        self.events = set(manifest["settings"]["event_subscriptions"]["bot_events"])
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.views: dict[str, Json] = {}
        self.open_views: dict[str, list[str]] = {}  # person → ids of the modals open, the topmost last
        self.homes: dict[str, Json] = {}
        self.files: dict[str, File] = {}
        self.scheduled: dict[str, Json] = {}
        self.triggered_by: dict[str, str] = {}  # trigger id → person
        self.responses: dict[str, Json] = {}  # response_url → what it answers to
        self.changes = 0
        self.base_url = ""  # filled in by the server
        self.emit: Callable[[Json], None] = lambda event: None  # filled in by the server: tells the app
        self._numbers: Iterator[int] = itertools.count(1)
        self._tickets: dict[str, datetime | None] = {}
        self._changed = threading.Condition(threading.RLock())
        self.add_user(User(self.bot_user_id, self.app_name, is_bot=True))
        for person in people:
            self.add_user(person)

    # --- being changed and waiting for it ---

    @property
    def lock(self) -> threading.Condition:
        return self._changed

    def changed(self) -> None:
        with self._changed:
            self.changes += 1
            self._changed.notify_all()

    def until(self, look: Callable[[], Any], timeout: float) -> Any:
        """What `look` returns as soon as it is true; TimeoutError after `timeout` real seconds."""
        with self._changed:
            found = self._changed.wait_for(look, timeout)
        if not found:
            raise TimeoutError(f"nothing came within {timeout} s")
        return found

    def new_id(self, prefix: str) -> str:
        return f"{prefix}{next(self._numbers):08d}"

    # --- people and conversations ---

    def add_user(self, user: User) -> None:
        user.team_id = user.team_id or self.team_id
        ZoneInfo(user.tz)
        self.users[user.id] = user

    def user(self, user_id: str) -> User:
        if user_id not in self.users:
            raise SlackError("user_not_found")
        return self.users[user_id]

    def channel(self, channel_id: str) -> Channel:
        if channel_id not in self.channels:
            raise SlackError("channel_not_found")
        return self.channels[channel_id]

    def direct_message(self, user_id: str) -> Channel:
        """The conversation of a person with the app; made at first use, then always the same."""
        self.user(user_id)
        channel_id = "D" + user_id[1:]
        return self.channels.setdefault(channel_id, Channel(channel_id, "", [user_id, self.bot_user_id]))

    def add_channel(self, name: str, members: list[str], channel_id: str | None = None) -> Channel:
        channel = Channel(channel_id or self.new_id("C"), name, [*members, self.bot_user_id])
        self.channels[channel.id] = channel
        return channel

    # --- messages ---

    def post(self, channel: Channel, message: Json) -> Json:
        with self._changed:
            if thread := message.get("thread_ts"):
                root = channel.message(thread)
                root["reply_count"] = root.get("reply_count", 0) + 1
                root["thread_ts"] = thread
            message["ts"] = self.clock.ts()
            channel.messages.append(message)
            channel.status = ""
            self.changed()
        return message

    def bot_message(self, text: str, blocks: list[Json], **more: Any) -> Json:
        """A message of the app, before it is posted."""
        return {
            "type": "message",
            "user": self.bot_user_id,
            "bot_id": self.bot_id,
            "app_id": self.app_id,
            "team": self.team_id,
            "bot_profile": {"id": self.bot_id, "app_id": self.app_id, "name": self.app_name, "team_id": self.team_id},
            "text": text,
            "blocks": self.with_block_ids(blocks),
            **{key: value for key, value in more.items() if value is not None},
        }

    def with_block_ids(self, blocks: list[Json]) -> list[Json]:
        return [block if block.get("block_id") else {**block, "block_id": self.new_id("b")} for block in blocks]

    # --- views ---

    def make_view(self, view: Json, **more: Any) -> Json:
        view_id = more.get("id") or self.new_id("V")
        made = {
            "id": view_id,
            "team_id": self.team_id,
            "app_id": self.app_id,
            "bot_id": self.bot_id,
            "app_installed_team_id": self.team_id,
            "private_metadata": "",
            "callback_id": "",
            "external_id": "",
            "clear_on_close": False,
            "notify_on_close": False,
            "title": None,
            "close": None,
            "submit": None,
            "previous_view_id": None,
            "root_view_id": view_id,
            "state": {"values": {}},
            "hash": f"{self.clock.ts()}.{view_id}",
            **view,
            **more,
        }
        made["blocks"] = self.with_block_ids(view.get("blocks", []))
        self.views[view_id] = made
        return made

    def replace_view(self, old: Json, view: Json) -> Json:
        kept = {name: old[name] for name in ("id", "previous_view_id", "root_view_id")}
        made = self.make_view(view, **kept)
        self.changed()
        return made

    # --- one-use tickets that run out ---

    def ticket(self, prefix: str) -> str:
        """An id that `spend` takes once."""
        name = f"{prefix}.{self.new_id('')}.{self.team_id.lower()}"
        self._tickets[name] = self.clock.now()
        return name

    def trigger(self, user_id: str) -> str:
        """The trigger id that goes with what a person just did."""
        name = self.ticket("trigger")
        self.triggered_by[name] = user_id
        return name

    def response(self, channel_id: str, ts: str, user_id: str) -> str:
        """The name of a new response_url: five uses within thirty minutes."""
        name = self.new_id("R")
        made = self.clock.now()
        self.responses[name] = {"channel": channel_id, "ts": ts, "user": user_id, "made": made, "left": 5}
        return name

    def spend(self, ticket: str, lives: timedelta) -> str:
        """ "": good. Else why not: `unknown`, `expired` or `spent`."""
        made = self._tickets
        if ticket not in made:
            return "unknown"
        since = made[ticket]
        if since is None:
            return "spent"
        made[ticket] = None
        return "expired" if self.clock.now() - since > lives else ""
