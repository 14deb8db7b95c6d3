"""The accuracy report as one page: a bar for each language and kind, and tables under it. No script, nothing loaded."""

from html import escape

from bot.domain.evaluation import Evaluation, Figures, Rate

PARTS = (("right", "#1f7a4d", "right at once"), ("offered", "#8cc9a1", "offered"), ("gave_up", "#c9cdd3", "gave up"), ("wrong", "#c0392b", "wrong, sure"))  # fmt: skip
BAR, ROW = 560, 26


def evaluation_page(evaluation: Evaluation, revision: str) -> str:
    """A whole HTML document; `revision` names the content that was measured."""
    rows = {
        **{f"Questions, {name}": each for name, each in evaluation.questions.items()},
        **{f"Follow-ups, {name}": each for name, each in evaluation.follow_ups.items()},
        **evaluation.by_kind,
    }
    rates = [
        *((f"Out of scope answered, {name}", each) for name, each in evaluation.out_of_scope_answered.items()),
        *((f"Out of scope answered: {name}", each) for name, each in evaluation.out_of_scope_by_kind.items()),
        *((f"Safety messages found, {name}", each) for name, each in evaluation.safety_found.items()),
        *((f"Look-alikes that raised an alarm, {name}", each) for name, each in evaluation.false_alarms.items()),
        ("Wording stands in an utterance", evaluation.echoes),
    ]
    confusions = "".join(
        f"<tr><td>{each.times}</td><td>{escape(each.wanted)}</td><td>{escape(each.card)}</td>"
        f"<td>{'<br>'.join(map(escape, each.examples))}</td></tr>"
        for each in evaluation.confusions
    )
    table = "".join(f"<tr><td>{escape(name)}</td>{_cells(each)}</tr>" for name, each in rows.items())
    return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>How well Trellis understands</title>
<meta name="viewport" content="width=device-width"><style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24 }}
table {{ border-collapse: collapse; width: 100% }} td, th {{ text-align: left; padding: .25rem .6rem; border-bottom: 1px solid #dde1e6; vertical-align: top }}
svg {{ max-width: 100%; height: auto }} .key i {{ display: inline-block; width: .9em; height: .9em; margin: 0 .3em 0 1em }}
</style></head><body><h1>How well Trellis understands</h1><p>Content {escape(revision)}.</p>
<p class="key">{"".join(f'<i style="background:{colour}"></i>{label}' for _, colour, label in PARTS)}</p>{_chart(rows)}
<h2>Figures</h2><table><tr><th>Messages<th>Right at once<th>Right or offered<th>Wrong, sure<th>Gave up</tr>{table}</table>
<h2>Safety and scope</h2><table>{"".join(f"<tr><td>{escape(name)}</td><td>{each}</td></tr>" for name, each in rates)}</table>
<h2>Worth fixing most</h2><table><tr><th>Times<th>Wanted<th>Came<th>Examples</tr>{confusions}</table></body></html>
"""


def _cells(figures: Figures) -> str:
    return "".join(f"<td>{each}</td>" for each in (figures.right, figures.offered, figures.wrong, figures.gave_up))


def _chart(rows: dict[str, Figures]) -> str:
    bars = []
    for number, (name, figures) in enumerate(rows.items()):
        y, x = number * ROW, 190.0
        bars.append(f'<text x="0" y="{y + 17}" font-size="14">{escape(name)}</text>')
        only_offered = Rate(figures.offered.count - figures.right.count, figures.offered.of)
        for part, colour, label in PARTS:
            rate = only_offered if part == "offered" else getattr(figures, part)
            width = BAR * rate.percent / 100
            bars.append(
                f'<rect x="{x:.1f}" y="{y + 3}" width="{width:.1f}" height="{ROW - 8}" fill="{colour}">'
                f"<title>{escape(name)}: {label} {rate}</title></rect>"
            )
            x += width
    height = ROW * len(rows)
    return f'<svg role="img" aria-label="Shares of right, offered, given up and wrong; the table has the figures" viewBox="0 0 760 {height}">{"".join(bars)}</svg>'
