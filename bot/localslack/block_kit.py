"""Is a message or view within Slack's rules? They stand in block_kit_limits.json; problems come as JSON pointers."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

Surface = Literal["message", "modal", "home"]
Json = dict[str, Any]

LIMITS: Json = json.loads((Path(__file__).parent / "block_kit_limits.json").read_text(encoding="utf-8"))


def message_problems(text: str, blocks: list[Json]) -> list[str]:
    """What Slack would refuse in a message; empty when it is fine."""
    limits = LIMITS["surfaces"]["message"]
    problems = list(_block_list(blocks, "message"))
    if len(text) > limits["text"]:
        problems.append(f"text is longer than {limits['text']} characters [json-pointer:/text]")
    if _length_of_texts(blocks) > limits["all_text"]:
        problems.append(f"the texts of all blocks are longer than {limits['all_text']} characters [json-pointer:/blocks]")
    return problems


def view_problems(view: Json) -> list[str]:
    """What Slack would refuse in a modal or a Home tab; empty when it is fine."""
    surface = view.get("type")
    if surface not in ("modal", "home"):
        return ["type must be modal or home [json-pointer:/view/type]"]
    problems = list(_block_list(view.get("blocks"), surface))
    for name, rule in LIMITS["view"].items():
        if view.get(name) is not None:
            problems += _value(view[name], rule, f"/view/{name}", surface)
    if surface == "modal":
        has_input = any(block.get("type") == "input" for block in view.get("blocks") or [])
        if not view.get("title"):
            problems.append("a modal needs a title [json-pointer:/view/title]")
        if has_input and not view.get("submit"):
            problems.append("a modal with an input needs a submit button [json-pointer:/view/submit]")
    return problems


def _block_list(blocks: Any, surface: Surface) -> Iterator[str]:
    if not isinstance(blocks, list):
        yield "blocks must be a list [json-pointer:/blocks]"
        return
    most = LIMITS["surfaces"][surface]["blocks"]
    if len(blocks) > most:
        yield f"no more than {most} items allowed [json-pointer:/blocks]"
    seen: set[str] = set()
    for number, block in enumerate(blocks):
        place = f"/blocks/{number}"
        kind = block.get("type") if isinstance(block, dict) else None
        rules = LIMITS["blocks"].get(kind)
        if rules is None or surface not in rules["on"]:
            yield f"unsupported type: {kind} [json-pointer:{place}/type]"
            continue
        name = block.get("block_id")
        if name and name in seen:
            yield f"block_id {name} stands twice [json-pointer:{place}/block_id]"
        seen.add(name or "")
        if rules.get("once") and sum(other.get("type") == kind for other in blocks) > 1:
            yield f"only one {kind} is allowed [json-pointer:{place}]"
        yield from _fields(block, rules["fields"], place, surface, rules.get("any_of"))
        yield from _action_ids(block, place)


def _fields(thing: Json, rules: Json, place: str, surface: Surface, any_of: list[str] | None = None) -> Iterator[str]:
    if any_of and not any(thing.get(name) for name in any_of):
        yield f"needs {' or '.join(any_of)} [json-pointer:{place}]"
    for name, rule in rules.items():
        if rule.get("required") and thing.get(name) in (None, "", []):
            yield f"missing required field: {name} [json-pointer:{place}]"
    for name, value in thing.items():
        if name == "type":
            continue
        if name not in rules:
            yield f"invalid additional property: {name} [json-pointer:{place}]"
        elif value is not None:
            yield from _value(value, rules[name], f"{place}/{name}", surface)


def _value(value: Any, rule: Json, place: str, surface: Surface) -> Iterator[str]:
    yield from _CHECKS[rule["is"]](value, rule, place, surface)


def _string(value: Any, rule: Json, place: str, surface: Surface) -> Iterator[str]:
    if not isinstance(value, str):
        yield f"must be a string [json-pointer:{place}]"
    elif len(value) > rule["max"]:
        yield f"must be no more than {rule['max']} characters [json-pointer:{place}]"


def _text(value: Any, rule: Json, place: str, surface: Surface) -> Iterator[str]:
    kinds = ("plain_text",) if rule["is"] == "plain_text" else ("plain_text", "mrkdwn")
    if not isinstance(value, dict) or value.get("type") not in kinds:
        yield f"must be a {' or '.join(kinds)} object [json-pointer:{place}]"
    elif not value.get("text"):
        yield f"must have at least 1 character [json-pointer:{place}/text]"
    elif unknown := set(value) - {"type", "text", "emoji" if value["type"] == "plain_text" else "verbatim"}:
        yield f"invalid additional property: {', '.join(sorted(unknown))} [json-pointer:{place}]"
    else:
        yield from _string(value["text"], rule, f"{place}/text", surface)


def _list(value: Any, rule: Json, place: str, surface: Surface) -> Iterator[str]:
    if not isinstance(value, list) or not value:
        yield f"must be a list with at least one item [json-pointer:{place}]"
        return
    if len(value) > rule["max"]:
        yield f"no more than {rule['max']} items allowed [json-pointer:{place}]"
    for number, item in enumerate(value):
        yield from _value(item, rule["of"], f"{place}/{number}", surface)


def _elements(value: Any, rule: Json, place: str, surface: Surface) -> Iterator[str]:
    yield from _list(value, {"max": rule["max"], "of": {"is": "element", "for": rule["for"]}}, place, surface)


def _options(value: Any, rule: Json, place: str, surface: Surface) -> Iterator[str]:
    yield from _list(value, {"max": rule["max"], "of": {"is": "option"}}, place, surface)
    values = [option.get("value") for option in value if isinstance(option, dict)] if isinstance(value, list) else []
    if len(values) != len(set(values)):
        yield f"two options have the same value [json-pointer:{place}]"


def _element(value: Any, rule: Json, place: str, surface: Surface) -> Iterator[str]:
    rules = LIMITS["elements"].get(value.get("type")) if isinstance(value, dict) else None
    if rules is None or rule["for"] not in rules["in"]:
        yield f"unsupported element in {rule['for']} [json-pointer:{place}]"
    else:
        yield from _fields(value, rules["fields"], place, surface, rules.get("any_of"))


def _object(name: str) -> Callable[[Any, Json, str, Surface], Iterator[str]]:
    def check(value: Any, rule: Json, place: str, surface: Surface) -> Iterator[str]:
        if isinstance(value, dict):
            yield from _fields(value, LIMITS["objects"][name or rule["of"]], place, surface)
        else:
            yield f"must be an object [json-pointer:{place}]"

    return check


def _one_of(value: Any, rule: Json, place: str, surface: Surface) -> Iterator[str]:
    if value not in rule["values"]:
        yield f"must be one of {', '.join(rule['values'])} [json-pointer:{place}]"


def _whole_number(value: Any, rule: Json, place: str, surface: Surface) -> Iterator[str]:
    if not isinstance(value, int) or isinstance(value, bool):
        yield f"must be a whole number [json-pointer:{place}]"
    elif value > rule.get("up_to", value):
        yield f"must be at most {rule['up_to']} [json-pointer:{place}]"


def _bool(value: Any, rule: Json, place: str, surface: Surface) -> Iterator[str]:
    if not isinstance(value, bool):
        yield f"must be true or false [json-pointer:{place}]"


def _groups(value: Any, rule: Json, place: str, surface: Surface) -> Iterator[str]:
    yield from _list(value, {"max": rule["max"], "of": {"is": "object", "of": "option_group"}}, place, surface)


_CHECKS: dict[str, Callable[[Any, Json, str, Surface], Iterator[str]]] = {
    "any": lambda value, rule, place, surface: iter(()),
    "bool": _bool,
    "element": _element,
    "elements": _elements,
    "groups": _groups,
    "int": _whole_number,
    "list": _list,
    "object": _object(""),
    "one_of": _one_of,
    "option": _object("option"),
    "options": _options,
    "plain_text": _text,
    "string": _string,
    "text": _text,
}


def _action_ids(block: Json, place: str) -> Iterator[str]:
    names = [element.get("action_id") for element in block.get("elements") or [] if isinstance(element, dict)]
    names = [name for name in names if name]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"action_id {name} stands twice in the block [json-pointer:{place}]"


def _length_of_texts(thing: Any) -> int:
    if isinstance(thing, dict):
        return sum(
            len(value) if name == "text" and isinstance(value, str) else _length_of_texts(value)
            for name, value in thing.items()
        )
    if isinstance(thing, list):
        return sum(_length_of_texts(item) for item in thing)
    return 0
