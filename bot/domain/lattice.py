"""The career lattice: steps from a role ranked by the doors they open, and whole routes between roles.

networkx finds the paths. Everything that does not depend on the employee is worked out once for each role and kept.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import networkx as nx

from bot.domain.roles import Role, Step
from bot.domain.wishes import Wishes

Aim = Literal["fastest", "cheapest", "earning"]
AIMS: tuple[Aim, ...] = ("fastest", "cheapest", "earning")
HORIZON = 2  # further steps within which a door counts as open
UNPAID = 2  # how much an unpaid month of study counts beside a month of waiting, for the route that pays most
Allows = Callable[[Step], bool]


@dataclass(frozen=True)
class Route:
    """Steps in a row; the totals are the sums of the steps. `aims`: what it is the best at."""

    steps: tuple[Step, ...]
    aims: tuple[Aim, ...] = ()

    @property
    def months(self) -> int:
        return sum(step.months for step in self.steps)

    @property
    def cost(self) -> int:
        return sum(step.cost for step in self.steps)

    @property
    def unpaid_months(self) -> int:
        """Months in which the studying itself is not paid."""
        return sum(step.months for step in self.steps if not step.earn_while_learning)


@dataclass(frozen=True)
class Doors:
    """What a role leads on to within two more steps: how many roles, and the best usual pay an hour among them."""

    roles: int
    best_pay: float


class Lattice:
    """Built once from the content's steps. `pay` is the usual pay an hour of a role, where it is known."""

    def __init__(self, steps: Iterable[Step], pay: Mapping[str, float]) -> None:
        self._pay = pay
        self._graph: nx.DiGraph[str] = nx.DiGraph()
        for step in steps:
            self._graph.add_edge(
                step.from_,
                step.to,
                step=step,
                fastest=step.months * 1000 + step.cost / 10 + 100,
                cheapest=step.cost * 1000 + step.months + 0.1,
                earning=step.months + (0 if step.earn_while_learning else step.months * UNPAID) + 0.1,
            )
        self.doors = lru_cache(maxsize=None)(self._doors)
        self._distances_to = lru_cache(maxsize=4096)(self._find_distances_to)

    # --- next steps ----------------------------------------------------------------------------------------------

    def next_steps(self, role: str, weigh: Callable[[Step], float] = lambda step: 0.0) -> list[Step]:
        """Steps from `role`, those that open most doors first. `weigh` takes off for what stands in this employee's way."""
        return sorted(self.steps_from(role), key=lambda step: (weigh(step) - self._worth(step), step.months, step.to))

    def steps_from(self, role: str) -> list[Step]:
        if role not in self._graph:
            return []
        return [data["step"] for _, _, data in self._graph.out_edges(role, data=True)]

    def _doors(self, role: str) -> Doors:
        near = nx.single_source_shortest_path_length(self._graph, role, cutoff=HORIZON) if role in self._graph else {role: 0}
        return Doors(len(near) - 1, max(self._pay.get(each, 0.0) for each in near))

    def _worth(self, step: Step) -> float:
        """Roles reachable and pay reachable, and the raise itself, against months and cost. In dollars an hour, roughly."""
        doors = self.doors(step.to)
        gain = self._pay.get(step.to, 0.0) - self._pay.get(step.from_, 0.0)
        return doors.roles * 0.3 + doors.best_pay * 0.1 + gain * 0.5 - step.months * 0.3 - step.cost / 1000

    # --- routes --------------------------------------------------------------------------------------------------

    def routes(self, start: str, goal: str, allows: Allows | None = None, most: int = 3) -> list[Route]:
        """The fastest, the cheapest and the best paid while learning, each once; none when no way is allowed."""
        found: dict[tuple[str, ...], Route] = {}
        for aim in AIMS:
            nodes = self._best(start, goal, aim, allows)
            if nodes is None:
                return []
            key = tuple(nodes)
            known = found.get(key)
            steps = tuple(self._graph.edges[a, b]["step"] for a, b in nx.utils.pairwise(nodes))
            found[key] = Route(steps, (*known.aims, aim) if known else (aim,))
        return list(found.values())[:most]

    def _best(self, start: str, goal: str, aim: Aim, allows: Allows | None) -> list[str] | None:
        """The nodes of the best way; None when there is none."""
        if start == goal or start not in self._graph or goal not in self._graph:
            return None
        weight: str | Callable[..., float | None] = aim
        if allows is not None:

            def weight(_from: str, _to: str, edge: dict[str, object]) -> float | None:
                return edge[aim] if allows(edge["step"]) else None  # type: ignore[arg-type,return-value]

        try:
            _, nodes = nx.bidirectional_dijkstra(self._graph, start, goal, weight=weight)
        except nx.NetworkXNoPath:
            return None
        return list(nodes)

    def _find_distances_to(self, goal: str) -> dict[str, int]:
        """How many steps each role is away from `goal`, for those from which there is a way."""
        if goal not in self._graph:
            return {}
        return dict(nx.single_source_shortest_path_length(self._graph.reverse(copy=False), goal))

    def is_reachable(self, start: str, goal: str) -> bool:
        return start in self._distances_to(goal)


def may_pass(wishes: Wishes, roles: Mapping[str, Role], fits_hours: Allows, keeps_job: Allows) -> Allows:
    """Is a step within the wishes? `fits_hours` and `keeps_job` know the programs' classes. Length and cost of the
    whole route are looked at afterwards."""

    def allows(step: Step) -> bool:
        role = roles[step.to]
        return not (
            (wishes.no_degree and role.education in ("associate", "bachelor"))
            or (wishes.no_patients and role.patient_contact != "none")
            or (wishes.no_blood and role.blood)
            or (wishes.paid and not step.earn_while_learning)
            or (wishes.cost_max is not None and step.cost > wishes.cost_max)
            or (wishes.hours is not None and not fits_hours(step))
            or (wishes.keep_working and not keeps_job(step))
        )

    return allows
