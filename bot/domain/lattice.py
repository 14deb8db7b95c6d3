"""The career lattice: steps from a role, and routes between roles."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

import networkx as nx

from bot.domain.roles import Step

MOST_STEPS = 6


@dataclass(frozen=True)
class Route:
    """Steps in a row; the totals are the sums of the steps."""

    steps: tuple[Step, ...]

    @property
    def months(self) -> int:
        return sum(step.months for step in self.steps)

    @property
    def cost(self) -> int:
        return sum(step.cost for step in self.steps)


class Lattice:
    """Built once from the content's steps. `pay` is the usual pay an hour of a role, where it is known."""

    def __init__(self, steps: Iterable[Step], pay: Mapping[str, float]) -> None:
        self._pay = pay
        self._graph: nx.DiGraph[str] = nx.DiGraph()
        for step in steps:
            self._graph.add_edge(step.from_, step.to, step=step, months=step.months + 1, cost=step.cost + 1)

    def next_steps(self, role: str) -> list[Step]:
        """Steps from `role`, those that open most doors first: roles reachable in two more steps and pay, against months."""
        if role not in self._graph:
            return []
        steps = [data["step"] for _, _, data in self._graph.out_edges(role, data=True)]
        return sorted(steps, key=lambda step: (-self._doors(role, step), step.months, step.to))

    def _doors(self, role: str, step: Step) -> float:
        reachable = nx.single_source_shortest_path_length(self._graph, step.to, cutoff=2)
        best = max(self._pay.get(other, 0.0) for other in reachable)
        gain = self._pay.get(step.to, 0.0) - self._pay.get(role, 0.0)
        return len(reachable) * 0.3 + best * 0.1 + gain * 0.5 - step.months * 0.3 - step.cost / 1000

    def routes(self, start: str, goal: str, most: int = 2) -> list[Route]:
        """The fastest route and, where it differs, the cheapest; none when there is no way of at most six steps."""
        if start == goal or start not in self._graph or goal not in self._graph:
            return []
        found: dict[tuple[str, ...], Route] = {}
        for weight in ("months", "cost"):
            try:
                for nodes in islice(nx.shortest_simple_paths(self._graph, start, goal, weight=weight), 1):
                    if len(nodes) <= MOST_STEPS + 1:
                        found[tuple(nodes)] = Route(
                            tuple(self._graph.edges[a, b]["step"] for a, b in nx.utils.pairwise(nodes))
                        )
            except nx.NetworkXNoPath:
                return []
        return list(found.values())[:most]
