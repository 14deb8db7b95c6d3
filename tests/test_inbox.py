"""What comes in is worked on in order, by one at a time, and the coaches' list keeps up with it."""

from datetime import timedelta

import pytest
from sqlmodel import select

from bot.services import queues
from bot.services.attention import reassess
from bot.services.inbox import sweep, work_through
from storage.models import Attention, Conversation, Exchange, InboxItem
from tests.conftest import WORKSPACE


def rows(world, table):
    with world.desk.sessions() as session:
        return session.exec(select(table).order_by(table.id if table is not Attention else table.conversation_id)).all()


@pytest.fixture
def kept(world):
    """Keeps a message of Dwayne's without working on it: what the door does."""
    world.slack.as_user("UDWAYNE").say("hello")

    def keep(text: str, ts: str) -> InboxItem | None:
        channel = world.slack.workspace.direct_message("UDWAYNE").id
        body = {"user": "UDWAYNE", "channel": channel, "ts": ts, "thread_ts": "", "text": text}
        return queues.receive(world.desk.sessions, WORKSPACE, f"{channel}:{ts}", f"{channel}:", "message", body, world.now())

    return keep


def test_who_writes_three_times_in_a_row_is_answered_in_that_order_by_who_is_at_work_already(world, kept):
    first = kept("who pays for school", "1.0")
    assert first
    assert kept("and for books", "2.0") is None, "the first is being worked on"
    assert kept("what does a cook make", "3.0") is None
    work_through(world.desk, first)
    assert [row.question for row in rows(world, Exchange)][1:] == [
        "who pays for school",
        "and for books",
        "what does a cook make",
    ]
    assert len(world.posted) == 4
    assert sweep(world.desk) == 0, "nothing is left"


def test_a_message_that_comes_twice_is_leased_once(kept):
    assert kept("who pays for school", "1.0")
    assert kept("who pays for school", "1.0") is None


def test_who_was_frozen_until_another_process_had_answered_does_not_answer_again(world, kept):
    item = kept("who pays for school", "1.0")
    world.time_for_another_process()
    assert sweep(world.desk) == 1
    work_through(world.desk, item)
    assert len(world.posted) == 2


def test_a_lease_that_is_nearly_over_is_made_longer_before_the_work_begins(world, kept):
    item = kept("who pays for school", "1.0")
    world.passed += queues.INBOX_LEASE - timedelta(seconds=1)
    assert queues.lease_lasts(world.desk.sessions, item, world.now())
    world.passed += timedelta(seconds=2)
    assert queues.claim_next(world.desk.sessions, item.conversation, world.now()) is None, "nobody else takes it now"


def test_a_process_that_is_told_to_stop_leaves_what_it_has_not_begun_to_the_others_at_once(world, kept):
    item = kept("who pays for school", "1.0")
    world.desk.stopping = lambda: True
    work_through(world.desk, item)
    world.desk.stopping = lambda: False
    assert len(world.posted) == 1
    assert sweep(world.desk) == 1
    assert len(world.posted) == 2


def test_after_each_question_the_coaches_list_says_what_the_whole_conversation_says(world):
    """What is worked out from the last question alone must be what `reassess` finds in everything."""
    steps = [
        "hola",
        "qué tiempo hará mañana en la luna",
        "who pays for school",
        "xqzt plok",
        "school",
        "down",
        "what does a cook make",
        "thanks",
        "the weather on mars",
        "I want to talk to a real person",
        "what can I do next",
    ]
    for step in steps:
        world.passed += timedelta(minutes=3)
        if step == "down":
            world.click("UDWAYNE", "feedback", f"down:{rows(world, Exchange)[-1].id}")
        else:
            world.say("UDWAYNE", step)
        with world.desk.sessions() as session:
            (conversation,) = session.exec(select(Conversation.id)).all()
            row = session.get_one(Attention, conversation)
            kept = row.model_dump()
            reassess(session, conversation)
            session.flush()
            assert row.model_dump() == kept, step
