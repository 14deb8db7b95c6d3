"""views.*, blocks.validate: modals and the Home tab."""

import json
from datetime import timedelta

from bot.localslack.block_kit import LIMITS, message_problems, view_problems
from bot.localslack.methods.registry import method, need
from bot.localslack.workspace import Json, SlackError, Workspace

TRIGGER_LIVES = timedelta(seconds=3)
MODALS_AT_ONCE = 3


@method("views.open")
def open_view(workspace: Workspace, arguments: Json) -> Json:
    view, user = _checked(arguments, "modal"), _who_triggered(workspace, arguments)
    made = workspace.make_view(view)
    workspace.open_views[user] = [made["id"]]
    workspace.changed()
    return {"view": made}


@method("views.push")
def push_view(workspace: Workspace, arguments: Json) -> Json:
    view, user = _checked(arguments, "modal"), _who_triggered(workspace, arguments)
    return {"view": push(workspace, user, view)}


def push(workspace: Workspace, user: str, view: Json) -> Json:
    """A modal above those that are open."""
    stack = workspace.open_views.setdefault(user, [])
    if not stack:
        raise SlackError("not_found")
    if len(stack) >= MODALS_AT_ONCE:
        raise SlackError("push_limit_reached")
    made = workspace.make_view(view, previous_view_id=stack[-1], root_view_id=workspace.views[stack[0]]["root_view_id"])
    stack.append(made["id"])
    workspace.changed()
    return made


@method("views.update")
def update_view(workspace: Workspace, arguments: Json) -> Json:
    view = _checked(arguments, None)
    old = workspace.views.get(arguments.get("view_id") or "")
    if external := arguments.get("external_id"):
        old = next((each for each in workspace.views.values() if each["external_id"] == external), None)
    if old is None:
        raise SlackError("not_found")
    if arguments.get("hash") and arguments["hash"] != old["hash"]:
        raise SlackError("hash_conflict")
    return {"view": workspace.replace_view(old, view)}


@method("views.publish")
def publish_view(workspace: Workspace, arguments: Json) -> Json:
    view, user = _checked(arguments, "home"), workspace.user(need(arguments, "user_id"))
    if not workspace.manifest["features"].get("app_home", {}).get("home_tab_enabled"):
        raise SlackError("not_enabled")
    old = workspace.homes.get(user.id)
    if arguments.get("hash") and old and arguments["hash"] != old["hash"]:
        raise SlackError("hash_conflict")
    made = workspace.make_view(view, **({"id": old["id"]} if old else {}))
    workspace.homes[user.id] = made
    workspace.changed()
    return {"view": made}


@method("blocks.validate")
def validate(workspace: Workspace, arguments: Json) -> Json:
    problems = message_problems("", need(arguments, "blocks"))
    if problems:
        raise SlackError("invalid_blocks", problems)
    return {}


def check_view(view: Json, kind: str | None) -> Json:
    """The view, when Slack would take it."""
    problems = view_problems(view) if isinstance(view, dict) else ["view must be an object [json-pointer:/view]"]
    if not problems and kind and view["type"] != kind:
        problems = [f"type must be {kind} [json-pointer:/view/type]"]
    if problems:
        raise SlackError("invalid_arguments", problems)
    if len(json.dumps(view)) > LIMITS["surfaces"][view["type"]]["bytes"]:
        raise SlackError("view_too_large")
    return view


def _checked(arguments: Json, kind: str | None) -> Json:
    return check_view(need(arguments, "view"), kind)


def _who_triggered(workspace: Workspace, arguments: Json) -> str:
    trigger = str(arguments.get("trigger_id") or arguments.get("interactivity_pointer") or "")
    problem = workspace.spend(trigger, TRIGGER_LIVES)
    if problem:
        raise SlackError(
            {"unknown": "invalid_trigger_id", "expired": "expired_trigger_id", "spent": "exchanged_trigger_id"}[problem]
        )
    return workspace.triggered_by[trigger]
