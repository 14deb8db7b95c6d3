"""Figures: a chart, the same as a table, and as CSV."""

import csv
import io
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request, Response
from markupsafe import Markup

from bot.console.access import Staff
from bot.console.charts import draw_chart
from bot.console.parts import parts_of
from bot.console.views import render
from bot.domain.spreadsheets import cell
from bot.services.dashboards import Chart, all_charts, chart_named
from bot.services.stepping_in import policy_of
from storage.models import Person

SITE = Annotated[str, Query(max_length=60)]

router = APIRouter()


@router.get("/dashboards")
def dashboards(request: Request, staff: Staff, site: SITE = "") -> Response:
    parts = parts_of(request)
    kb = parts.desk.answering.kb
    return render(
        request,
        "dashboards.html",
        staff=staff,
        charts=_charts(request, staff, site),
        draw=draw_chart,
        nothing=Markup('<p class="empty">Not enough people yet.</p>'),
        site=site,
        sites=kb.sites.values(),
        smallest=policy_of(kb).smallest_group,
    )


@router.get("/dashboards/{name}.csv")
def dashboard_csv(request: Request, staff: Staff, name: str, site: SITE = "") -> Response:
    chart = chart_named(_charts(request, staff, site), name)
    if chart is None:
        raise HTTPException(404)
    headers = {"Content-Disposition": f'attachment; filename="trellis-{chart.name}.csv"'}
    return Response(as_csv(chart), media_type="text/csv; charset=utf-8", headers=headers)


def _charts(request: Request, staff: Person, site: str) -> list[Chart]:
    parts = parts_of(request)
    kb = parts.desk.answering.kb
    known_site, now = site if site in kb.sites else "", parts.desk.clock()
    with parts.reading() as session:
        return parts.remembered.get(
            ("figures", staff.workspace, known_site, kb.revision),
            now,
            lambda: all_charts(session, kb, staff.workspace, now, known_site, policy_of(kb).smallest_group),
        )


def as_csv(chart: Chart) -> str:
    """A spreadsheet's file, in which no cell is a formula."""
    file = io.StringIO()
    lines = csv.writer(file)
    lines.writerow(["week" if chart.kind == "weeks" else "name", *chart.columns])
    for label, values in chart.rows:
        lines.writerow([cell(label), *("hidden" if value is None else f"{value:g}" for value in values)])
    return file.getvalue()
