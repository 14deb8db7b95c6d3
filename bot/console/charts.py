"""Charts as SVG, made here: no script, colours from the style sheet, every figure also in the table below."""

from collections.abc import Sequence
from math import ceil, log10

from markupsafe import Markup

from bot.services.dashboards import Chart

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 220, 40, 24, 10
BAR, LABEL = 26, 230


def draw_chart(chart: Chart) -> Markup:
    """An SVG with a title for screen readers; "" when there is nothing to draw."""
    numbers = [value or 0 for _, values in chart.rows for value in values]
    if not any(numbers):
        return Markup("")
    return _weeks(chart) if chart.kind == "weeks" else _ranking(chart)


def draw_spark(weeks: Sequence[int]) -> Markup:
    """A small column for each week, the latest on the right."""
    top, bars = max(*weeks, 1), []
    for number, value in enumerate(weeks):
        height = max(2, 28 * value / top)
        bars.append(
            Markup('<rect class="{}" x="{}" y="{:.1f}" width="9" height="{:.1f}" rx="1"/>').format(
                "c1" if value else "none", number * 12, 30 - height, height
            )
        )
    said = "Questions by week, the latest last: " + ", ".join(str(value) for value in weeks)
    size = len(weeks) * 12
    return Markup(
        '<svg class="spark" viewBox="0 0 {} 30" width="{}" height="30" role="img" aria-label="{}">{}</svg>'
    ).format(size, size, said, Markup("").join(bars))


def _weeks(chart: Chart) -> Markup:
    top = _round_up(max(sum(value or 0 for value in values) for _, values in chart.rows))
    plot, step = HEIGHT - TOP - BOTTOM, (WIDTH - LEFT) / len(chart.rows)
    parts = []
    for line in range(5):
        y, value = TOP + plot * (1 - line / 4), top * line / 4
        parts.append(
            Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(LEFT, WIDTH, y, y)
            + Markup('<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{:g}{}</text>').format(
                LEFT - 6, y + 4, value, chart.unit
            )
        )
    for number, (label, values) in enumerate(chart.rows):
        x, y = LEFT + number * step + step * 0.15, float(TOP + plot)
        for series, value in enumerate(values):
            if value:
                height = plot * value / top
                y -= height
                parts.append(
                    Markup(
                        '<rect class="c{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="1.5">'
                        "<title>{}: {} {:g}{}</title></rect>"
                    ).format(
                        series + 1, x, y, step * 0.7, max(height - 1, 0.8), label, chart.columns[series], value, chart.unit
                    )
                )
        if number % 2 == (len(chart.rows) - 1) % 2:
            parts.append(
                Markup('<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
                    x + step * 0.35, HEIGHT - 6, label
                )
            )
    return _svg(chart, HEIGHT, parts)


def _ranking(chart: Chart) -> Markup:
    top = max(values[0] or 0 for _, values in chart.rows)
    room, parts = WIDTH - LABEL - 50, []
    for number, (label, (value,)) in enumerate(chart.rows):
        y = number * BAR + 4
        short = label if len(label) <= 34 else label[:33] + "…"
        width = room * (value or 0) / top
        parts.append(
            Markup('<text class="name" x="{}" y="{}" text-anchor="end">{}</text>').format(LABEL - 8, y + 14, short)
            + Markup('<rect class="c1" x="{}" y="{}" width="{:.1f}" height="18" rx="2"/>').format(LABEL, y, width)
            + Markup('<text class="tick" x="{:.1f}" y="{}">{}</text>').format(
                LABEL + width + 6, y + 14, "hidden" if value is None else f"{value:g}"
            )
        )
    return _svg(chart, len(chart.rows) * BAR + 4, parts)


def _svg(chart: Chart, height: int, parts: list[Markup]) -> Markup:
    return Markup(
        '<svg class="chart" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">{}</svg>'
    ).format(
        WIDTH, height, WIDTH, height, f"{chart.title}. {chart.says} The table below has all figures.", Markup("").join(parts)
    )


def _round_up(value: float) -> float:
    """A number at or above `value` that divides well by four."""
    if value <= 4:
        return 4
    size = 10 ** (ceil(log10(value)) - 1)
    return next(step * size for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10, 12) if step * size >= value and size >= 1)
