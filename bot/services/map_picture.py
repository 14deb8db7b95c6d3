"""The career map as a PNG picture for a message, drawn with Pillow; the same layout as the page."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from threading import Lock

import reportlab
from PIL import Image, ImageDraw, ImageFont

from bot.domain.cards import Language
from bot.domain.lattice import Lattice
from bot.domain.map_layout import LEVELS, WIDE, Drawing, Point
from bot.knowledge_base import KnowledgeBase
from bot.services.career_map import CareerMap, MapRole, career_map

SCALE = 2  # sharp on phones, and when one zooms in
MOST_KEPT = 100  # pictures of some 100 kB
TITLE, FOOT = 54, 30  # room above and below the map
FONTS = Path(reportlab.__file__).parent / "fonts"  # Bitstream Vera comes with reportlab: no font of the machine is needed
PAPER, INK, SOFT, LINE, ACCENT = "#f6f7f5", "#1c2521", "#51605a", "#d5dbd6", "#1f5f4a"
FAINT_LINE, WHITE, MARKED = "#dfe4e0", "#ffffff", "#e3efe9"
COLOURS = {
    "support-services": "#1f7a5c",
    "nursing": "#b8433b",
    "allied-health": "#3b6fb5",
    "diagnostics": "#7a5aa6",
    "administrative": "#b57414",
    "technology": "#2a8595",
    "community": "#a0527a",
    "leadership": "#5d6a64",
}


_kept: dict[tuple[object, ...], bytes] = {}  # to draw one takes two seconds; who presses again gets the same
_lock = Lock()


@dataclass(frozen=True)
class Picture:
    """`alt` says what there is to see, for who does not see it."""

    png: bytes
    alt: str
    comment: str
    name: str


def map_picture(
    kb: KnowledgeBase, lattice: Lattice, language: Language, today: date, start: str = "", goal: str = "", address: str = ""
) -> Picture:
    """The map with what is marked on it: the best way from `start` to `goal`, else `start` and the steps from it."""
    start, goal = (slug if slug in kb.roles else "" for slug in (start, goal))
    routes = lattice.routes(start, goal, most=1) if start and goal else []
    way = (start, *(step.to for step in routes[0].steps)) if routes else ()
    following = tuple(step.to for step in lattice.next_steps(start)) if start and not way else ()
    shown = career_map(kb, language, today, WIDE)

    def say(message: str, **values: object) -> str:
        return kb.say(message, language, **values)

    def title(slug: str) -> str:
        return shown.roles[slug].title

    words = {
        "route": " → ".join(map(title, way)),
        "role": title(start) if start else "",
        "next": ", ".join(map(title, following)),
    }
    counts = {"roles": len(shown.roles), "families": len(shown.drawing.lanes)}
    alt = say("map_alt", employer=kb.employer["name"], **counts, **words)
    if address and start:
        address += f"{'&' if '?' in address else '?'}language={language}&from={start}" + (
            f"&to={goal}" if goal else f"&role={start}"
        )
    comment = say("map_comment", goal=title(goal) if goal else "", address=address, role=words["role"], route=words["route"])
    key = (kb.revision, language, today, start, goal)
    with _lock:
        png = _kept.pop(key, b"")
    png = png or _drawn(kb, shown, language, way, start, following)
    with _lock:
        _kept[key] = png  # the latest at the end
        while len(_kept) > MOST_KEPT:
            del _kept[next(iter(_kept))]
    return Picture(png, alt[:1000], comment, say("map_file") + ".png")


def _drawn(
    kb: KnowledgeBase, shown: CareerMap, language: Language, way: Sequence[str], start: str, following: Sequence[str]
) -> bytes:
    drawing = shown.drawing
    size = (round(drawing.width * SCALE), round((drawing.height + TITLE + FOOT) * SCALE))
    picture = Image.new("RGB", size, PAPER)
    pen = Pen(ImageDraw.Draw(picture))
    pen.text((drawing.shape.margin, 16), f"{kb.say('map_title', language)} · {kb.employer['name']}", 20, INK, bold=True)
    for lane in drawing.lanes:
        pen.box((6, lane.y + TITLE), (drawing.width - 6, lane.y + TITLE + lane.height), WHITE, LINE, radius=12)
    marked = set(itertools.pairwise(way)) or {(start, each) for each in following}
    for step in shown.steps:
        if (step.from_, step.to) not in marked:
            pen.curve(drawing.curve(step.from_, step.to), FAINT_LINE, 1, dashed=step.kind == "sideways")
    for step in shown.steps:
        if (step.from_, step.to) in marked:
            pen.curve(drawing.curve(step.from_, step.to), ACCENT, 2.5, dashed=step.kind == "sideways")
    _names(pen, kb, drawing, language)
    for role in shown.roles.values():
        _box(pen, drawing, role, here=role.slug == start, marked=role.slug in (*way, *following))
    legend = "map_legend" if any(role.pay for role in shown.roles.values()) else "map_legend_no_pay"
    source = kb.datasets["wages"].source.in_(language)
    pen.text(
        (drawing.shape.margin, drawing.height + TITLE + 4),
        kb.say(legend, language, source=source),
        10.5,
        SOFT,
        drawing.width,
    )
    file = BytesIO()
    picture.quantize(128).save(file, "PNG", optimize=True)
    return file.getvalue()


def _names(pen: "Pen", kb: KnowledgeBase, drawing: Drawing, language: Language) -> None:
    """Of lanes and columns; over the lines."""
    for lane in drawing.lanes:
        name = kb.say(f"family_{lane.family}", language)
        at = (drawing.shape.margin, lane.y + TITLE + 10)
        pen.text(at, name[:1].upper() + name[1:], 13, COLOURS[lane.family], bold=True)
    for number, level in enumerate(LEVELS):
        pen.text((drawing.column_x(number), TITLE + 20), kb.say(f"map_level_{level}", language), 11.5, SOFT, bold=True)


def _box(pen: "Pen", drawing: Drawing, role: MapRole, *, here: bool, marked: bool) -> None:
    box, shape = drawing.boxes[role.slug], drawing.shape
    x, y = box.x, box.y + TITLE
    fill, ink, soft = (ACCENT, WHITE, MARKED) if here else (MARKED if marked else WHITE, INK, SOFT)
    line = ACCENT if here or marked else LINE
    pen.box((x, y), (x + shape.width, y + shape.height), fill, line, radius=8, width=2 if here or marked else 1)
    pen.box((x + 5, y + 8), (x + 8, y + shape.height - 8), WHITE if here else COLOURS[role.family], None, radius=1)
    at = y + (6 if len(box.lines) == 2 else 12)
    for line_of_title in box.lines:
        pen.text((x + 14, at), line_of_title, box.size - 0.5, ink, shape.width - 18, bold=here or marked)
        at += 14.5
    if role.pay:
        pen.text((x + 14, at + 0.5), f"${role.pay}", 10, soft)


class Pen:
    """Draws in the units of the layout, `SCALE` times as large."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self._draw = draw

    def text(self, at: Point, words: str, size: float, colour: str, width: float = 0, *, bold: bool = False) -> None:
        """With `width`, the type gets smaller until it fits."""
        font = _font(bold, round(size * SCALE))
        while width and font.getlength(words) > width * SCALE and font.size > 14:
            font = _font(bold, int(font.size) - 1)
        self._draw.text((at[0] * SCALE, at[1] * SCALE), words, fill=colour, font=font)

    def box(self, one: Point, two: Point, fill: str, line: str | None, *, radius: float, width: float = 1) -> None:
        corners = [coordinate * SCALE for coordinate in (*one, *two)]
        self._draw.rounded_rectangle(corners, radius * SCALE, fill, line, round(width * SCALE) if line else 0)

    def curve(self, points: tuple[Point, Point, Point, Point], colour: str, width: float, *, dashed: bool) -> None:
        steps = 48
        along = [_on_curve(points, number / steps) for number in range(steps + 1)]
        drawn = [(x * SCALE, (y + TITLE) * SCALE) for x, y in along]
        thick = max(1, round(width * SCALE))
        if not dashed:
            self._draw.line(drawn, colour, thick, joint="curve")
            return
        for number in range(0, steps, 2):
            self._draw.line(drawn[number : number + 2], colour, thick)


def _on_curve(points: tuple[Point, Point, Point, Point], t: float) -> Point:
    weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3)
    x, y = (sum(weight * point[axis] for weight, point in zip(weights, points, strict=True)) for axis in (0, 1))
    return x, y


@lru_cache(maxsize=64)
def _font(bold: bool, pixels: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(FONTS / ("VeraBd.ttf" if bold else "Vera.ttf")), pixels)
