"""Check-ins as Block Kit: reminders, the manager's weekly message, the Home sections, the modals. Data in, blocks out.

Every button and menu entry carries `verb:id` or `verb:id:more` as its value.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from bot.domain.cards import Language
from bot.knowledge_base import KnowledgeBase
from bot.services.checkin_team import Guide, Team
from bot.services.checkin_words import Digest, DigestLine, Notice
from bot.slack.blocks import TALK_TO_A_PERSON, Block, button, section, small
from bot.slack.plan_blocks import message

ACTION = "checkin"
PREPARE_VIEW, TIMES_VIEW, SKIP_VIEW, PROMISE_VIEW = "checkin_prepare", "checkin_times", "checkin_skip", "checkin_promise"
LINES = 3
MOST_TEAM_LINES = 20
TEXT_LENGTH = 500
OUTCOMES = ("kept", "partly", "not-yet")
# What one can do about a message, by its kind; and about a person of the team, by where their check-in stands.
BUTTONS = {
    "prepare": ("prepare", "times", "snooze", "fewer", "stop"),
    "soon": ("prepare", "times", "cancel", "stop"),
    "ask": ("yes", "no", "skip", "stop"),
    "ask_again": ("yes", "times", "skip", "stop"),
    "thanks_yes": ("promise",),
    "thanks_no": ("times",),
    "new_day": ("times",),
    "booked": ("calendar", "prepare", "cancel"),
    "moved": ("calendar", "prepare", "cancel"),
}
MENU = {
    "due": ("guide", "times", "skip"),
    "booked": ("guide", "yes", "cancel", "skip"),
    "ask": ("yes", "no", "guide", "times", "skip"),
    "overdue": ("yes", "no", "guide", "times", "skip"),
    "waiting": ("guide", "promise"),
    "paused": ("guide",),
}


def draw(kb: KnowledgeBase, what: Notice | Digest) -> dict[str, Any]:
    """chat.postMessage's arguments for a message about check-ins."""
    return _digest(kb, what) if isinstance(what, Digest) else _notice(kb, what)


def _notice(kb: KnowledgeBase, notice: Notice) -> dict[str, Any]:
    def press(verb: str, more: str = "", label: str = "") -> Block:
        words = label or _label(kb, verb, notice.language, to_manager=notice.to_manager)
        style = "primary" if verb in ("prepare", "yes", "accept") and not more.isdigit() else None
        value = f"{verb}:{notice.ref}" + (f":{more}" if more else "")
        return button(words, f"{ACTION}:{verb}:{len(buttons)}", value, style)

    buttons: list[Block] = []
    if notice.kind == "offered":
        for words, at in notice.times[:6]:
            buttons.append(press("accept", at, words))
        buttons.append(press("times"))
    elif notice.kind == "unbooked":
        buttons.append(press("times"))
        buttons += [press("calendar", at) for _, at in notice.times[:1]]
    elif notice.kind == "promise":
        buttons = [
            button(kb.say(f"promise_{each}", notice.language), f"{ACTION}:{each}", f"{each}:{notice.ref}")
            for each in OUTCOMES
        ]
    elif notice.kind == "skipped_by_manager":
        buttons.append(button(kb.say("talk_to_a_person", notice.language), TALK_TO_A_PERSON, "checkin"))
    for verb in BUTTONS.get(notice.kind, ()):
        at = notice.times[0][1] if verb == "calendar" and notice.times else ""
        buttons.append(press("guide" if verb == "prepare" and notice.to_manager else verb, at))
    return message(notice.text, buttons)


def _label(kb: KnowledgeBase, verb: str, language: Language, *, to_manager: bool = False) -> str:
    name = f"team_did_{verb}" if to_manager and verb in ("yes", "no") else f"checkin_do_{verb}"
    return kb.say(name, language)


def _digest(kb: KnowledgeBase, digest: Digest) -> dict[str, Any]:
    blocks = [*section(digest.title), *(_team_line(kb, line, digest.language) for line in digest.lines)]
    if digest.more:
        blocks.append(small(digest.more))
    text = "\n".join((digest.title, *(line.text for line in digest.lines)))
    return {"text": message(text, [])["text"][:3900], "blocks": blocks}


def _team_line(kb: KnowledgeBase, line: DigestLine, language: Language) -> Block:
    options = [
        {
            "text": {"type": "plain_text", "text": _label(kb, verb, language, to_manager=True)},
            "value": f"{verb}:{line.checkin_id}",
        }
        for verb in MENU[line.state]
    ]
    menu = {"type": "overflow", "action_id": f"{ACTION}:menu:{line.checkin_id}", "options": options}
    return {**section(line.text)[0], "accessory": menu}


# --- Home --------------------------------------------------------------------------------------------------------


def draw_mine(
    kb: KnowledgeBase, checkin_id: int, text: str, can_answer: bool, booked: bool, reminders: str, language: Language
) -> list[Block]:
    """The employee's next check-in with everything that can be done about it."""
    verbs = ["prepare", "times"]
    verbs += ["yes", "no"] if can_answer else []
    verbs += ["calendar", "cancel"] if booked else []
    verbs += ["skip", "start" if reminders != "all" else "stop"]
    buttons = [
        button(
            _label(kb, verb, language),
            f"{ACTION}:{verb}:home",
            f"{verb}:{checkin_id}",
            "primary" if verb == "prepare" else None,
        )
        for verb in verbs
    ]
    return [*section(f"{kb.say('home_checkin', language)}\n{text}"), {"type": "actions", "elements": buttons}]


def draw_team(kb: KnowledgeBase, team: Team, language: Language) -> list[Block]:
    """The manager's view of the team."""
    title = {"type": "header", "text": {"type": "plain_text", "text": kb.say("home_team", language)}}
    blocks = [title, *section(kb.say("home_team_count", language, held=team.held, all=team.all))]
    blocks += [_team_line(kb, line, language) for line in team.lines[:MOST_TEAM_LINES]]
    if not team.lines:
        blocks += section(kb.say("home_team_none", language))
    if len(team.lines) > MOST_TEAM_LINES:
        blocks.append(small(kb.say("digest_more", language, count=len(team.lines) - MOST_TEAM_LINES)))
    return [*blocks, small(kb.say("home_team_privacy", language))]


# --- modals ------------------------------------------------------------------------------------------------------


def prepare_view(
    kb: KnowledgeBase, form: str, other: str, lines: Sequence[tuple[str, str, bool]], language: Language
) -> Block:
    """Three topics with a line each, every one private until its box is ticked. `lines`: (topic, text, shared)."""
    topics = [(topic, kb.say(f"checkin_topic_{topic}", language)) for topic in kb.checkins.topics]
    share = [("share", kb.say("checkin_line_share_box", language, other=other))]
    blocks = section(kb.say("checkin_prepare_intro", language, other=other))
    for number in range(LINES):
        topic, text, shared = lines[number] if number < len(lines) else ("", "", False)
        blocks += [
            _input(f"topic{number}", kb.say("checkin_line_topic", language, number=number + 1), _choice(topics, topic)),
            _input(f"text{number}", kb.say("checkin_line_text", language), _text(text)),
            _input(f"share{number}", kb.say("checkin_line_share", language), _boxes(share, ["share"] if shared else [])),
        ]
    return _modal(kb, PREPARE_VIEW, "checkin_prepare_title", "plan_save", blocks, form, language)


def times_view(
    kb: KnowledgeBase, checkin_id: int, other: str, times: Sequence[tuple[str, str]], language: Language
) -> Block:
    options = [(at, words) for words, at in times]
    boxes = _input("times", kb.say("checkin_times_label", language), _boxes(options, []), optional=False)
    intro = section(kb.say("checkin_times_intro", language, other=other))
    return _modal(kb, TIMES_VIEW, "checkin_times_title", "plan_send", [*intro, boxes], str(checkin_id), language)


def skip_view(kb: KnowledgeBase, checkin_id: int, other: str, for_manager: bool, language: Language) -> Block:
    options = [_option(reason, kb.say(f"checkin_skip_{reason}", language)) for reason in kb.checkins.skip_reasons]
    radio = {"type": "radio_buttons", "action_id": "value", "options": options}
    intro = section(kb.say("checkin_skip_intro", language, other=other, for_manager=for_manager))
    reason = _input("reason", kb.say("checkin_skip_label", language), radio, optional=False)
    return _modal(kb, SKIP_VIEW, "checkin_skip_title", "plan_save", [*intro, reason], str(checkin_id), language)


def promise_view(kb: KnowledgeBase, form: str, other: str, until: date, language: Language) -> Block:
    share = [("share", kb.say("checkin_promise_share", language, other=other))]
    day = {"type": "datepicker", "action_id": "value", "initial_date": until.isoformat()}
    blocks = [
        _input("text", kb.say("checkin_promise_label", language), _text(""), optional=False),
        _input("day", kb.say("checkin_promise_day", language), day, optional=False),
        _input("share", kb.say("checkin_promise_who", language), _boxes(share, [])),
    ]
    return _modal(kb, PROMISE_VIEW, "checkin_promise_title", "plan_save", blocks, form, language)


def guide_view(kb: KnowledgeBase, guide: Guide, language: Language) -> Block:
    """Read only: nothing can be sent from it."""
    blocks: list[Block] = []
    for title, lines in guide.parts:
        blocks += section(f"*{title}*\n" + "\n".join(f"• {line}" for line in lines))
    shown = guide.title if len(guide.title) <= 24 else guide.title[:23] + "…"
    close = {"type": "plain_text", "text": kb.say("checkin_close", language)}
    return {"type": "modal", "title": {"type": "plain_text", "text": shown}, "close": close, "blocks": blocks}


def _modal(
    kb: KnowledgeBase, name: str, title: str, submit: str, blocks: list[Block], metadata: str, language: Language
) -> Block:
    def plain(words: str) -> dict[str, str]:
        return {"type": "plain_text", "text": kb.say(words, language)}

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
    return {"text": {"type": "plain_text", "text": label if len(label) <= 75 else label[:74] + "…"}, "value": value}


def _choice(options: Sequence[tuple[str, str]], chosen: str) -> Block:
    drawn = [_option(*each) for each in options]
    initial = [each for each in drawn if each["value"] == chosen]
    more = {"initial_option": initial[0]} if initial else {}
    return {"type": "static_select", "action_id": "value", "options": drawn, **more}


def _boxes(options: Sequence[tuple[str, str]], chosen: Sequence[str]) -> Block:
    drawn = [_option(*each) for each in options]
    initial = [each for each in drawn if each["value"] in chosen]
    more = {"initial_options": initial} if initial else {}
    return {"type": "checkboxes", "action_id": "value", "options": drawn, **more}


def _text(value: str) -> Block:
    more = {"initial_value": value} if value else {}
    return {"type": "plain_text_input", "action_id": "value", "multiline": True, "max_length": TEXT_LENGTH, **more}
