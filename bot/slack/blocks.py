"""Replies as Block Kit: data in, data out. Limits are Slack's; see docs.slack.dev/reference/block-kit."""

from typing import Any

from bot.domain.cards import Language
from bot.knowledge_base import KnowledgeBase, Page
from bot.services.replying import Choice, Reply

SECTION_TEXT = 3000
BUTTON_TEXT = 75
BUTTON_VALUE = 2000

CHOOSE_CARD = "choose_card"
TALK_TO_A_PERSON = "talk_to_a_person"
FEEDBACK = "feedback"
FEEDBACK_REASON = "feedback_reason"
REASONS = ("wrong_topic", "not_for_me", "outdated", "unclear", "not_enough")

Block = dict[str, Any]


def escaped(text: str) -> str:
    """The three characters that Slack reads as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def section(text: str) -> list[Block]:
    """A text as one or more sections, parted at a line end where it is too long for one."""
    blocks, rest = [], escaped(text)
    while rest:
        cut = len(rest) if len(rest) <= SECTION_TEXT else max(rest.rfind("\n", 1, SECTION_TEXT), SECTION_TEXT // 2)
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": rest[:cut]}})
        rest = rest[cut:].lstrip("\n")
    return blocks


def small(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": escaped(text)[:SECTION_TEXT]}]}


def button(label: str, action: str, value: str, style: str | None = None) -> Block:
    text = label if len(label) <= BUTTON_TEXT else label[: BUTTON_TEXT - 1] + "…"
    drawn = {"type": "button", "text": {"type": "plain_text", "text": text}, "action_id": action, "value": value}
    return drawn | ({"style": style} if style else {})


def card_buttons(choices: tuple[Choice, ...]) -> list[Block]:
    return [button(choice.label, f"{CHOOSE_CARD}:{number}", choice.card) for number, choice in enumerate(choices)]


def draw_page(page: Page) -> list[Block]:
    """The answer, what one can do about it, the small print."""
    offers = [button(offer.label, f"{offer.action}:{number}", offer.value) for number, offer in enumerate(page.offers)]
    actions: list[Block] = [{"type": "actions", "elements": offers}] if offers else []
    return [*section(f"*{page.title}*\n{page.text}"), *actions, small(page.small_print)]


def draw_reply(kb: KnowledgeBase, reply: Reply, exchange: int, language: Language) -> dict[str, Any]:
    """chat.postMessage's `text` and `blocks` for a reply. The text has everything, for screen readers."""
    blocks: list[Block] = section(reply.lead) if reply.lead else []
    for page in reply.pages:
        blocks += draw_page(page)
    if reply.closing:
        blocks += section(reply.closing)
    if reply.decision.outcome == "handoff":
        buttons = []
    else:
        buttons = [*card_buttons(reply.choices), button(reply.coach_label, TALK_TO_A_PERSON, str(exchange))]
    if buttons:
        blocks.append({"type": "actions", "block_id": f"next:{exchange}", "elements": buttons})
    if reply.ask_for_feedback:
        blocks.append(feedback_buttons(kb, exchange, language))
    if reply.privacy_note:
        blocks.append(small(reply.privacy_note))
    return {"text": escaped(reply.text)[:3900], "blocks": blocks}


def feedback_buttons(kb: KnowledgeBase, exchange: int, language: Language) -> Block:
    def side(answer: str, value: str) -> Block:
        label = kb.say(f"feedback_{answer}", language)
        question = kb.say("feedback_question", language)
        return {
            "text": {"type": "plain_text", "text": label},
            "accessibility_label": f"{question} {label}",
            "value": f"{value}:{exchange}",
        }

    element = {
        "type": "feedback_buttons",
        "action_id": FEEDBACK,
        "positive_button": side("yes", "up"),
        "negative_button": side("no", "down"),
    }
    return {"type": "context_actions", "elements": [element]}


def feedback_reasons(kb: KnowledgeBase, exchange: int, language: Language) -> dict[str, Any]:
    """What was wrong? The reasons are a closed list."""
    question = kb.say("feedback_why", language)
    buttons = [
        button(kb.say(f"feedback_reason_{reason}", language), f"{FEEDBACK_REASON}:{reason}", f"{reason}:{exchange}")
        for reason in REASONS
    ]
    return {"text": question, "blocks": [*section(question), {"type": "actions", "elements": buttons}]}


def draw_home(
    kb: KnowledgeBase,
    first_name: str,
    pages: list[Page],
    topics: tuple[Choice, ...],
    language: Language,
    plan: list[Block],
) -> Block:
    """The Home tab: my plan, my role, next steps, quick topics, a person."""
    blocks: list[Block] = [{"type": "header", "text": {"type": "plain_text", "text": kb.say("home_title", language)}}]
    blocks += section(kb.say("home_hello", language, first_name=first_name))
    blocks += [*plan, {"type": "divider"}]
    for page in pages:
        blocks += [*draw_page(page), {"type": "divider"}]
    blocks += section(kb.say("home_topics", language))
    person = button(kb.say("talk_to_a_person", language), TALK_TO_A_PERSON, "home", "primary")
    blocks.append({"type": "actions", "elements": [*card_buttons(topics), person]})
    blocks.append(small(kb.say("who_sees_this", language)))
    return {"type": "home", "blocks": blocks}
