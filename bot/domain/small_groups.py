"""Which groups may be shown: small ones are hidden, and so is what would give them away by subtraction."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from itertools import permutations

Group = tuple[str, str]  # (kind, name): ("unit", "4 West")
People = Mapping[str, Set[int]]  # who is in each part of a whole
ERASED = 0  # stands among people for those of whom only counts are left: one at least
EVERYBODY: Group = ("all", "")


@dataclass
class Sizes:
    """How many people are in each group, and in both of two groups. Fed person by person, so that it stays small."""

    size: dict[Group, int] = field(default_factory=lambda: defaultdict(int))
    both: dict[tuple[Group, Group], int] = field(default_factory=lambda: defaultdict(int))

    def add(self, groups: Mapping[str, str]) -> None:
        """One person, by kind: {"unit": "4 West", "site": "main"}."""
        mine = [EVERYBODY, *groups.items()]
        for group in mine:
            self.size[group] += 1
        for pair in permutations(mine, 2):
            self.both[pair] += 1


def visible(sizes: Sizes, smallest: int) -> set[Group]:
    """The groups that may be shown. Of a shown group, what is left after taking away shown groups inside it, of one
    kind, is nobody or at least `smallest` people: else the smallest of these is hidden as well."""
    shown = {group for group, size in sizes.size.items() if size >= smallest}
    inside: dict[tuple[Group, str], list[Group]] = defaultdict(list)
    for (part, whole), count in sizes.both.items():
        if count == sizes.size[part] and part[0] != whole[0] and part != EVERYBODY:
            inside[whole, part[0]].append(part)
    again = True
    while again:
        again = False
        for (whole, _), parts in inside.items():
            left = [part for part in parts if part in shown]
            rest = sizes.size[whole] - sum(sizes.size[part] for part in left)
            if whole in shown and left and 0 < rest < smallest:
                shown.discard(min(left, key=lambda part: (sizes.size[part], part)))
                again = True
    return shown


def parts_shown(whole: People, smallest: int) -> set[str]:
    """The parts that may be shown though somebody knows the sum of all: each has nobody in it or at least `smallest`
    people, and so have the hidden ones together."""
    shown = {part for part, people in whole.items() if _is_nobody_or_enough(people, smallest)}
    while not _is_nobody_or_enough(_together(whole, whole.keys() - shown), smallest):
        full = [part for part in shown if whole[part]]
        if not full:
            return set()
        shown.discard(min(full, key=lambda part: (len(whole[part]), part)))
    return shown


@dataclass(frozen=True)
class Shown:
    """What may be shown of one row of a table: these columns of all sites together, and of each of these sites."""

    columns: Set[str]
    sites: Set[str]

    def has(self, site: str, column: str) -> bool:
        """`site` is "" for all together."""
        return column in self.columns and (not site or site in self.sites)


def row_shown(people: Mapping[tuple[str, str], Set[int]], smallest: int) -> Shown:
    """For one row, from who is behind each (site, column); site "" is people of no known site. No cell of fewer than
    `smallest` people can be worked out from what is shown, for all sites and for each, and from the row's sums.

    A site is shown where each of its cells is nobody or enough; the sites that are not shown are as many together as to be
    enough in each column, too. Where somebody was erased no site is shown: the figures before and after would tell what
    they had asked.
    """
    rows: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for (site, column), group in people.items():
        rows[site][column] |= group
    columns = parts_shown(_added(rows.values()), smallest)

    def is_fine(row: People) -> bool:
        cells = [row.get(column, set()) for column in columns] + [_together(row, row.keys() - columns)]
        return all(_is_nobody_or_enough(cell, smallest) for cell in cells)

    if any(ERASED in group for group in people.values()):
        return Shown(columns, set())
    sites = {site for site in rows if site and is_fine(rows[site])}
    while sites and not is_fine(_added(rows[site] for site in rows.keys() - sites)):
        sites.discard(min(sites, key=lambda site: (len(_together(rows[site], rows[site].keys())), site)))
    return Shown(columns, sites)


def _is_nobody_or_enough(people: Set[int], smallest: int) -> bool:
    return not people or len(people) >= smallest


def _together(whole: People, parts: Iterable[str]) -> set[int]:
    return set().union(*(whole[part] for part in parts))


def _added(rows: Iterable[People]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        for column, people in row.items():
            found[column] |= people
    return found
