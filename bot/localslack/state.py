"""The values of a view's inputs, and what pressing an element sends, in Slack's shapes."""

from collections.abc import Iterator
from typing import Any

from bot.localslack.workspace import Json

CHOOSERS = {"static_select", "radio_buttons", "overflow", "external_select"}
MANY = {"checkboxes", "multi_static_select"}
FIELDS = {
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "users_select": "selected_user",
}


def elements_of(block: Json) -> Iterator[Json]:
    """The interactive elements of a block."""
    inside = [*(block.get("elements") or []), block.get("accessory"), block.get("element")]
    for element in inside:
        if isinstance(element, dict) and element.get("action_id"):
            yield element


def element_with(blocks: list[Json], name: str) -> tuple[Json, Json] | None:
    """(block, element) with this action id or label. A side of a feedback element is found by its label."""
    for block in blocks:
        for element in elements_of(block):
            if name in (element["action_id"], element.get("text", {}).get("text") if element["type"] == "button" else None):
                return block, element
            for side in ("positive_button", "negative_button"):
                if name == element.get(side, {}).get("text", {}).get("text"):
                    return block, {**element, "pressed": side}
    return None


def action_of(element: Json, value: Any) -> Json:
    """The entry of `actions` in a block_actions payload."""
    kind = element["type"]
    action: Json = {"type": kind, "action_id": element["action_id"]}
    if kind == "feedback_buttons":
        return action | {"value": element[element.get("pressed", "positive_button")]["value"]}
    if kind in ("button", "icon_button"):
        return action | {"text": element["text"], **({"value": element["value"]} if "value" in element else {})}
    return action | _filled(element, value)


def state_of(place: Json, values: Json) -> Json:
    """`state.values` of a message or view. `values` by action id or "block id|action id"; what is left out keeps what
    it had, or its initial value. ValueError for an option that is not there."""
    before = (place.get("state") or {}).get("values", {}) if isinstance(place.get("state"), dict) else {}
    state: Json = {}
    for block in place.get("blocks", []):
        for element in elements_of(block):
            kind = element["type"]
            if kind in ("button", "overflow", "icon_button", "feedback_buttons"):
                continue
            block_id, action_id = block["block_id"], element["action_id"]
            full = f"{block_id}|{action_id}"
            if full in values or action_id in values:
                filled = _filled(element, values.get(full, values.get(action_id)))
            else:
                filled = before.get(block_id, {}).get(action_id) or _filled(element, _initial(element))
            state.setdefault(block_id, {})[action_id] = {"type": kind, **{k: v for k, v in filled.items() if k != "type"}}
    return state


def _filled(element: Json, value: Any) -> Json:
    kind = element["type"]
    if kind in CHOOSERS:
        return {"selected_option": _option(element, value) if value not in (None, "") else None}
    if kind in MANY:
        return {"selected_options": [_option(element, each) for each in value or []]}
    if kind in FIELDS:
        return {FIELDS[kind]: value or None}
    return {"value": value or None}


def _initial(element: Json) -> Any:
    if "initial_option" in element:
        return element["initial_option"]["value"]
    if "initial_options" in element:
        return [option["value"] for option in element["initial_options"]]
    for name in ("initial_value", "initial_date", "initial_time", "initial_date_time", "initial_user"):
        if name in element:
            return element[name]
    return None


def _option(element: Json, value: Any) -> Json:
    options = [
        *(element.get("options") or []),
        *(o for group in element.get("option_groups") or [] for o in group["options"]),
    ]
    for option in options:
        if value in (option["value"], option["text"]["text"]):
            return option
    known = ", ".join(option["value"] for option in options)
    raise ValueError(f"{element['action_id']} has no option {value!r}; it has {known}")
