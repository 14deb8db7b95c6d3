"""How a method is made known, and the few things that many of them need."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from bot.localslack.workspace import Json, SlackError, Workspace

Run = Callable[[Workspace, Json], Json]


@dataclass(frozen=True)
class Method:
    """`scopes`: one of them is enough. `token`: which kind of token may call it."""

    run: Run
    scopes: tuple[str, ...]
    token: Literal["bot", "app", "none"]


METHODS: dict[str, Method] = {}


def method(name: str, *scopes: str, token: Literal["bot", "app", "none"] = "bot") -> Callable[[Run], Run]:
    def known(run: Run) -> Run:
        METHODS[name] = Method(run, scopes, token)
        return run

    return known


def need(arguments: Json, name: str) -> Any:
    value = arguments.get(name)
    if value in (None, ""):
        raise SlackError("invalid_arguments", [f"missing required field: {name}"])
    return value


def is_true(value: Any) -> bool:
    """Forms carry booleans as words."""
    return value in (True, 1, "1", "true", "True")


def paged(items: list[Any], arguments: Json, default: int = 100) -> tuple[list[Any], str]:
    """(one page, cursor of the next or "")."""
    start = int(str(arguments.get("cursor") or "0").removeprefix("next:") or 0)
    limit = max(1, min(int(arguments.get("limit") or default), 999))
    rest = start + limit < len(items)
    return items[start : start + limit], f"next:{start + limit}" if rest else ""
