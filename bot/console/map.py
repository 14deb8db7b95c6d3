"""The career map as a page that anybody may open: content only, nothing about employees. Works without JavaScript."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from bot.console.parts import parts_of
from bot.console.views import render
from bot.domain.cards import Language
from bot.domain.map_layout import FAMILIES, LEVELS, PHONE, WIDE
from bot.services.career_map import CareerMap, career_map, role_sheet, route_sheets

SHORT = Annotated[str, Query(max_length=80)]

router = APIRouter()


@dataclass(frozen=True)
class Filter:
    """What is shown; the rest stays faint in its place."""

    family: str
    no_patients: bool
    no_degree: bool
    growing: bool

    def shows(self, role: Any) -> bool:
        return not (
            (self.family and role.family != self.family)
            or (self.no_patients and role.patients)
            or (self.no_degree and role.degree)
            or (self.growing and not role.growing)
        )


@router.get("/map", name="career_map")
def career_map_page(
    request: Request,
    role: SHORT = "",
    start: Annotated[str, Query(alias="from", max_length=80)] = "",
    to: SHORT = "",
    family: SHORT = "",
    no_patients: SHORT = "",
    no_degree: SHORT = "",
    growing: SHORT = "",
    language: SHORT = "",
    workspace: SHORT = "",
) -> Response:
    """`from` and `to` mark the best ways between two jobs; `role` opens its card; the filters dim what does not fit.

    `workspace` says whose map it is, where several are served; it is remembered for the next click.
    """
    if workspace:
        request.session["map"] = workspace
    parts = parts_of(request)
    kb, lattice = parts.desk.answering.kb, parts.desk.answering.work_out.lattice
    spoken = _language(request, language)
    today = parts.desk.clock().date()
    role, start, to = (slug if slug in kb.roles else "" for slug in (role, start, to))
    family = family if family in FAMILIES else ""
    routes = route_sheets(kb, lattice, start, to, spoken, today) if start and to and start != to else []
    wide = career_map(kb, spoken, today, WIDE)
    phone = replace(wide, drawing=career_map(kb, spoken, today, PHONE).drawing)
    filters = Filter(family, bool(no_patients), bool(no_degree), bool(growing))
    return render(
        request,
        "map.html",
        maps=[("wide", wide, _curves(wide)), ("phone", phone, _curves(phone))],
        sheet=role_sheet(kb, lattice, role, spoken, today) if role else None,
        routes=routes,
        way={slug for route in routes for slug in route.slugs},
        numbers={slug: number for route in routes[:1] for number, slug in enumerate(route.slugs, 1)},
        legs={pair: number for number, route in reversed([*enumerate(routes, 1)]) for pair in pairwise(route.slugs)},
        start=start,
        goal=to,
        role=role,
        filters=filters,
        shown=sum(filters.shows(each) for each in wide.roles.values()),
        families=[each for each in FAMILIES if any(known.family == each for known in wide.roles.values())],
        levels=LEVELS,
        sample=kb.employer.get("sample"),
        pay_shown=any(each.pay for each in wide.roles.values()),
        pay_source=kb.datasets["wages"].source.in_(spoken),
        language=spoken,
        other="en" if spoken == "es" else "es",
        say=lambda message, **values: kb.say(message, spoken, **values),
    )


def _curves(drawn: CareerMap) -> list[tuple[str, str, str, str]]:
    """(from, to, kind, path) of every step."""
    paths = []
    for step in drawn.steps:
        (x1, y1), *handles, end = drawn.drawing.curve(step.from_, step.to)
        rest = " ".join(f"{x:.0f},{y:.0f}" for x, y in (*handles, end))
        paths.append((step.from_, step.to, step.kind, f"M{x1:.0f},{y1:.0f}C{rest}"))
    return paths


def _language(request: Request, asked: str) -> Language:
    """As asked for, else as the browser prefers."""
    prefers = request.headers.get("accept-language", "").lower()
    return "es" if asked == "es" or (asked != "en" and prefers.startswith("es")) else "en"
