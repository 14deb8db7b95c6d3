"""The coaches' console: server-rendered pages that work without JavaScript."""

from collections.abc import Mapping

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.middleware.sessions import SessionMiddleware

from bot.console import content, conversation, dashboards, inbox, map, privacy, programs, reviews, signing_in, stepping_in
from bot.console.access import CONTENT_OWNER, HR, Forged, NotAllowed, SignInNeeded, Staff, own_form
from bot.console.parts import Parts
from bot.console.security import RateLimit, SecurityHeaders
from bot.console.views import HERE, render

START = {CONTENT_OWNER: "/content", HR: "/dashboards"}
COOKIE = "trellis_console"


def create_console(parts: Parts, by_team: Mapping[str, Parts] | None = None) -> FastAPI:
    """The app, ready to be served. Every route but signing in asks who is there, what they may do, and whose form it is.

    With several workspaces `by_team` has the parts of each; `parts` is what people see before they sign in.
    """
    https = parts.url.startswith("https://")
    app = FastAPI(title="Trellis console", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.parts, app.state.by_team = parts, by_team or {}
    app.state.slack_client = signing_in.slack_client(parts)
    app.state.sign_ins = RateLimit(parts.sign_ins_a_minute)
    app.add_middleware(
        SessionMiddleware,
        secret_key=parts.secret,
        session_cookie=f"__Host-{COOKIE}" if https else COOKIE,
        max_age=int(parts.longest.total_seconds()),
        same_site="lax",  # not strict: Slack sends people back here
        https_only=https,
    )
    app.add_middleware(SecurityHeaders, https=https)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    app.include_router(signing_in.router)
    app.include_router(map.router)  # for everybody: content only
    app.get("/", name="home")(home)
    for part in (inbox, conversation, stepping_in, reviews, content, programs, dashboards, privacy):
        app.include_router(part.router, dependencies=[Depends(own_form)])
    app.exception_handler(SignInNeeded)(_ask_to_sign_in)
    app.exception_handler(NotAllowed)(_not_allowed)
    app.exception_handler(Forged)(_forged)
    for problem in (RequestValidationError, OverflowError, DataError):  # the latter: numbers no row can have
        app.exception_handler(problem)(_not_understood)
    app.exception_handler(HTTPException)(_problem)
    return app


def home(staff: Staff) -> Response:
    return RedirectResponse(START.get(staff.access, "/inbox"), 303)


def _ask_to_sign_in(request: Request, problem: Exception) -> Response:
    address = problem.address if isinstance(problem, SignInNeeded) else "/sign-in"
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": "/sign-in"})
    return RedirectResponse(address, 303)


def _not_allowed(request: Request, _problem: Exception) -> Response:
    return render(request, "problem.html", status=403, title="Not for your role", words="Your role can't open this page.")


def _forged(request: Request, _problem: Exception) -> Response:
    words = "This form is too old, or it did not come from this page. Please go back, load the page again and retry."
    return render(request, "problem.html", status=403, title="Please try again", words=words)


def _not_understood(request: Request, _problem: Exception) -> Response:
    """An address or a form with values that no page of ours makes."""
    words = "Something in this address or form is missing, too long or not readable. Please go back and try again."
    return render(request, "problem.html", status=422, title="Not understood", words=words)


def _problem(request: Request, problem: Exception) -> Response:
    status = problem.status_code if isinstance(problem, HTTPException) else 500
    words = "There is no such page." if status == 404 else "This did not work. Please go back and try again."
    return render(request, "problem.html", status=status, title="Not found" if status == 404 else "Problem", words=words)
