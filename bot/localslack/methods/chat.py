"""chat.*"""

import json
from datetime import UTC, datetime, timedelta

from bot.localslack.block_kit import LIMITS, message_problems
from bot.localslack.methods.registry import method, need, paged
from bot.localslack.workspace import Channel, Json, SlackError, Workspace

SCHEDULE_AT_MOST = timedelta(days=120)


@method("chat.postMessage", "chat:write")
def post_message(workspace: Workspace, arguments: Json) -> Json:
    channel = _open_to_app(workspace, need(arguments, "channel"))
    message = workspace.post(channel, compose(workspace, channel, arguments))
    workspace.emit({**message, "channel": channel.id, "channel_type": "im" if channel.is_im else "channel"})
    return {"channel": channel.id, "ts": message["ts"], "message": message}


@method("chat.update", "chat:write")
def update(workspace: Workspace, arguments: Json) -> Json:
    channel = workspace.channel(need(arguments, "channel"))
    message = own_message(workspace, channel, need(arguments, "ts"))
    made = compose(workspace, channel, {**arguments, "thread_ts": None})
    message.update(
        text=made["text"], blocks=made["blocks"], edited={"user": workspace.bot_user_id, "ts": workspace.clock.ts()}
    )
    if "metadata" in made:
        message["metadata"] = made["metadata"]
    workspace.changed()
    return {"channel": channel.id, "ts": message["ts"], "text": message["text"], "message": message}


@method("chat.delete", "chat:write")
def delete(workspace: Workspace, arguments: Json) -> Json:
    channel = workspace.channel(need(arguments, "channel"))
    message = own_message(workspace, channel, need(arguments, "ts"))
    channel.messages.remove(message)
    workspace.changed()
    return {"channel": channel.id, "ts": message["ts"]}


@method("chat.postEphemeral", "chat:write")
def post_ephemeral(workspace: Workspace, arguments: Json) -> Json:
    channel, user = _open_to_app(workspace, need(arguments, "channel")), workspace.user(need(arguments, "user"))
    if user.id not in channel.members:
        raise SlackError("user_not_in_channel")
    message = workspace.post(channel, compose(workspace, channel, arguments) | {"ephemeral_to": user.id})
    return {"message_ts": message["ts"]}


@method("chat.getPermalink")
def permalink(workspace: Workspace, arguments: Json) -> Json:
    channel = workspace.channel(need(arguments, "channel"))
    ts = channel.message(need(arguments, "message_ts"))["ts"]
    return {"channel": channel.id, "permalink": f"{workspace.base_url}/archives/{channel.id}/p{ts.replace('.', '')}"}


@method("chat.scheduleMessage", "chat:write")
def schedule(workspace: Workspace, arguments: Json) -> Json:
    channel = _open_to_app(workspace, need(arguments, "channel"))
    post_at = datetime.fromtimestamp(int(need(arguments, "post_at")), UTC)
    wait = post_at - workspace.clock.now()
    if wait <= timedelta():
        raise SlackError("time_in_past")
    if wait > SCHEDULE_AT_MOST:
        raise SlackError("time_too_far")
    made = compose(workspace, channel, arguments)
    name = workspace.new_id("Q")
    workspace.scheduled[name] = {
        "id": name,
        "channel_id": channel.id,
        "post_at": int(post_at.timestamp()),
        "text": made["text"],
    }

    def fire() -> None:
        # Slack's own bug, kept: a scheduled message with metadata never appears.
        if workspace.scheduled.pop(name, None) and "metadata" not in made:
            workspace.post(channel, made)

    workspace.clock.later(wait, fire)
    return {"channel": channel.id, "scheduled_message_id": name, "post_at": int(post_at.timestamp()), "message": made}


@method("chat.scheduledMessages.list")
def scheduled(workspace: Workspace, arguments: Json) -> Json:
    page, cursor = paged(list(workspace.scheduled.values()), arguments)
    return {"scheduled_messages": page, "response_metadata": {"next_cursor": cursor}}


@method("chat.deleteScheduledMessage", "chat:write")
def delete_scheduled(workspace: Workspace, arguments: Json) -> Json:
    if workspace.scheduled.pop(need(arguments, "scheduled_message_id"), None) is None:
        raise SlackError("invalid_scheduled_message_id")
    return {}


@method("chat.startStream", "chat:write")
def start_stream(workspace: Workspace, arguments: Json) -> Json:
    channel = _open_to_app(workspace, need(arguments, "channel"))
    need(arguments, "thread_ts")
    message = compose(
        workspace, channel, {**arguments, "text": arguments.get("markdown_text") or " ", "markdown_text": None}
    )
    message = workspace.post(channel, {**message, "streaming": True})
    workspace.clock.later(timedelta(minutes=5), lambda: message.pop("streaming", None))
    return {"channel": channel.id, "ts": message["ts"]}


@method("chat.appendStream", "chat:write")
def append_stream(workspace: Workspace, arguments: Json) -> Json:
    channel, message = _streaming(workspace, arguments)
    message["text"] = message["text"].lstrip() + need(arguments, "markdown_text")
    if len(message["text"]) > LIMITS["blocks"]["markdown"]["fields"]["text"]["max"]:
        raise SlackError("msg_too_long")
    workspace.changed()
    return {"channel": channel.id, "ts": message["ts"]}


@method("chat.stopStream", "chat:write")
def stop_stream(workspace: Workspace, arguments: Json) -> Json:
    channel, message = _streaming(workspace, arguments)
    message["text"] = message["text"].lstrip() + (arguments.get("markdown_text") or "")
    message["blocks"] = workspace.with_block_ids(_checked("", arguments.get("blocks") or []))
    del message["streaming"]
    workspace.changed()
    return {"channel": channel.id, "ts": message["ts"], "message": message}


def _streaming(workspace: Workspace, arguments: Json) -> tuple[Channel, Json]:
    channel = workspace.channel(need(arguments, "channel"))
    message = own_message(workspace, channel, need(arguments, "ts"))
    if not message.get("streaming"):
        raise SlackError("message_not_in_streaming_state")
    return channel, message


def compose(workspace: Workspace, channel: Channel, arguments: Json) -> Json:
    """The message that the arguments ask for. Raises SlackError for what Slack would refuse."""
    text, blocks = str(arguments.get("text") or ""), arguments.get("blocks") or []
    if markdown := arguments.get("markdown_text"):
        if text or blocks:
            raise SlackError("markdown_text_conflict")
        blocks, text = [{"type": "markdown", "text": markdown}], markdown
    if not text and not blocks and not arguments.get("attachments"):
        raise SlackError("no_text")
    _checked(text, blocks)
    thread = arguments.get("thread_ts") or None
    if thread and all(message["ts"] != thread for message in channel.messages):
        raise SlackError("thread_not_found")
    return workspace.bot_message(text, blocks, thread_ts=thread, metadata=_metadata(arguments.get("metadata")))


def _checked(text: str, blocks: list[Json]) -> list[Json]:
    problems = message_problems(text, blocks)
    too_long = [problem for problem in problems if "texts of all blocks" in problem]
    if too_long:
        raise SlackError("msg_blocks_too_long", too_long)
    if any("/text]" in problem and "pointer:/text" in problem for problem in problems):
        raise SlackError("msg_too_long")
    if problems:
        raise SlackError("invalid_blocks", problems, errors=problems)
    return blocks


def _metadata(metadata: Json | None) -> Json | None:
    if metadata is None:
        return None
    if (
        not isinstance(metadata, dict)
        or not metadata.get("event_type")
        or not isinstance(metadata.get("event_payload"), dict)
    ):
        raise SlackError("invalid_metadata_format")
    if len(json.dumps(metadata)) > LIMITS["metadata_bytes"]:
        raise SlackError("metadata_too_large")
    return metadata


def own_message(workspace: Workspace, channel: Channel, ts: str) -> Json:
    message = channel.message(ts)
    if message.get("bot_id") != workspace.bot_id:
        raise SlackError("cant_update_message")
    return message


def _open_to_app(workspace: Workspace, target: str) -> Channel:
    """The channel, or the direct message with a person, that the app may post to."""
    if target.startswith(("U", "W")):
        user = workspace.user(target)
        if user.is_bot:
            raise SlackError("cannot_dm_bot")
        channel = workspace.direct_message(user.id)
    else:
        channel = workspace.channel(target)
    if workspace.bot_user_id not in channel.members:
        raise SlackError("not_in_channel")
    app_home = workspace.manifest["features"].get("app_home", {})
    if channel.is_im and not app_home.get("messages_tab_enabled"):
        raise SlackError("messages_tab_disabled")
    return channel
