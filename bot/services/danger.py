"""Danger that shows in the words of a form: answered as in a chat. The words themselves are kept nowhere."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.dialogue import Dialogue
from bot.domain.people import Employee
from bot.services import queues
from bot.services.inbox import Desk, find_person
from bot.services.replying import URGENT
from storage.models import InboxItem


@dataclass(frozen=True)
class Checked:
    """The words of a form, "" in place of those that tell of danger.

    `item` is to be worked through once the form is acknowledged; None also when somebody else works on it.
    """

    words: tuple[str, ...]
    is_danger: bool = False
    item: InboxItem | None = None


def check_words(desk: Desk, workspace: str, slack_id: str, form: str, words: Sequence[str]) -> Checked:
    """Does somebody tell of danger here? Then the reply and the coaches' alert wait in the inbox when this returns.

    `form` is the same when Slack sends the form twice. To be called before the form is kept and acknowledged.
    """
    person = find_person(desk, workspace, slack_id) if any(words) else None
    if person is None:
        return Checked(tuple(words))
    employee = Employee(language="es" if person.language == "es" else "en")
    decide = desk.answering.understanding.decide
    decisions = {each: decide(each, employee, Dialogue()) for each in words if each.strip()}
    urgent = {each: decision for each, decision in decisions.items() if decision.cards[:1] in URGENT and decision.safety}
    if not urgent:
        return Checked(tuple(words))
    first = next(iter(urgent.values()))
    body = {"user": slack_id, "channel": slack_id, "thread_ts": "", "ts": ""}
    card = {"card": first.cards[0], "language": first.language}
    item = queues.receive(desk.sessions, workspace, f"form:{form}", f"{slack_id}:", "choice", body | card, desk.clock())
    return Checked(tuple("" if each in urgent else each for each in words), True, item)
