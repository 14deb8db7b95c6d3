"""Templates: everything that is shown passes through here, escaped and without tricks."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bot.console.access import MAY, session_of
from bot.console.block_kit import draw_blocks, draw_mrkdwn, inert
from bot.console.parts import parts_of
from storage.models import Person

HERE = Path(__file__).parent


def without_tricks(value: object) -> object:
    """Runs on every printed value: no control characters, no marks that turn the reading direction round."""
    if isinstance(value, Markup):
        return Markup(inert(str(value)))
    return inert(value) if isinstance(value, str) else value


templates = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=without_tricks,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(request: Request, template: str, *, staff: Person | None = None, status: int = 200, **values: Any) -> Response:
    """A page. `staff` is who is signed in; pages for nobody leave it out."""
    parts, session = parts_of(request), session_of(request) if staff else None
    zone = parts.desk.answering.kb.employer["zone"]
    flash = request.session.pop("flash", "") if staff and "flash" in request.session else ""
    csrf = (session or {}).get("csrf", "")
    may = {name for name, roles in MAY.items() if staff and staff.access in roles}
    page = templates.get_template(template).render(
        values
        | {
            "staff": staff,
            "may": may,
            "csrf": csrf,
            "hidden": Markup('<input type="hidden" name="csrf" value="{}">').format(csrf),
            "flash": flash,
            "path": request.url.path,
            "now": parts.desk.clock(),
            "local": lambda moment: local(moment, zone),
            "employer": parts.desk.answering.kb.employer["name"],
            "query": lambda **changes: _query(request, changes),
        }
    )
    return HTMLResponse(page, status)


def flash(request: Request, words: str) -> None:
    """A sentence shown once, at the top of the next page."""
    request.session["flash"] = words


def local(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone))


def ago(moment: datetime, now: datetime) -> str:
    """How long something has been waiting: "3 min", "5 h", "2 days"."""
    minutes = max(0, int((now.astimezone(UTC) - moment.astimezone(UTC)).total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h"
    return f"{minutes // (24 * 60)} days"


def day(moment: datetime) -> str:
    return moment.strftime("%b %-d, %Y")


def day_and_time(moment: datetime) -> str:
    return moment.strftime("%b %-d, %Y, %-I:%M %p")


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _query(request: Request, changes: dict[str, Any]) -> str:
    """The query string of this page with some values changed; None takes one away."""
    values = dict(request.query_params) | changes
    return urlencode({key: value for key, value in values.items() if value not in (None, "")})


templates.filters |= {
    "ago": ago,
    "day": day,
    "day_and_time": day_and_time,
    "percent": percent,
    "mrkdwn": draw_mrkdwn,
    "blocks": draw_blocks,
}
