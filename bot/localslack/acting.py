"""What a person does in Slack: write, press, choose, submit. Each becomes the event or payload that Slack would send."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from bot.localslack.delivery import Delivery
from bot.localslack.methods.conversations import react
from bot.localslack.methods.people import as_object
from bot.localslack.methods.views import check_view, push
from bot.localslack.state import action_of, element_with, state_of
from bot.localslack.workspace import Channel, File, Json, SlackError, User, Workspace

WAIT = 10.0  # real seconds


class Member:
    """One person of the workspace, with hands. What they do returns when the app has acknowledged it."""

    def __init__(self, workspace: Workspace, delivery: Delivery, user: User) -> None:
        self.workspace, self.delivery, self.user = workspace, delivery, user

    @property
    def channel(self) -> Channel:
        """The direct message with the app."""
        return self.workspace.direct_message(self.user.id)

    # --- seeing ---

    def messages(self, channel_id: str | None = None) -> list[Json]:
        """What the person sees in the conversation, oldest first; only-for-you messages of others left out."""
        channel = self.workspace.channel(channel_id) if channel_id else self.channel
        return [m for m in channel.messages if m.get("ephemeral_to") in (None, self.user.id)]

    def from_app(self) -> list[Json]:
        return [message for message in self.messages() if message.get("bot_id")]

    @property
    def last(self) -> Json:
        """The app's latest message to this person."""
        return self.from_app()[-1]

    @property
    def home(self) -> Json | None:
        return self.workspace.homes.get(self.user.id)

    @property
    def modal(self) -> Json | None:
        """The topmost open modal."""
        open_views = self.workspace.open_views.get(self.user.id)
        return self.workspace.views[open_views[-1]] if open_views else None

    def wait_for_message(self, wanted: Callable[[Json], bool] = lambda message: True, after: str = "0") -> Json:
        """The app's first message later than `after` that is wanted. TimeoutError when none comes."""

        def look() -> Json | None:
            fresh = (m for m in self.from_app() if float(m["ts"]) > float(after) and wanted(m))
            return next(fresh, None)

        return self.workspace.until(look, WAIT)

    def wait_for_modal(self) -> Json:
        return self.workspace.until(lambda: self.modal, WAIT)

    # --- writing ---

    def say(
        self, text: str, thread_ts: str | None = None, files: list[Json] | None = None, channel_id: str | None = None
    ) -> str:
        """Write a message; returns its ts."""
        channel = self.workspace.channel(channel_id) if channel_id else self.channel
        rich = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
        message: Json = {
            "type": "message",
            "user": self.user.id,
            "text": text,
            "team": self.workspace.team_id,
            "client_msg_id": self.workspace.new_id("local-"),
            "blocks": [{"type": "rich_text", "block_id": self.workspace.new_id("b"), "elements": [rich]}],
        }
        if thread_ts:
            message["thread_ts"] = thread_ts
        if files:
            message |= {"files": files, "subtype": "file_share"}
        self.workspace.post(channel, message)
        self._tell_about(channel, {**message})
        return str(message["ts"])

    def ask(self, text: str) -> Json:
        """Write a message and wait for the app's answer."""
        return self.wait_for_message(after=self.say(text))

    def edit(self, ts: str, text: str) -> None:
        message = self.channel.message(ts)
        before = {**message}
        message.update(text=text, edited={"user": self.user.id, "ts": self.workspace.clock.ts()})
        message.pop("blocks", None)
        self.workspace.changed()
        self._tell_change("message_changed", message=message, previous_message=before, ts=message["edited"]["ts"])

    def delete(self, ts: str) -> None:
        message = self.channel.message(ts)
        self.channel.messages.remove(message)
        self.workspace.changed()
        self._tell_change("message_deleted", deleted_ts=ts, previous_message=message, ts=self.workspace.clock.ts())

    def react(self, ts: str, name: str) -> None:
        if react(self.channel.message(ts), name, self.user.id):
            self.workspace.changed()
            item = {"type": "message", "channel": self.channel.id, "ts": ts}
            self.delivery.tell({"type": "reaction_added", "user": self.user.id, "reaction": name, "item": item})

    def upload(self, name: str, content: bytes) -> str:
        file = File(self.workspace.new_id("F"), name, len(content), content, name, True)
        self.workspace.files[file.id] = file
        return self.say("", files=[{"id": file.id, "name": name, "size": file.size}])

    def _tell_about(self, channel: Channel, event: Json) -> None:
        kind = "im" if channel.is_im else "channel"
        self.delivery.tell({**event, "channel": channel.id, "channel_type": kind})

    def _tell_change(self, subtype: str, **more: Any) -> None:
        self._tell_about(self.channel, {"type": "message", "subtype": subtype, "hidden": True, **more})

    # --- opening ---

    def open_home(self) -> None:
        self._open("home", **({"view": self.home} if self.home else {}))

    def open_messages(self) -> None:
        self._open("messages")

    def _open(self, tab: str, **more: Any) -> None:
        event = {"type": "app_home_opened", "user": self.user.id, "channel": self.channel.id, "tab": tab, **more}
        self.delivery.tell(event)

    # --- pressing and choosing ---

    def click(self, name: str, ts: str | None = None) -> None:
        """Press the button whose label or action id is `name`: in the topmost modal, else in the latest message that
        has it (or the message `ts`), else on the Home tab. LookupError when there is none."""
        place, block, element = self._find(name, ts)
        self.act(place, block, element)

    def choose(self, action_id: str, value: Any, ts: str | None = None) -> None:
        """Choose in a menu, a date picker, check boxes …: an option's value or label, a date, or a list of values."""
        place, block, element = self._find(action_id, ts)
        self.act(place, block, element, value)

    def act(self, place: Json, block: Json, element: Json, value: Any = None) -> None:
        """A block_actions payload for an element of a message or a view."""
        action = action_of(element, value) | {"block_id": block["block_id"], "action_ts": self.workspace.clock.ts()}
        payload = self._interaction("block_actions") | {"actions": [action]}
        if "ts" in place:
            channel = self._channel_of(place)
            shown = {name: each for name, each in place.items() if name != "ephemeral_to"}
            payload["container"] = {
                "type": "message",
                "message_ts": place["ts"],
                "channel_id": channel.id,
                "is_ephemeral": "ephemeral_to" in place,
                **({"thread_ts": place["thread_ts"]} if "thread_ts" in place else {}),
            }
            payload["channel"] = {"id": channel.id, "name": "directmessage" if channel.is_im else channel.name}
            payload |= {"message": shown, "state": {"values": state_of(place, {})}}
            payload["response_url"] = (
                f"{self.workspace.base_url}/response/{self.workspace.response(channel.id, place['ts'], self.user.id)}"
            )
        else:
            payload |= {"container": {"type": "view", "view_id": place["id"]}, "view": place}
            place["state"]["values"] = state_of(place, {f"{block['block_id']}|{element['action_id']}": value})
        self._asked(payload)

    def submit(self, values: Json | None = None) -> None:
        """Send the topmost modal. `values`: action id, or "block id|action id" → text, option value, date, or a list."""
        view = self.modal
        if view is None:
            raise LookupError("no modal is open")
        view["state"] = {"values": state_of(view, values or {})}
        payload = self._interaction("view_submission") | {"view": view, "response_urls": []}
        answer = self.delivery.ask("interactive", payload)
        if not answer.taken:
            raise SlackError("dispatch_failed")
        self._after_submit(view, answer.body)

    def _after_submit(self, view: Json, body: Json) -> None:
        stack = self.workspace.open_views[self.user.id]
        match body.get("response_action"):
            case "errors":
                view["errors"] = body["errors"]
            case "update":
                self.workspace.replace_view(view, check_view(body["view"], "modal"))
            case "push":
                push(self.workspace, self.user.id, check_view(body["view"], "modal"))
            case "clear":
                stack.clear()
            case _:
                stack.pop()
        self.workspace.changed()

    def close_modal(self) -> None:
        view = self.modal
        if view is None:
            return
        self.workspace.open_views[self.user.id].pop()
        self.workspace.changed()
        if view.get("notify_on_close"):
            self._asked(self._interaction("view_closed") | {"view": view, "is_cleared": False})

    def command(self, command: str, text: str = "") -> None:
        """A slash command. The app's answer appears as an only-for-you message, as in Slack."""
        workspace, channel = self.workspace, self.channel
        known = [each["command"] for each in workspace.manifest["features"].get("slash_commands", [])]
        if command not in known:
            self._told(channel, f"{command} is not a valid command.")
            return
        payload = {
            "token": "local",
            "command": command,
            "text": text,
            "team_id": workspace.team_id,
            "team_domain": workspace.domain,
            "channel_id": channel.id,
            "channel_name": "directmessage",
            "user_id": self.user.id,
            "user_name": self.user.name,
            "api_app_id": workspace.app_id,
            "is_enterprise_install": "false",
            "trigger_id": workspace.trigger(self.user.id),
            "response_url": f"{workspace.base_url}/response/{workspace.response(channel.id, '', self.user.id)}",
        }
        answer = self.delivery.ask("slash_commands", payload)
        if not answer.taken:
            self._told(channel, f"{command} failed with the error “dispatch_failed”.")
        elif answer.body.get("text") or answer.body.get("blocks"):
            self._told(channel, answer.body.get("text", ""), answer.body.get("blocks"))

    def shortcut(self, callback_id: str) -> None:
        """A global shortcut. LookupError when the manifest has none of this name."""
        known = [each["callback_id"] for each in self.workspace.manifest["features"].get("shortcuts", [])]
        if callback_id not in known:
            raise LookupError(f"the manifest has no shortcut {callback_id}")
        self._asked(self._interaction("shortcut") | {"callback_id": callback_id, "action_ts": self.workspace.clock.ts()})

    def changed_profile(self, **values: Any) -> None:
        """The account changes: tz, deleted, locale …; the app is told."""
        for name, value in values.items():
            setattr(self.user, name, value)
        told = as_object(self.workspace, self.user, locale=True)
        self.delivery.tell({"type": "user_change", "user": told, "cache_ts": int(float(self.workspace.clock.ts()))})

    # --- helpers ---

    def _told(self, channel: Channel, text: str, blocks: list[Json] | None = None) -> None:
        self.workspace.post(channel, self.workspace.bot_message(text, blocks or []) | {"ephemeral_to": self.user.id})

    def _interaction(self, kind: str) -> Json:
        workspace = self.workspace
        return {
            "type": kind,
            "user": {"id": self.user.id, "username": self.user.name, "name": self.user.name, "team_id": self.user.team_id},
            "api_app_id": workspace.app_id,
            "token": "local",
            "trigger_id": workspace.trigger(self.user.id),
            "team": {"id": workspace.team_id, "domain": workspace.domain},
            "enterprise": None,
            "is_enterprise_install": False,
        }

    def _asked(self, payload: Json) -> None:
        if not self.delivery.ask("interactive", payload).taken:
            raise SlackError("dispatch_failed")

    def _channel_of(self, message: Json) -> Channel:
        for channel in self.workspace.channels.values():
            if any(each is message or each["ts"] == message["ts"] for each in channel.messages):
                return channel
        raise SlackError("message_not_found")

    def _find(self, name: str, ts: str | None) -> tuple[Json, Json, Json]:
        """(message or view, block, element)."""
        places: list[Json] = [self.modal] if self.modal and not ts else []
        shared = [c.id for c in self.workspace.channels.values() if not c.is_im and self.user.id in c.members]
        seen = [m for channel_id in (None, *shared) for m in self.messages(channel_id) if ts in (None, m["ts"])]
        places += sorted(seen, key=lambda message: float(message["ts"]), reverse=True)
        places += [self.home] if self.home and not ts else []
        for place in places:
            if found := element_with(place.get("blocks", []), name):
                return place, *found
        raise LookupError(f"nothing to press is named {name!r}")

    @property
    def local_time(self) -> str:
        return self.workspace.clock.now().astimezone(ZoneInfo(self.user.tz)).strftime("%a %H:%M")
