"""The modals of a plan: what I know of you, not for me and why, a request for class time."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from bot.domain.cards import Language
from bot.domain.people import Employee
from bot.domain.plans import NOT_FOR_ME
from bot.domain.roles import EDUCATION_ORDER
from bot.domain.schedule import WEEKDAYS
from bot.knowledge_base import KnowledgeBase
from bot.knowledge_base.base import show_date
from bot.knowledge_base.rendering import show_office
from bot.services.about_me import AboutMe
from bot.slack.blocks import Block, section

ABOUT_VIEW, WHY_VIEW, REQUEST_VIEW = "about_view", "plan_why_view", "request_view"
EXPERIENCE = ("unpaid", "military", "abroad")
LANGUAGES_SPOKEN = ("en", "es", "other")
State = dict[str, dict[str, dict[str, Any]]]


def about_view(
    kb: KnowledgeBase, employee: Employee, held: frozenset[str], words: str, language: Language, today: date
) -> Block:
    """Everything that is assumed of the employee, to be added to and corrected. `held`: credentials told or assumed."""

    def say(message: str, **values: Any) -> str:
        return kb.say(message, language, **values)

    roster = ", ".join(_roster_words(kb, employee, language)) or say("about_nothing")
    intro = say("about_intro", roster=roster, office=show_office(kb.offices["hr"], language))
    credentials = [(name, kb.credentials[name].name.in_(language)) for name in kb.credentials]
    spoken = employee.languages or frozenset({employee.language} if employee.language else ())
    used = employee.tuition_used.get(today.year)
    blocks = [
        *section(intro),
        _input("education", say("about_education"), _select(_educations(kb, language), employee.education)),
        _input("credentials", say("about_credentials"), _multi(sorted(credentials, key=lambda each: each[1]), held)),
        _input(
            "languages",
            say("about_languages"),
            _multi([(each, say(f"language_{each}")) for each in LANGUAGES_SPOKEN], spoken),
        ),
        _input(
            "experience",
            say("about_experience"),
            _checks([(each, say(f"about_experience_{each}")) for each in EXPERIENCE], employee.experience),
        ),
        _input("words", say("about_words"), _text(words, lines=True, longest=500)),
        _input(
            "workdays",
            say("about_workdays"),
            _checks([(day, say(f"weekday_{day}")) for day in WEEKDAYS], employee.workdays or frozenset()),
        ),
        _input("weekend", say("about_weekend"), _date(employee.weekend_from)),
        _input("used", say("about_used", year=today.year), _text(f"{used:g}" if used is not None else "", longest=10)),
    ]
    return _modal(kb, language, ABOUT_VIEW, "about_title", "plan_save", blocks, ",".join(sorted(held)))


def about_me_from(state: State, assumed: frozenset[str]) -> AboutMe | None:
    """The form as it was sent; None when the amount is not a number. `assumed`: credentials that the job asks for."""
    used = _value(state, "used")
    try:
        amount = float(used.replace("$", "").replace(",", "")) if used else None
    except ValueError:
        return None
    if amount is not None and not 0 <= amount < 1_000_000:
        return None
    held = _chosen(state, "credentials")
    weekend = state["weekend"]["value"].get("selected_date")
    return AboutMe(
        education=(state["education"]["value"].get("selected_option") or {}).get("value"),
        credentials=held - assumed,
        not_held=assumed - held,
        languages=_chosen(state, "languages"),
        experience=_chosen(state, "experience"),
        experience_words=_value(state, "words"),
        workdays=tuple(day for day in WEEKDAYS if day in _chosen(state, "workdays")),
        weekend_from=date.fromisoformat(weekend) if weekend else None,
        tuition_used=amount,
    )


def words_of(state: State) -> str:
    """The free words of a form as the employee wrote them."""
    return _value(state, "words")


def why_view(kb: KnowledgeBase, step: int, language: Language) -> Block:
    """Not for me: what is in the way? A closed list."""
    options = [(reason, kb.say(f"plan_why_{reason}", language)) for reason in NOT_FOR_ME]
    element = {"type": "radio_buttons", "action_id": "value", "options": [_option(*each) for each in options]}
    reason = _input("reason", kb.say("plan_why_label", language), element, optional=False)
    blocks = [*section(kb.say("plan_why", language)), reason]
    return _modal(kb, language, WHY_VIEW, "plan_why_title", "plan_save", blocks, str(step))


def request_view(kb: KnowledgeBase, manager: str, words: str, group: str, language: Language) -> Block:
    """The drafted request, to be changed and sent, or not. `group`: "program:cohort"."""
    intro = section(kb.say("request_intro", language, manager=manager))
    text = _input("words", kb.say("request_label", language), _text(words, lines=True, longest=1500), optional=False)
    return _modal(kb, language, REQUEST_VIEW, "request_title", "plan_send", [*intro, text], group)


def _roster_words(kb: KnowledgeBase, employee: Employee, language: Language) -> list[str]:
    words = []
    if employee.role in kb.roles:
        words.append(kb.roles[employee.role].title.in_(language))
    if employee.hours_per_week is not None:
        words.append(kb.say("about_hours", language, hours=f"{employee.hours_per_week:g}"))
    if employee.shift:
        words.append(kb.say(f"shift_{employee.shift}", language))
    if employee.hired_on:
        words.append(kb.say("about_since", language, day=show_date(kb, employee.hired_on, language)))
    return words


def _educations(kb: KnowledgeBase, language: Language) -> list[tuple[str, str]]:
    return [(level, kb.say(f"education_{level}", language)) for level in EDUCATION_ORDER]


# --- elements ----------------------------------------------------------------------------------------------------


def _modal(
    kb: KnowledgeBase, language: Language, name: str, title: str, submit: str, blocks: list[Block], metadata: str
) -> Block:
    def plain(message: str) -> dict[str, str]:
        return {"type": "plain_text", "text": kb.say(message, language)}

    return {
        "type": "modal",
        "callback_id": name,
        "private_metadata": metadata,
        "title": plain(title),
        "submit": plain(submit),
        "close": plain("plan_cancel"),
        "blocks": blocks,
    }


def _input(name: str, label: str, element: Block, *, optional: bool = True) -> Block:
    text = {"type": "plain_text", "text": label}
    return {"type": "input", "block_id": name, "label": text, "element": element, "optional": optional}


def _option(value: str, label: str) -> Block:
    short = label if len(label) <= 75 else label[:74] + "…"
    return {"text": {"type": "plain_text", "text": short}, "value": value}


def _select(options: Sequence[tuple[str, str]], chosen: str | None) -> Block:
    drawn = [_option(*each) for each in options]
    initial = [each for each in drawn if each["value"] == chosen]
    more = {"initial_option": initial[0]} if initial else {}
    return {"type": "static_select", "action_id": "value", "options": drawn, **more}


def _multi(options: Sequence[tuple[str, str]], chosen: frozenset[str]) -> Block:
    return _many("multi_static_select", options, chosen)


def _checks(options: Sequence[tuple[str, str]], chosen: frozenset[str]) -> Block:
    return _many("checkboxes", options, chosen)


def _many(kind: str, options: Sequence[tuple[str, str]], chosen: frozenset[str]) -> Block:
    drawn = [_option(*each) for each in options]
    initial = [each for each in drawn if each["value"] in chosen]
    more = {"initial_options": initial} if initial else {}
    return {"type": kind, "action_id": "value", "options": drawn, **more}


def _text(value: str, *, longest: int, lines: bool = False) -> Block:
    more = {"initial_value": value} if value else {}
    return {"type": "plain_text_input", "action_id": "value", "multiline": lines, "max_length": longest, **more}


def _date(value: date | None) -> Block:
    more = {"initial_date": value.isoformat()} if value else {}
    return {"type": "datepicker", "action_id": "value", **more}


def _value(state: State, block: str) -> str:
    return str(state[block]["value"].get("value") or "").strip()


def _chosen(state: State, block: str) -> frozenset[str]:
    return frozenset(option["value"] for option in state[block]["value"].get("selected_options") or [])
