"""The career map as data: every role and step with what the page and the picture show. Nothing about employees."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.domain.cards import Language
from bot.domain.lattice import Lattice, Route
from bot.domain.map_layout import Drawing, Shape, lay_out, level_of
from bot.domain.people import Employee
from bot.domain.roles import Family, Step
from bot.knowledge_base import KnowledgeBase
from bot.services.map_words import MapWords

GROWING_FROM = 5.0  # percent in ten years


@dataclass(frozen=True)
class MapRole:
    """One box of the map. `pay` is "" once the figures are too old."""

    slug: str
    title: str
    family: Family
    level: str
    pay: str
    patients: bool
    degree: bool
    growing: bool


@dataclass(frozen=True)
class CareerMap:
    roles: dict[str, MapRole]
    steps: tuple[Step, ...]
    drawing: Drawing


@dataclass(frozen=True)
class RoleSheet:
    """What stands beside the map for one role: its card, the steps from it and the steps to it."""

    slug: str
    title: str
    lines: tuple[str, ...]
    source: str
    onward: tuple[tuple[str, str], ...]  # (slug, words)
    before: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class RouteSheet:
    """One way, rung by rung, with its totals in words."""

    slugs: tuple[str, ...]
    name: str
    rungs: tuple[str, ...]


def career_map(kb: KnowledgeBase, language: Language, today: date, shape: Shape) -> CareerMap:
    words = _words(kb, None, language, today)
    pay = {slug: wage.hourly_median for slug in kb.roles if (wage := kb.wage(slug))}
    growth_is_current = today <= kb.datasets["outlook"].review_by
    roles = {}
    for slug, role in kb.roles.items():
        outlook = kb.outlooks.get(role.soc)
        roles[slug] = MapRole(
            slug=slug,
            title=role.title.in_(language),
            family=role.family,
            level=level_of(role),
            pay=words.pay(slug),
            patients=role.patient_contact != "none",
            degree=role.education in ("associate", "bachelor"),
            growing=growth_is_current and outlook is not None and outlook.change_pct >= GROWING_FROM,
        )
    titles = {slug: role.title for slug, role in roles.items()}
    return CareerMap(roles, tuple(kb.steps), lay_out(kb.roles, titles, pay, shape))


def role_sheet(kb: KnowledgeBase, lattice: Lattice, slug: str, language: Language, today: date) -> RoleSheet:
    words = _words(kb, lattice, language, today)
    page = kb.page(f"roles/{slug}", Employee(), language, today)
    onward = tuple((step.to, _step_words(words, step, step.to)) for step in lattice.next_steps(slug))
    before = tuple((step.from_, _step_words(words, step, step.from_)) for step in kb.steps if step.to == slug)
    return RoleSheet(slug, page.title, tuple(page.text.splitlines()), page.small_print, onward, before)


def route_sheets(
    kb: KnowledgeBase, lattice: Lattice, start: str, goal: str, language: Language, today: date
) -> Sequence[RouteSheet]:
    """The best ways, for anybody: no wishes and no rules of one person."""
    words = _words(kb, lattice, language, today)
    return [_route_sheet(words, route) for route in lattice.routes(start, goal)]


def _route_sheet(words: MapWords, route: Route) -> RouteSheet:
    aims = " · ".join(words.say(f"route_aim_{aim}") for aim in route.aims)
    name = words.say("map_route_name", aims=aims, months=words.months(route.months), cost=words.cost(route.cost))
    rungs = tuple(_step_words(words, step, step.to) for step in route.steps)
    return RouteSheet((route.steps[0].from_, *(step.to for step in route.steps)), name, rungs)


def _step_words(words: MapWords, step: Step, shown: str) -> str:
    cost = words.cost(step.cost, note=False)
    values = {"title": words.title(shown), "months": words.months(step.months), "cost": cost, "pay": words.pay(shown)}
    less = words.pays_less(step.from_, step.to)
    return words.say("map_step", paid=step.earn_while_learning, less=less, **values)


def _words(kb: KnowledgeBase, lattice: Lattice | None, language: Language, today: date) -> MapWords:
    return MapWords(kb, lattice or Lattice((), {}), Employee(language=language), language, today)
