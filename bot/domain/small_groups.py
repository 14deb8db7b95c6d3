"""Which groups may be shown: small ones are hidden, and so is what would give them away by subtraction."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import permutations

Group = tuple[str, str]  # (kind, name): ("unit", "4 West")
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
