"""Plans as Block Kit: the Home section, goal messages, reminders. Data in, blocks out."""

from collections.abc import Sequence
from typing import Any

from bot.domain.cards import Language
from bot.knowledge_base import KnowledgeBase
from bot.services.nudges import Nudge
from bot.services.plan_words import GoalView, SharedView, StepView
from bot.slack.blocks import Block, button, escaped, section, small

STEP, GOAL, PRINT, REMINDERS = "plan_step", "plan_goal", "plan_print", "plan_reminders"
CHOOSE_GOAL, ABOUT_ME, SHOW_MAP = "choose_goal", "about_me", "show_map"
INTEREST, WITHDRAW, REQUEST, SUPPORT = "interest", "withdraw", "request_class_time", "support_outcome"
OUTCOMES = ("worked", "partly", "failed", "not-used")
MOST_GOALS, MOST_STEPS, MOST_SHARED = 3, 5, 10
BAR = 8
ICONS = {"done": "✅", "todo": "⬜️"}


def draw_plan(
    kb: KnowledgeBase,
    goals: Sequence[GoalView],
    interests: Sequence[tuple[int, str]],
    language: Language,
    *,
    reminders: bool,
) -> list[Block]:
    """The part of the Home tab that is the employee's own plan. `interests`: (id, line)."""
    blocks: list[Block] = [_header(kb.say("plan_title", language))]
    if not goals:
        blocks += section(kb.say("plan_empty", language))
    for goal in goals[:MOST_GOALS]:
        blocks += _goal(kb, goal, language)
    if interests:
        blocks += section(kb.say("interest_head", language))
        for interest, line in interests:
            take_off = button(kb.say("interest_withdraw", language), f"{WITHDRAW}:{interest}", str(interest))
            blocks.append({**section(line)[0], "accessory": take_off})
    blocks.append({"type": "actions", "elements": _plan_buttons(kb, language, bool(goals), reminders=reminders)})
    blocks.append(small(kb.say("plan_privacy", language)))
    return blocks


def draw_shared(kb: KnowledgeBase, shared: Sequence[SharedView], language: Language) -> list[Block]:
    """For a manager: what people of the team share of their plans, and nothing else."""
    if not shared:
        return []
    blocks = section(kb.say("shared_head", language))
    for each in shared[:MOST_SHARED]:
        blocks += section("\n".join([f"*{each.name}*", *each.lines]))
    return blocks


def _plan_buttons(kb: KnowledgeBase, language: Language, has_goals: bool, *, reminders: bool) -> list[Block]:
    buttons = [button(kb.say("about_button", language), f"{ABOUT_ME}:home", "home")]
    buttons.append(button(kb.say("map_button", language), f"{SHOW_MAP}:home", ">"))
    if has_goals:
        other = "en" if language == "es" else "es"
        buttons.insert(0, button(kb.say("plan_print", language), f"{PRINT}:{language}", language))
        buttons.insert(1, button(kb.say("plan_print_other", language), f"{PRINT}:{other}", other))
        turn = "off" if reminders else "before"
        label = kb.say("plan_reminders_off" if reminders else "plan_reminders_on", language)
        buttons.append(button(label, f"{REMINDERS}:home", turn))
    return buttons


def _goal(kb: KnowledgeBase, goal: GoalView, language: Language) -> list[Block]:
    """The goal with its bar and menu, then the steps that come next."""
    if goal.state == "reached":
        return section(kb.say("plan_goal_reached", language, title=goal.title))
    count = len(goal.steps)
    bar = progress_bar(goal.done, count)
    head = kb.say("plan_goal", language, title=goal.title, bar=bar, done=goal.done, all=count, shared=goal.shared)
    options = [
        _option(kb, "private" if goal.shared else "share", goal.id, language),
        _option(kb, "drop_goal", goal.id, language),
    ]
    blocks: list[Block] = [{**section(head)[0], "accessory": _overflow(f"{GOAL}:{goal.id}", options)}]
    waiting = [step for step in goal.steps if step.open]
    shown = [step for step in goal.steps if step.state == "done"][-1:] + waiting[:MOST_STEPS]
    blocks += [_step(kb, step, language) for step in shown]
    if len(waiting) > MOST_STEPS:
        blocks.append(small(kb.say("plan_more", language, n=len(waiting) - MOST_STEPS)))
    return blocks


def _step(kb: KnowledgeBase, step: StepView, language: Language) -> Block:
    changes = ["undo"] if step.state == "done" else ["done", "snooze", "drop"]
    changes.append("private" if step.shared else "share")
    text = kb.say("plan_step_line", language, icon=ICONS[step.state], words=step.words, when=step.when, shared=step.shared)
    menu = _overflow(f"{STEP}:{step.id}", [_option(kb, change, step.id, language) for change in changes])
    return {**section(text)[0], "accessory": menu}


def _option(kb: KnowledgeBase, change: str, row: int, language: Language) -> dict[str, Any]:
    label = kb.say(f"plan_{change}", language)
    return {"text": {"type": "plain_text", "text": label}, "value": f"{change.removesuffix('_goal')}:{row}"}


def _overflow(action: str, options: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "overflow", "action_id": action, "options": options}


def progress_bar(done: int, count: int) -> str:
    full = round(BAR * done / count) if count else 0
    return "▰" * full + "▱" * (BAR - full)


def _header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": text}}


def message(text: str, buttons: list[Block]) -> dict[str, Any]:
    """A message of the app with buttons below it."""
    blocks = section(text)
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    return {"text": escaped(text), "blocks": blocks}


def goal_message(kb: KnowledgeBase, goal: GoalView, language: Language, *, is_new: bool) -> dict[str, Any]:
    """After a goal was chosen: the plan's first step and where the plan is."""
    first = goal.next.words if goal.next else kb.say("plan_all_done", language)
    key = "plan_chosen" if is_new else "plan_chosen_before"
    text = kb.say(key, language, title=goal.title, count=len(goal.steps), first=first)
    text += "\n" + kb.say("plan_chosen_where", language)
    return message(text, [button(kb.say("plan_print", language), f"{PRINT}:{language}", language)])


def draw_request(kb: KnowledgeBase, name: str, words: str, language: Language) -> dict[str, Any]:
    """To the manager: the employee's words, quoted, and nothing else."""
    quoted = escaped(words).replace("\n", "\n>")
    text = kb.say("request_to_manager", language, name=escaped(name), text=quoted)
    return {"text": text, "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]}


def draw_nudge(kb: KnowledgeBase, nudge: Nudge) -> dict[str, Any]:
    """A reminder with what one can do about it."""
    say = kb.say
    if nudge.kind == "support":
        labels = [(say(f"support_{each}", nudge.language), each) for each in OUTCOMES]
        return message(nudge.text, [button(label, f"{SUPPORT}:{each}", f"{each}:{nudge.id}") for label, each in labels])
    if nudge.kind == "interest":
        label = say("interest_withdraw", nudge.language)
        return message(nudge.text, [button(label, f"{WITHDRAW}:{nudge.id}", str(nudge.id))])
    labels = [(say(f"plan_{change}", nudge.language), change) for change in ("done", "snooze", "drop")]
    stop = button(say("plan_reminders_off", nudge.language), f"{REMINDERS}:nudge", "off")
    steps = [button(label, f"{STEP}:{change}:{nudge.id}", f"{change}:{nudge.id}") for label, change in labels]
    return message(nudge.text, [*steps, stop])
