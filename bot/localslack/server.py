"""Everything on one loopback port: Web API, Socket Mode, response URLs, uploads, sign-in, the page, the control API."""

import asyncio
import base64
import binascii
import json
import socket
import threading
import time
from datetime import timedelta
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.localslack.acting import Member
from bot.localslack.clock import Clock
from bot.localslack.control import control_routes
from bot.localslack.delivery import MOST_SOCKETS, Delivery, Socket
from bot.localslack.methods.chat import compose
from bot.localslack.openid import OpenId
from bot.localslack.page import page_routes
from bot.localslack.web_api import Call, Fault, WebApi, read_arguments
from bot.localslack.workspace import Json, SlackError, User, Workspace

SOCKET_TICKET_LIVES = timedelta(seconds=30)
RESPONSE_URL_LIVES = timedelta(minutes=30)
BOT_TOKEN, APP_TOKEN, SIGNING_SECRET = "xoxb-local", "xapp-local", "local-signing-secret"
HANGS_FOR = 15.0  # seconds: longer than any sensible client waits


class LocalSlack:
    """A Slack workspace with one app on 127.0.0.1.

    `manifest` is the app's own manifest.json, `people` who is in the workspace. `request_url` is where events go over
    HTTP while no socket is open. Use it as a context manager, or `start` and `stop` it.
    """

    def __init__(
        self,
        manifest: Json,
        people: list[User],
        *,
        port: int = 0,
        bot_token: str = BOT_TOKEN,
        app_token: str = APP_TOKEN,
        signing_secret: str = SIGNING_SECRET,
        client_id: str = "local-client",
        client_secret: str = "local-client-secret",
        request_url: str | None = None,
        team_id: str = "T0LOCAL",
        team_name: str = "Local Workspace",
    ) -> None:
        self.clock = Clock()
        self.workspace = Workspace(manifest, people, self.clock, team_id, team_name)
        self.delivery = Delivery(self.workspace, signing_secret, request_url)
        self.web_api = WebApi(self.workspace, bot_token, app_token)
        self.openid = OpenId(self.workspace, client_id, client_secret, bot_token)
        self.workspace.emit = self.delivery.tell
        self._listening = socket.socket()
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listening.bind(("127.0.0.1", port))
        self.port: int = self._listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.api_url = f"{self.url}/api/"
        self.workspace.base_url = self.url
        self.loop: asyncio.AbstractEventLoop | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    # --- running ---

    def start(self) -> "LocalSlack":
        quiet = {"log_level": "warning", "access_log": False, "lifespan": "off", "timeout_graceful_shutdown": 1}
        self._server = uvicorn.Server(uvicorn.Config(self.app(), ws="websockets-sansio", **quiet))

        def run() -> None:
            self.loop = asyncio.new_event_loop()
            self.loop.run_until_complete(self._server.serve(sockets=[self._listening]))  # type: ignore[union-attr]

        self._thread = threading.Thread(target=run, name="localslack", daemon=True)
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the local Slack could not start")
            time.sleep(0.005)
        self.clock.start()
        return self

    def stop(self) -> None:
        self.clock.stop()
        self.delivery.close()
        if self._server and self._thread:
            self._server.should_exit = True
            self._thread.join(5)
        self._listening.close()

    def __enter__(self) -> "LocalSlack":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- for tests and the demo ---

    def as_user(self, who: str) -> Member:
        """A person by id or e-mail address, ready to act."""
        for user in self.workspace.users.values():
            if who in (user.id, user.email) and who:
                return Member(self.workspace, self.delivery, user)
        raise LookupError(f"nobody here is {who!r}")

    def calls(self, method: str | None = None) -> list[Call]:
        return [call for call in self.web_api.journal.calls if method in (None, call.method)]

    def fault(self, kind: str, method: str = "chat.postMessage", times: int = 1) -> None:
        """The next calls of `method` go wrong; the kinds stand in web_api.Fault."""
        self.web_api.journal.faults.append(Fault(kind, method, times))

    def disconnect(self) -> None:
        """All Socket Mode connections break, as they do in real life every few hours."""
        for each in list(self.delivery.sockets):
            each.close()

    # --- the HTTP side ---

    def app(self) -> Starlette:
        routes = [
            Route("/api/{method}", self._web_api, methods=["GET", "POST"]),
            WebSocketRoute("/link", self._socket),
            Route("/response/{name}", self._respond, methods=["POST"]),
            Route("/upload/{file_id}", self._upload, methods=["POST"]),
            Route("/files/{file_id}/{name}", self._download),
            Route("/.well-known/openid-configuration", lambda _: JSONResponse(self.openid.configuration())),
            Route("/openid/connect/keys", lambda _: JSONResponse(self.openid.keys())),
            Mount("/control", routes=control_routes(self)),
            *page_routes(self),
        ]
        hosts = ["127.0.0.1", "localhost"]  # a page elsewhere can't reach it under another name
        return Starlette(routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts)])

    async def _web_api(self, request: Request) -> Response:
        name = request.path_params["method"]
        try:
            pairs, body = await _arguments_of(request)
            arguments = read_arguments(pairs, body)
        except SlackError as error:
            return JSONResponse(error.body())
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        token = credential if scheme.lower() == "bearer" else str(arguments.pop("token", ""))
        if name in ("openid.connect.token", "oauth.v2.access", "openid.connect.userInfo"):
            return JSONResponse(self._sign_in(name, arguments, token, _basic(scheme, credential)))
        status, answer, headers = self.web_api.call(name, token, arguments)
        if status == -1:
            await asyncio.sleep(HANGS_FOR)
            return JSONResponse(answer)
        if status == 0:
            return StreamingResponse(_broken(), media_type="application/json")
        return JSONResponse(answer, status, headers)

    def _sign_in(self, name: str, arguments: Json, token: str, basic: tuple[str, str] | None) -> Json:
        try:
            if name == "openid.connect.token":
                return {"ok": True, **self.openid.sign_in_token(arguments, basic)}
            if name == "oauth.v2.access":
                return {"ok": True, **self.openid.install_token(arguments, basic)}
            return {"ok": True, **self.openid.user_info(token)}
        except SlackError as error:
            return error.body()

    async def _socket(self, connection: WebSocket) -> None:
        ticket = connection.query_params.get("ticket", "")
        if self.workspace.spend(ticket, SOCKET_TICKET_LIVES) or len(self.delivery.sockets) >= MOST_SOCKETS:
            await connection.close()
            return
        await connection.accept()
        loop = asyncio.get_running_loop()

        def send(envelope: Json) -> None:
            asyncio.run_coroutine_threadsafe(connection.send_text(json.dumps(envelope)), loop).result(2)

        def close() -> None:
            asyncio.run_coroutine_threadsafe(connection.close(), loop)

        one = Socket(send, close)
        hello = {
            "type": "hello",
            "num_connections": len(self.delivery.sockets) + 1,
            "connection_info": {"app_id": self.workspace.app_id},
            "debug_info": {"host": "localslack", "approximate_connection_time": 18060},
        }
        await connection.send_text(json.dumps(hello))
        self.delivery.sockets.append(one)
        self.workspace.changed()
        try:
            while True:
                self.delivery.acknowledge(json.loads(await connection.receive_text()))
        except WebSocketDisconnect:
            pass
        finally:
            self.delivery.sockets.remove(one)
            self.workspace.changed()

    async def _respond(self, request: Request) -> Response:
        body = await request.json()
        return await run_in_threadpool(self._respond_with, request.path_params["name"], body)

    def _respond_with(self, name: str, body: Json) -> Response:
        workspace, kept = self.workspace, self.workspace.responses.get(name)
        if kept is None or workspace.clock.now() - kept["made"] > RESPONSE_URL_LIVES or not kept["left"]:
            return PlainTextResponse("expired_url", 404)
        kept["left"] -= 1
        channel = workspace.channel(kept["channel"])
        old = next((message for message in channel.messages if message["ts"] == kept["ts"]), None)
        try:
            if body.get("delete_original") and old:
                channel.messages.remove(old)
            elif body.get("replace_original") and old:
                made = compose(workspace, channel, body)
                old.update(text=made["text"], blocks=made["blocks"])
            else:
                made = compose(workspace, channel, body)
                seen_by = {} if body.get("response_type") == "in_channel" else {"ephemeral_to": kept["user"]}
                workspace.post(channel, made | seen_by)
        except SlackError as error:
            return JSONResponse(error.body(), 400)
        workspace.changed()
        return PlainTextResponse("ok")

    async def _upload(self, request: Request) -> Response:
        file = self.workspace.files.get(request.path_params["file_id"])
        if file is None or file.shared:
            return PlainTextResponse("no such upload", 404)
        content = await request.body()
        if request.headers.get("content-type", "").startswith("multipart/"):
            form = await request.form()
            content = await next(iter(form.values())).read()  # type: ignore[union-attr]
        file.content = content
        return PlainTextResponse(f"OK - {len(content)}")

    async def _download(self, request: Request) -> Response:
        file = self.workspace.files.get(request.path_params["file_id"])
        if file is None or not file.shared:
            return PlainTextResponse("not found", 404)
        headers = {"Content-Disposition": f'attachment; filename="{file.id}"', "X-Content-Type-Options": "nosniff"}
        return Response(file.content, media_type="application/octet-stream", headers=headers)


async def _arguments_of(request: Request) -> tuple[list[tuple[str, Any]], Any]:
    pairs: list[tuple[str, Any]] = list(request.query_params.multi_items())
    if request.method == "GET":
        return pairs, None
    kind = request.headers.get("content-type", "")
    if "json" in kind:
        try:
            return pairs, json.loads(await request.body() or b"{}")
        except ValueError:
            raise SlackError("invalid_json") from None
    form = await request.form()
    return [*pairs, *((name, value) for name, value in form.multi_items() if isinstance(value, str))], None


def _basic(scheme: str, credential: str) -> tuple[str, str] | None:
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(credential).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, secret


async def _broken() -> Any:
    """The connection breaks in the middle of the answer."""
    yield b'{"ok": '
    raise ConnectionResetError("a fault that was asked for")
