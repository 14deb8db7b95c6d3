"""auth.*, users.*, dnd.*, team.*, bots.*"""

from zoneinfo import ZoneInfo

from bot.localslack.methods.registry import is_true, method, need, paged
from bot.localslack.workspace import Json, SlackError, User, Workspace


def as_object(workspace: Workspace, user: User, *, locale: bool = False) -> Json:
    """A user as users.info shows it to this app: the e-mail address only with its scope."""
    offset = workspace.clock.now().astimezone(ZoneInfo(user.tz)).utcoffset()
    first, _, last = user.real_name.partition(" ")
    profile = {
        "real_name": user.real_name,
        "display_name": first,
        "first_name": first,
        "last_name": last,
        "title": "",
        "image_72": f"{workspace.base_url}/avatars/{user.id}.svg",
    }
    if "users:read.email" in workspace.scopes and user.email and not user.is_stranger:
        profile["email"] = user.email
    shown = {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "real_name": user.real_name,
        "tz": user.tz,
        "tz_label": user.tz,
        "tz_offset": int(offset.total_seconds()) if offset else 0,
        "is_admin": False,
        "is_owner": False,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": user.is_ultra_restricted,
        "is_stranger": user.is_stranger,
        "is_email_confirmed": bool(user.email),
        "updated": int(workspace.clock.now().timestamp()),
        "profile": profile,
    }
    return shown | ({"locale": user.locale} if locale else {})


@method("auth.test")
def auth_test(workspace: Workspace, arguments: Json) -> Json:
    return {
        "url": f"{workspace.base_url}/",
        "team": workspace.team_name,
        "user": workspace.user(workspace.bot_user_id).name,
        "team_id": workspace.team_id,
        "user_id": workspace.bot_user_id,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }


@method("users.info", "users:read")
def info(workspace: Workspace, arguments: Json) -> Json:
    user = workspace.user(need(arguments, "user"))
    return {"user": as_object(workspace, user, locale=is_true(arguments.get("include_locale")))}


@method("users.list", "users:read")
def list_users(workspace: Workspace, arguments: Json) -> Json:
    page, cursor = paged(list(workspace.users.values()), arguments)
    locale = is_true(arguments.get("include_locale"))
    members = [as_object(workspace, user, locale=locale) for user in page]
    return {"members": members, "response_metadata": {"next_cursor": cursor}}


@method("users.lookupByEmail", "users:read.email")
def lookup_by_email(workspace: Workspace, arguments: Json) -> Json:
    email = str(need(arguments, "email")).lower()
    for user in workspace.users.values():
        if user.email.lower() == email and not user.deleted:
            return {"user": as_object(workspace, user)}
    raise SlackError("users_not_found")


@method("users.profile.get", "users.profile:read")
def profile(workspace: Workspace, arguments: Json) -> Json:
    return {"profile": as_object(workspace, workspace.user(need(arguments, "user")))["profile"]}


@method("users.getPresence", "users:read")
def presence(workspace: Workspace, arguments: Json) -> Json:
    user = workspace.user(need(arguments, "user"))
    return {"presence": "away" if user.deleted or user.dnd else "active"}


@method("dnd.info", "dnd:read")
def dnd(workspace: Workspace, arguments: Json) -> Json:
    return {**_dnd(workspace, workspace.user(need(arguments, "user")))}


@method("dnd.teamInfo", "dnd:read")
def team_dnd(workspace: Workspace, arguments: Json) -> Json:
    users = str(need(arguments, "users")).split(",")
    return {"users": {user: _dnd(workspace, workspace.user(user)) for user in users}}


def _dnd(workspace: Workspace, user: User) -> Json:
    now = int(workspace.clock.now().timestamp())
    times = (now - 3600, now + 8 * 3600) if user.dnd else (1, 1)
    return {"dnd_enabled": user.dnd, "next_dnd_start_ts": times[0], "next_dnd_end_ts": times[1]}


@method("team.info", "team:read")
def team(workspace: Workspace, arguments: Json) -> Json:
    return {"team": {"id": workspace.team_id, "name": workspace.team_name, "domain": workspace.domain}}


@method("bots.info", "users:read")
def bot(workspace: Workspace, arguments: Json) -> Json:
    if arguments.get("bot") != workspace.bot_id:
        raise SlackError("bot_not_found")
    shown = {
        "id": workspace.bot_id,
        "app_id": workspace.app_id,
        "name": workspace.app_name,
        "user_id": workspace.bot_user_id,
    }
    return {"bot": {**shown, "deleted": False}}


@method("api.test", token="none")
def api_test(workspace: Workspace, arguments: Json) -> Json:
    if arguments.get("error"):
        raise SlackError(str(arguments["error"]), args=arguments)
    return {"args": arguments}
