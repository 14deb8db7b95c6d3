"""Sign in with Slack (OpenID Connect). These two routes are async because Authlib's client is."""

from typing import Any
from urllib.parse import urlsplit

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from httpx import HTTPError
from joserfc.errors import JoseError
from starlette.concurrency import run_in_threadpool

from bot.console.access import Staff, end_sessions, own_form, session_of, sign_in
from bot.console.parts import Parts, parts_at, parts_of
from bot.console.views import render
from bot.services.audit import record
from bot.services.people import access_of, person_by_slack_id, person_with_email
from storage.models import Person

TEAM, USER = "https://slack.com/team_id", "https://slack.com/user_id"

router = APIRouter()


def slack_client(parts: Parts) -> OAuth:
    """Slack's OpenID Connect; the local Slack has the same addresses under its own base."""
    base = parts.slack_web_url.rstrip("/")
    oauth = OAuth()
    oauth.register(
        "slack",
        client_id=parts.client_id,
        client_secret=parts.client_secret,
        authorize_url=f"{base}/openid/connect/authorize",
        access_token_url=f"{base}/api/openid.connect.token",
        jwks_uri=f"{base}/openid/connect/keys",
        client_kwargs={"scope": "openid email profile", "timeout": 10},
    )
    return oauth


def own_address(address: str) -> str:
    """Where to go after signing in: a page of ours, never another site."""
    parts = urlsplit(address)
    inside = address.startswith("/") and not address.startswith(("//", "/\\")) and not parts.netloc
    return address if inside and "\\" not in address and address.isprintable() else "/"


@router.get("/sign-in")
def sign_in_page(request: Request, next: str = "/") -> Response:
    if session_of(request):
        return RedirectResponse(own_address(next), 303)
    return render(request, "sign_in.html", next=own_address(next))


@router.get("/sign-in/slack")
async def sign_in_with_slack(request: Request, next: str = "/") -> Response:
    parts = parts_of(request)
    request.session["next"] = own_address(next)
    client = request.app.state.slack_client.slack
    answer: Response = await client.authorize_redirect(request, f"{parts.url.rstrip('/')}/signed-in")
    return answer


@router.get("/signed-in")
async def signed_in(request: Request) -> Response:
    parts, address = parts_of(request), request.client.host if request.client else ""
    limit, now = request.app.state.sign_ins, parts.wall()
    if limit.exceeded(address, now):
        return _too_many(request)
    after = own_address(str(request.session.get("next", "/")))
    begun = f"_state_slack_{request.query_params.get('state', '')}" in request.session  # as Authlib keeps it
    client = request.app.state.slack_client.slack
    issuer = {"iss": {"essential": True, "values": [parts.slack_web_url.rstrip("/")]}}
    try:
        token = await client.authorize_access_token(request, claims_options=issuer)
    except (AuthlibBaseError, JoseError, HTTPError):
        if begun:  # else nothing was asked of Slack, and a visitor must not keep others behind the same address out
            limit.failed(address, now)
        return render(
            request, "sign_in.html", status=400, next=after, problem="Slack did not sign you in. Please try again."
        )
    claims = token.get("userinfo") or {}
    who = f"{claims.get(TEAM, '')}:{claims.get(USER) or claims.get('sub') or ''}"
    if limit.exceeded(who, now):
        return _too_many(request)
    own = parts_at(request, str(claims.get(TEAM, "")))
    person = await run_in_threadpool(_admit, own, claims) if own else None
    if person is None:
        limit.failed(who, now)
        request.session.clear()
        return render(request, "not_for_you.html", status=403)
    sign_in(request, person)
    return RedirectResponse(after, 303)


@router.post("/sign-out", dependencies=[Depends(own_form)])
def sign_out(request: Request, staff: Staff) -> Response:
    with parts_of(request).desk.sessions() as session:
        end_sessions(session, staff)
    request.session.clear()
    return RedirectResponse("/sign-in", 303)


def _admit(parts: Parts, claims: dict[str, Any]) -> Person | None:
    """The roster's person with a role in the console; None for everybody else. Either way it is written down."""
    now, workspace = parts.desk.clock(), parts.workspace or str(claims.get(TEAM, ""))
    with parts.desk.sessions() as session:
        person = person_by_slack_id(session, workspace, str(claims.get(USER) or claims.get("sub") or ""))
        if person is None and claims.get("email_verified", False):
            person = person_with_email(session, workspace, str(claims.get("email") or ""))
        if person is None or not access_of(person, parts.desk.access):
            record(session, person, "was refused", now, workspace=workspace)
            session.commit()
            return None
        record(session, person, "signed in", now)
        session.commit()
        return person


def _too_many(request: Request) -> Response:
    return render(request, "sign_in.html", status=429, next="/", problem="Too many tries. Please wait a minute.")
