"""conversations.*, reactions.*"""

from bot.localslack.methods.registry import is_true, method, need, paged
from bot.localslack.workspace import Channel, Json, SlackError, Workspace


def as_object(channel: Channel) -> Json:
    if channel.is_im:
        return {"id": channel.id, "is_im": True, "user": channel.members[0], "is_archived": False}
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": True,
        "is_private": False,
        "is_member": True,
        "is_archived": False,
    }


@method("conversations.open", "im:write")
def open_conversation(workspace: Workspace, arguments: Json) -> Json:
    if channel_id := arguments.get("channel"):
        channel = workspace.channel(channel_id)
    else:
        users = str(need(arguments, "users")).split(",")
        if len(users) != 1:
            raise SlackError("missing_scope", needed="mpim:write", provided=",".join(sorted(workspace.scopes)))
        channel = workspace.direct_message(users[0])
    shown = as_object(channel) if is_true(arguments.get("return_im")) else {"id": channel.id}
    return {"channel": shown, "no_op": bool(channel.messages), "already_open": bool(channel.messages)}


@method("conversations.info", "im:read", "channels:read")
def info(workspace: Workspace, arguments: Json) -> Json:
    return {"channel": as_object(workspace.channel(need(arguments, "channel")))}


@method("conversations.list", "im:read", "channels:read")
def list_conversations(workspace: Workspace, arguments: Json) -> Json:
    kinds = str(arguments.get("types") or "public_channel").split(",")
    wanted = [c for c in workspace.channels.values() if ("im" if c.is_im else "public_channel") in kinds]
    page, cursor = paged(wanted, arguments)
    return {"channels": [as_object(channel) for channel in page], "response_metadata": {"next_cursor": cursor}}


@method("conversations.members", "im:read", "channels:read")
def members(workspace: Workspace, arguments: Json) -> Json:
    page, cursor = paged(workspace.channel(need(arguments, "channel")).members, arguments)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


@method("conversations.history", "im:history", "channels:history")
def history(workspace: Workspace, arguments: Json) -> Json:
    """Newest first; replies in threads are not in it."""
    channel = _readable(workspace, arguments)
    inside = [m for m in channel.messages if not m.get("thread_ts") or m["thread_ts"] == m["ts"]]
    return _messages(inside[::-1], arguments)


@method("conversations.replies", "im:history", "channels:history")
def replies(workspace: Workspace, arguments: Json) -> Json:
    """Oldest first, the thread's first message included."""
    channel, root = _readable(workspace, arguments), need(arguments, "ts")
    thread = [m for m in channel.messages if root in (m["ts"], m.get("thread_ts"))]
    if not thread:
        raise SlackError("thread_not_found")
    return _messages(thread, arguments)


def _readable(workspace: Workspace, arguments: Json) -> Channel:
    channel = workspace.channel(need(arguments, "channel"))
    needed = "im:history" if channel.is_im else "channels:history"
    if needed not in workspace.scopes:
        raise SlackError("missing_scope", needed=needed, provided=",".join(sorted(workspace.scopes)))
    return channel


def _messages(messages: list[Json], arguments: Json) -> Json:
    oldest, latest = float(arguments.get("oldest") or 0), float(arguments.get("latest") or "inf")
    inclusive = is_true(arguments.get("inclusive"))

    def wanted(message: Json) -> bool:
        ts = float(message["ts"])
        return not message.get("ephemeral_to") and (oldest <= ts <= latest if inclusive else oldest < ts < latest)

    page, cursor = paged([message for message in messages if wanted(message)], arguments)
    hidden = set() if is_true(arguments.get("include_all_metadata")) else {"metadata"}
    shown = [{name: value for name, value in message.items() if name not in hidden} for message in page]
    return {"messages": shown, "has_more": bool(cursor), "response_metadata": {"next_cursor": cursor}}


@method("reactions.add", "reactions:write")
def add_reaction(workspace: Workspace, arguments: Json) -> Json:
    message, name = _reacted(workspace, arguments), need(arguments, "name")
    if not react(message, name, workspace.bot_user_id):
        raise SlackError("already_reacted")
    workspace.changed()
    return {}


@method("reactions.remove", "reactions:write")
def remove_reaction(workspace: Workspace, arguments: Json) -> Json:
    message, name = _reacted(workspace, arguments), need(arguments, "name")
    for reaction in message.get("reactions", []):
        if reaction["name"] == name and workspace.bot_user_id in reaction["users"]:
            reaction["users"].remove(workspace.bot_user_id)
            reaction["count"] -= 1
            workspace.changed()
            return {}
    raise SlackError("no_reaction")


@method("reactions.get", "reactions:read")
def get_reactions(workspace: Workspace, arguments: Json) -> Json:
    return {"type": "message", "message": _reacted(workspace, arguments)}


def _reacted(workspace: Workspace, arguments: Json) -> Json:
    return workspace.channel(need(arguments, "channel")).message(need(arguments, "timestamp"))


def react(message: Json, name: str, user: str) -> bool:
    """Adds a reaction; False when this person has it there already."""
    reactions = message.setdefault("reactions", [])
    found = next((reaction for reaction in reactions if reaction["name"] == name), None)
    if found is None:
        reactions.append({"name": name, "users": [user], "count": 1})
        return True
    if user in found["users"]:
        return False
    found["users"].append(user)
    found["count"] += 1
    return True
