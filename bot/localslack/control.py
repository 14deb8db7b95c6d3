"""The control API: what `LocalSlack` offers in Python, for other processes. JSON in, JSON out, under /control/."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.localslack.workspace import Json, SlackError

if TYPE_CHECKING:
    from bot.localslack.server import LocalSlack

# What a person can be told to do, and the names of its arguments.
DEEDS = {
    "say": ("text", "thread_ts"),
    "ask": ("text",),
    "edit": ("ts", "text"),
    "delete": ("ts",),
    "react": ("ts", "name"),
    "click": ("name", "ts"),
    "choose": ("action_id", "value", "ts"),
    "submit": ("values",),
    "close_modal": (),
    "command": ("command", "text"),
    "shortcut": ("callback_id",),
    "open_home": (),
    "open_messages": (),
    "changed_profile": ("tz", "deleted", "locale", "dnd"),
}


def control_routes(slack: "LocalSlack") -> list[Route]:
    def act(body: Json) -> Any:
        """{"as": id or e-mail, "do": "say", …its arguments}"""
        deed = str(body.get("do"))
        if deed not in DEEDS:
            raise LookupError(f"nobody can {deed!r}; they can {', '.join(DEEDS)}")
        values = {name: body[name] for name in DEEDS[deed] if name in body}
        return getattr(slack.as_user(str(body.get("as"))), deed)(**values)

    def seen(body: Json) -> Any:
        """{"as": …}: messages, Home tab and open modal of a person"""
        member = slack.as_user(str(body.get("as")))
        return {"messages": member.messages(body.get("channel")), "home": member.home, "modal": member.modal}

    def calls(body: Json) -> Any:
        """{"method"?: …}: what the app has called"""
        found = slack.calls(body.get("method"))
        return [
            {"at": c.at.isoformat(), "method": c.method, "arguments": c.arguments, "status": c.status, "answer": c.answer}
            for c in found
        ]

    def fault(body: Json) -> Any:
        """{"kind", "method"?, "times"?}"""
        slack.fault(**{name: body[name] for name in ("kind", "method", "times") if name in body})

    def advance(body: Json) -> Any:
        """{"seconds": …}: the clock moves on; returns the time"""
        slack.clock.advance(timedelta(seconds=float(body.get("seconds", 0))))
        return slack.clock.now().isoformat()

    def request_url(body: Json) -> Any:
        """{"url": …}: where events go over HTTP"""
        slack.delivery.request_url = body["url"]

    def disconnect(body: Json) -> Any:
        slack.disconnect()

    verbs = {"act": act, "seen": seen, "calls": calls, "fault": fault, "advance": advance}
    verbs |= {"request_url": request_url, "disconnect": disconnect}

    async def endpoint(request: Request) -> JSONResponse:
        verb = verbs.get(request.path_params["verb"])
        if verb is None:
            return JSONResponse({"error": f"there is {', '.join(verbs)}"}, 404)
        try:
            body = json.loads(await request.body() or b"{}")
            return JSONResponse({"result": await run_in_threadpool(verb, body)})
        except (LookupError, ValueError, TypeError, TimeoutError, SlackError) as error:
            return JSONResponse({"error": str(error)}, 400)

    return [Route("/{verb}", endpoint, methods=["POST"])]
