"""Where each role stands on the career map: a lane for each family, from jobs to start in to those with most schooling."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from bot.domain.roles import Family, Role

FAMILIES: tuple[Family, ...] = get_args(Family)
LEVELS = ("start", "job", "course", "degree2", "degree4")
LEVEL_OF = {"none": "job", "high-school": "job", "certificate": "course", "associate": "degree2", "bachelor": "degree4"}
Point = tuple[float, float]
NARROW = frozenset("iljtfrI.,'()/ -")
BROAD = frozenset("mwMW")


@dataclass(frozen=True)
class Shape:
    """The measures of a drawing. With `by_level` each level is a column; else roles flow into `columns` columns."""

    by_level: bool
    columns: int
    width: int  # of a box
    gap: int  # between columns
    height: int = 52
    row_gap: int = 9
    margin: int = 16
    head: int = 40  # above the first lane, for the names of the columns
    lane_head: int = 34
    lane_foot: int = 10
    sizes: tuple[float, ...] = (12.5, 11.5, 10.7)  # of the type: the first in which a title fits


WIDE = Shape(by_level=True, columns=len(LEVELS), width=178, gap=46)
PHONE = Shape(by_level=False, columns=2, width=176, gap=14, margin=6, head=4)


@dataclass(frozen=True)
class Box:
    """A role: the corner of its box, its column, its title in lines."""

    x: float
    y: float
    column: int
    lines: tuple[str, ...]
    size: float  # of their type


@dataclass(frozen=True)
class Lane:
    family: Family
    y: float
    height: float


@dataclass(frozen=True)
class Drawing:
    shape: Shape
    width: float
    height: float
    boxes: Mapping[str, Box]
    lanes: tuple[Lane, ...]

    def column_x(self, column: int) -> float:
        return self.shape.margin + column * (self.shape.width + self.shape.gap)

    def curve(self, start: str, goal: str) -> tuple[Point, Point, Point, Point]:
        """A step as a cubic Bézier curve: start, two handles, end."""
        one, two, shape = self.boxes[start], self.boxes[goal], self.shape
        y1, y2 = one.y + shape.height / 2, two.y + shape.height / 2
        if two.column > one.column:
            x1, x2 = one.x + shape.width, two.x
            bend = max(shape.gap * 0.9, (x2 - x1) * 0.5)
            return (x1, y1), (x1 + bend, y1), (x2 - bend, y2), (x2, y2)
        if two.column < one.column:
            x1, x2 = one.x, two.x + shape.width
            bend = max(shape.gap * 0.9, (x1 - x2) * 0.5)
            return (x1, y1), (x1 - bend, y1), (x2 + bend, y2), (x2, y2)
        x = one.x + shape.width
        bend = min(shape.gap * 0.85, 14 + abs(y2 - y1) / 14)
        return (x, y1), (x + bend, y1), (x + bend, y2), (x, y2)


def level_of(role: Role) -> str:
    """start, job (learnt on the job), course, degree2 or degree4."""
    return "start" if role.starting_role else LEVEL_OF[role.education]


def lay_out(roles: Mapping[str, Role], titles: Mapping[str, str], pay: Mapping[str, float], shape: Shape) -> Drawing:
    """`titles` are those of the reader's language; roles with less `pay` stand higher in their cell."""
    boxes: dict[str, Box] = {}
    lanes: list[Lane] = []
    y = float(shape.margin + shape.head)
    for family in FAMILIES:
        members = sorted(
            (slug for slug, role in roles.items() if role.family == family),
            key=lambda slug: (LEVELS.index(level_of(roles[slug])), pay.get(slug, 0.0), slug),
        )
        if not members:
            continue
        top, rows = y + shape.lane_head, [0] * shape.columns
        for number, slug in enumerate(members):
            column = LEVELS.index(level_of(roles[slug])) if shape.by_level else number % shape.columns
            x = shape.margin + column * (shape.width + shape.gap)
            lines, size = fitted(titles[slug], shape.width - 24, shape.sizes)
            boxes[slug] = Box(x, top + rows[column] * (shape.height + shape.row_gap), column, lines, size)
            rows[column] += 1
        height = shape.lane_head + max(rows) * (shape.height + shape.row_gap) - shape.row_gap + shape.lane_foot
        lanes.append(Lane(family, y, height))
        y += height + shape.row_gap
    width = 2 * shape.margin + shape.columns * shape.width + (shape.columns - 1) * shape.gap
    return Drawing(shape, width, y - shape.row_gap + shape.margin, boxes, tuple(lanes))


def fitted(text: str, width: float, sizes: tuple[float, ...]) -> tuple[tuple[str, ...], float]:
    """(at most two lines, the size of their type): first what stands in brackets goes, then the type gets smaller; what
    does not fit even so ends with "…"."""
    for size in sizes:
        for words in dict.fromkeys((text, text.split(" (")[0])):
            lines = _wrapped(words, width, size)
            if len(lines) <= 2:
                return lines, size
    lines, size = _wrapped(text, width, sizes[-1]), sizes[-1]
    last = lines[1]
    while last and _length(last + "…", size) > width:
        last = last[:-1]
    return (lines[0], last.rstrip() + "…"), size


def _wrapped(text: str, width: float, size: float) -> tuple[str, ...]:
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _length(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return tuple(lines)


def _length(text: str, size: float) -> float:
    """Roughly, for any common sans-serif typeface."""
    return size * sum(0.37 if each in NARROW else 0.9 if each in BROAD else 0.7 if each.isupper() else 0.59 for each in text)
