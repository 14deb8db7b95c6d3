"""The page on which a person chats as one of the people: server-drawn, a little script to send and refresh."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot.localslack.acting import Member
from bot.localslack.block_kit import LIMITS
from bot.localslack.mrkdwn import draw_mrkdwn
from bot.localslack.workspace import Channel, Json, SlackError

if TYPE_CHECKING:
    from bot.localslack.server import LocalSlack

HERE = Path(__file__).parent
CALLS_SHOWN = 40
LONG_POLL = 20.0  # seconds
AVATAR_COLOURS = ("#1f5f4a", "#7a3e9d", "#b3541e", "#1d5d9b", "#8a2846", "#4b6b1d", "#5b4a8a", "#0f6b73")
CSP = "default-src 'self'; img-src 'self' data: https:; style-src 'self'; script-src 'self'; frame-ancestors 'none'"


def page_routes(slack: "LocalSlack") -> list[Any]:
    templates = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape(["html"]), trim_blocks=True
    )
    templates.filters["mrkdwn"] = lambda text: draw_mrkdwn(str(text or ""), _names(slack))
    templates.filters["pretty"] = lambda thing: json.dumps(thing, indent=1, ensure_ascii=False)
    templates.globals.update(limits=LIMITS, initials=_initials, colour=_colour)

    def shown(member: Member, tab: str, channel_id: str) -> Json:
        """The parts of the page that change: the conversation or Home, the open modal, what the app called."""
        workspace = slack.workspace
        with workspace.lock:
            channel = workspace.channel(channel_id) if channel_id else member.channel
            facts = {
                "me": member.user,
                "app_name": workspace.app_name,
                "bot_user": workspace.bot_user_id,
                "users": workspace.users,
                "channel": channel,
                "tab": tab,
                "home": member.home,
                "modal": member.modal,
                "rows": _rows(member, channel),
                "prompts": _prompts(slack, channel, member),
                "calls": list(slack.web_api.journal.calls)[-CALLS_SHOWN:][::-1],
                "local_time": member.local_time,
            }
            modal = member.modal
            return {
                "changes": workspace.changes,
                "body": templates.get_template("body.html").render(facts),
                "modal": templates.get_template("modal.html").render(facts) if modal else "",
                "modal_key": f"{modal['id']}{modal['hash']}{modal.get('errors', '')}" if modal else "",
                "calls": templates.get_template("calls.html").render(facts),
                "time": f"{workspace.clock.now().astimezone(ZoneInfo(member.user.tz)):%a %b %d, %Y, %H:%M}",
            }

    def member_of(request: Request) -> Member:
        first = next(user for user in slack.workspace.users.values() if not user.is_bot)
        return slack.as_user(request.query_params.get("as") or first.id)

    def page(request: Request) -> Response:
        try:
            member = member_of(request)
        except LookupError as error:
            return HTMLResponse(str(error), 404)
        people = [user for user in slack.workspace.users.values() if not user.is_bot and not user.deleted]
        tab, channel_id = request.query_params.get("tab", "messages"), request.query_params.get("in", "")
        features = slack.workspace.manifest["features"]
        facts = {
            "me": member.user,
            "people": people,
            "team_name": slack.workspace.team_name,
            "app_name": slack.workspace.app_name,
            "channels": [c for c in slack.workspace.channels.values() if not c.is_im and member.user.id in c.members],
            "channel_id": channel_id,
            "tab": tab,
            "shortcuts": features.get("shortcuts", []),
            "commands": features.get("slash_commands", []),
            **shown(member, tab, channel_id),
        }
        return HTMLResponse(templates.get_template("page.html").render(facts), headers={"Content-Security-Policy": CSP})

    async def changes(request: Request) -> Response:
        """Answers as soon as something has changed since `since`, or after 20 seconds."""
        since, waited = int(request.query_params.get("since", -1)), 0.0
        while slack.workspace.changes == since and waited < LONG_POLL:
            await asyncio.sleep(0.1)
            waited += 0.1
        query = request.query_params
        return JSONResponse(shown(member_of(request), query.get("tab", "messages"), query.get("in", "")))

    async def act(request: Request) -> Response:
        body = await request.json()
        try:
            await run_in_threadpool(_do, member_of(request), body)
        except (LookupError, ValueError, SlackError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({})

    async def move_clock(request: Request) -> Response:
        hours = float((await request.json())["hours"])
        await run_in_threadpool(slack.clock.advance, timedelta(hours=hours))
        slack.workspace.changed()
        return JSONResponse({})

    def authorize(request: Request) -> Response:
        """Who is signing in? Picking a person sends the browser back to the app."""
        query = dict(request.query_params)
        try:
            slack.openid.check_request(query)
            if user_id := query.pop("user", ""):
                return RedirectResponse(slack.openid.allow(query, slack.workspace.user(user_id)), 302)
        except SlackError as error:
            return HTMLResponse(templates.get_template("sign_in_error.html").render(error=error.error), 400)
        people = [user for user in slack.workspace.users.values() if not user.is_bot and not user.deleted]
        facts = {
            "query": query,
            "people": people,
            "team_name": slack.workspace.team_name,
            "app_name": slack.workspace.app_name,
        }
        return HTMLResponse(templates.get_template("sign_in.html").render(facts), headers={"Content-Security-Policy": CSP})

    def avatar(request: Request) -> Response:
        user = slack.workspace.users.get(request.path_params["user_id"])
        text = templates.get_template("avatar.svg").render(
            letters=_initials(user.real_name if user else "?"), fill=_colour(user.id if user else "")
        )
        return Response(text, media_type="image/svg+xml")

    return [
        Route("/", page),
        Route("/page/changes", changes),
        Route("/page/act", act, methods=["POST"]),
        Route("/page/clock", move_clock, methods=["POST"]),
        Route("/openid/connect/authorize", authorize),
        Route("/oauth/v2/authorize", authorize),
        Route("/avatars/{user_id}.svg", avatar),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]


def _do(member: Member, body: Json) -> None:
    match body.get("do"):
        case "say":
            _say(member, str(body.get("text", "")), body.get("thread_ts"), body.get("channel"))
        case "edit":
            member.edit(body["ts"], str(body["text"]))
        case "delete":
            member.delete(body["ts"])
        case "open":
            member.open_home() if body.get("tab") == "home" else member.open_messages()
        case "shortcut":
            member.shortcut(str(body["callback_id"]))
        case "act":
            _press(member, body)
        case "submit":
            member.submit(body.get("values") or {})
        case "close":
            member.close_modal()
        case other:
            raise ValueError(f"unknown: {other}")


def _say(member: Member, text: str, thread_ts: str | None, channel_id: str | None) -> None:
    """A line that begins with a slash is a command, as in Slack's own composer."""
    if text.startswith("/"):
        command, _, rest = text.partition(" ")
        member.command(command, rest.strip())
    elif text.strip():
        member.say(text, thread_ts, channel_id=channel_id or None)


def _press(member: Member, body: Json) -> None:
    """An element of a message, the Home tab or the open modal, by its place, block and action id."""
    places = [*member.messages(body.get("channel") or None), member.home or {}, member.modal or {}]
    place = next((p for p in places if body["place"] in (p.get("ts"), p.get("id"))), None)
    for block in (place or {}).get("blocks", []):
        inside = [*(block.get("elements") or []), block.get("accessory"), block.get("element")]
        for element in inside:
            if (
                block["block_id"] == body["block"]
                and isinstance(element, dict)
                and element.get("action_id") == body["action"]
            ):
                side = {"pressed": body["value"]} if element["type"] == "feedback_buttons" else {}
                member.act(place or {}, block, element | side, body.get("value"))
                return
    raise LookupError("this button is no longer there")


def _rows(member: Member, channel: Channel) -> list[Json]:
    """Messages in order, replies under their thread's first message; each with its local time and day."""
    zone = ZoneInfo(member.user.tz)
    seen = member.messages(channel.id)
    roots = [m for m in seen if not m.get("thread_ts") or m["thread_ts"] == m["ts"]]
    rows, day, before = [], "", None
    for root in roots:
        replies = [m for m in seen if m.get("thread_ts") == root["ts"] and m is not root]
        for depth, message in [(0, root), *((1, reply) for reply in replies)]:
            at = datetime.fromtimestamp(float(message["ts"]), UTC).astimezone(zone)
            today = f"{at:%A, %B} {at.day}"
            follows = before == (message["user"], depth, today, message.get("ephemeral_to"))
            row = {
                "message": message,
                "depth": depth,
                "time": f"{at:%H:%M}",
                "day": today if today != day else "",
                "follows": follows,
            }
            rows.append(row)
            day, before = today, (message["user"], depth, today, message.get("ephemeral_to"))
    return rows


def _prompts(slack: "LocalSlack", channel: Channel, member: Member) -> list[Json]:
    """Suggested prompts, while the person has not written yet."""
    if not channel.is_im or any(message["user"] == member.user.id for message in channel.messages):
        return []
    return channel.prompts or slack.workspace.manifest["features"].get("agent_view", {}).get("suggested_prompts", [])


def _names(slack: "LocalSlack") -> dict[str, str]:
    named = {user.id: user.real_name for user in slack.workspace.users.values()}
    return named | {channel.id: channel.name for channel in slack.workspace.channels.values()}


def _initials(name: str) -> str:
    return "".join(part[0] for part in name.split()[:2]).upper()


def _colour(user_id: str) -> str:
    return AVATAR_COLOURS[sum(map(ord, user_id)) % len(AVATAR_COLOURS)]
