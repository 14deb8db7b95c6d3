"""assistant.threads.*, agents.sessions.*, apps.connections.open"""

from datetime import timedelta

from bot.localslack.block_kit import LIMITS
from bot.localslack.methods.registry import method, need
from bot.localslack.workspace import Json, SlackError, Workspace

STATUS_LIVES = timedelta(minutes=2)


@method("assistant.threads.setStatus", "chat:write", "assistant:write")
def set_status(workspace: Workspace, arguments: Json) -> Json:
    channel = workspace.channel(need(arguments, "channel_id"))
    channel.status = str(arguments.get("status") or "")

    def clear(shown: str = channel.status) -> None:
        if channel.status == shown:
            channel.status = ""
            workspace.changed()

    workspace.clock.later(STATUS_LIVES, clear)
    workspace.changed()
    return {}


@method("assistant.threads.setSuggestedPrompts", "assistant:write", "chat:write")
def set_prompts(workspace: Workspace, arguments: Json) -> Json:
    """In agent_view Slack silently ignores prompts that name a thread."""
    channel, prompts = workspace.channel(need(arguments, "channel_id")), need(arguments, "prompts")
    if len(prompts) > LIMITS["suggested_prompts"]:
        raise SlackError("invalid_arguments", ["no more than 4 prompts [json-pointer:/prompts]"])
    if not arguments.get("thread_ts"):
        channel.prompts = prompts
        workspace.changed()
    return {}


@method("assistant.threads.setTitle", "assistant:write", "chat:write")
def set_title(workspace: Workspace, arguments: Json) -> Json:
    workspace.channel(need(arguments, "channel_id"))
    need(arguments, "title")
    return {}


@method("agents.sessions.setStatus", "chat:write")
def set_session_status(workspace: Workspace, arguments: Json) -> Json:
    if need(arguments, "status") not in ("active", "processing", "suspended", "closed"):
        raise SlackError("invalid_arguments", ["unknown status"])
    return {}


@method("apps.connections.open", token="app")
def open_connection(workspace: Workspace, arguments: Json) -> Json:
    if not workspace.manifest["settings"].get("socket_mode_enabled"):
        raise SlackError("socket_mode_not_enabled")
    address = workspace.base_url.replace("http://", "ws://", 1)
    return {"url": f"{address}/link?ticket={workspace.ticket('link')}"}
