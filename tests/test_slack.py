"""Through the same door as people: a Slack payload in, Web API calls out."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from bot.services.delivery import deliver_due
from bot.services.inbox import sweep
from storage.database import empty_the_log
from storage.models import Exchange, Feedback, Handoff, InboxItem, OutboxItem, Person, QuestionEdit
from tests.conftest import WORKSPACE, World


def rows(world: World, table):
    with world.desk.sessions() as session:
        return session.exec(select(table).order_by(*table.__table__.primary_key)).all()


def test_rosa_asks_in_spanish_and_is_answered_in_spanish_with_source_and_a_person(world):
    world.say("UROSA", "cuánto gana una enfermera registrada")
    assert "hospitales de EE. UU., 2025" in world.last["text"]
    assert "Fuente:" in world.last["text"]
    assert "Su jefe no puede" in world.last["text"], "at first contact she is told who can see the chat"
    actions = next(block for block in world.last["blocks"] if block["type"] == "actions")
    assert any(button["action_id"] == "talk_to_a_person" for button in actions["elements"])


def test_the_same_event_twice_is_answered_once(world):
    world.say("UROSA", "hola", event_id="Ev1", ts="1.1")
    world.say("UROSA", "hola", event_id="Ev1", ts="1.1")
    assert len(world.posted) == 1


def test_rosa_hears_what_comes_after_housekeeping_from_her_roster_row(world):
    world.say("UROSA", "what can I do next, what is my next step here")
    assert "from environmental services technician" in world.last["text"].lower()
    assert "→" in world.last["text"]


def test_a_question_kept_before_a_crash_is_answered_by_the_sweep(world, monkeypatch):
    monkeypatch.setattr("bot.slack.listeners.work_through", lambda *_: None)  # the process dies after the ack
    world.say("UROSA", "do I pay up front for school")
    sweep(world.desk)
    assert world.posted == [], "another process may be at work on it"
    world.time_for_another_process()
    sweep(world.desk)
    assert len(world.posted) == 1
    sweep(world.desk)
    assert len(world.posted) == 1


def test_a_reply_that_slack_took_but_did_not_confirm_is_found_again_and_not_sent_twice(world):
    world.slack.fault("error_after")
    world.say("UROSA", "hello")
    assert [item.state for item in rows(world, OutboxItem)] == ["doubt"]
    world.passed = timedelta(minutes=2)
    deliver_due(world.desk.sessions, world.desk.sender, world.desk.clock)
    assert len(world.posted) == 1
    assert [item.state for item in rows(world, OutboxItem)] == ["sent"]
    assert rows(world, Exchange)[0].reply_ts == world.last["ts"]


@pytest.mark.parametrize("fault", ["ratelimited", "error"])
def test_a_reply_that_slack_did_not_take_is_sent_later_once(world, fault):
    world.slack.fault(fault)
    world.say("UROSA", "hello")
    assert world.posted == []
    for minutes in (2, 4):
        world.passed = timedelta(minutes=minutes)
        deliver_due(world.desk.sessions, world.desk.sender, world.desk.clock)
    assert len(world.posted) == 1


def test_a_crisis_gets_the_fixed_reply_alerts_the_coaches_and_keeps_no_words(world):
    world.say("UROSA", "ya no quiero vivir")
    reply, alert = world.posted
    assert "988" in reply["text"]
    assert alert["channel"] == "CCOACH"
    assert alert["text"].startswith("Urgent")
    assert "vivir" not in alert["text"]
    assert [exchange.question for exchange in rows(world, Exchange)] == [""]
    assert all(item.body == {} for item in rows(world, InboxItem))
    assert [handoff.urgent for handoff in rows(world, Handoff)] == [True]


def test_words_in_a_language_that_nobody_here_can_check_are_not_kept_and_the_reply_names_help(world):
    world.say("UDWAYNE", "je veux mourir, je ne peux pas continuer")
    assert "988" in world.last["text"]
    assert "anglais" in world.last["text"]
    assert [exchange.question for exchange in rows(world, Exchange)] == [""]


def test_talk_to_a_person_tells_the_coaches_once_however_often_it_is_pressed(world):
    world.say("UROSA", "hola")
    for second in (1, 2):
        world.passed = timedelta(seconds=second)
        world.click("UROSA", "talk_to_a_person", "1")
    assert len(rows(world, Handoff)) == 1
    assert sum(message["channel"] == "CCOACH" for message in world.posted) == 1


def test_a_button_is_answered_with_its_card(world):
    world.say("UDWAYNE", "hello")
    world.click("UDWAYNE", "choose_card:0", "supports/child-care")
    assert "hild" in world.last["text"]
    assert rows(world, Exchange)[-1].cards == ["supports/child-care"]


def test_thumbs_down_asks_why_and_keeps_the_reason(world):
    world.say("UDWAYNE", "hello")
    world.click("UDWAYNE", "feedback", "down:1")
    world.click("UDWAYNE", "feedback_reason:unclear", "unclear:1")
    assert [(row.helpful, row.reason) for row in rows(world, Feedback)] == [(False, "unclear")]
    assert world.slack.calls("chat.postEphemeral")


def test_nobody_can_rate_an_answer_of_somebody_else(world):
    world.say("UROSA", "hola")
    world.say("UDWAYNE", "hello")
    world.click("UDWAYNE", "feedback", "up:1")
    assert rows(world, Feedback) == []


def test_numbers_that_must_not_be_stored_are_gone_before_anything_is_kept(world, monkeypatch):
    monkeypatch.setattr("bot.slack.listeners.work_through", lambda *_: None)
    world.say("UROSA", "my ssn is 123-45-6789 and my phone 312 555 0188, can I get tuition")
    kept = str(rows(world, InboxItem)[0].body)
    assert "6789" not in kept
    assert "0188" not in kept


def test_an_edit_is_kept_and_a_deletion_takes_the_words(world):
    ts = world.say("UDWAYNE", "what does a cook make")
    edited = {"user": "UDWAYNE", "ts": ts, "text": "what does a nurse make"}
    base = {"type": "message", "channel_type": "im", "channel": "DUDWAYNE"}
    world.deliver(base | {"subtype": "message_changed", "message": edited, "previous_message": {"text": "x"}}, "Ev-edit")
    assert [edit.question for edit in rows(world, QuestionEdit)] == ["what does a nurse make"]
    world.deliver(base | {"subtype": "message_deleted", "previous_message": edited}, "Ev-delete")
    assert rows(world, QuestionEdit) == []
    assert rows(world, Exchange)[0].question == ""


def test_danger_that_is_written_by_changing_a_message_is_answered_like_a_new_one_and_keeps_no_words(world):
    rosa = world.slack.as_user("UROSA")
    ts = world.say("UROSA", "what can I do next")
    rosa.edit(ts, "what can I do next, nobody would miss me")
    assert "988" in world.posted[-2]["text"]
    assert (world.last["channel"], world.last["text"][:6]) == ("CCOACH", "Urgent")
    assert [handoff.urgent for handoff in rows(world, Handoff)] == [True]
    rosa.edit(ts, "I meant: what comes after housekeeping")
    assert [exchange.question for exchange in rows(world, Exchange)] == ["", ""]
    assert rows(world, QuestionEdit) == []
    assert all(item.body == {} for item in rows(world, InboxItem))


def test_trouble_at_home_that_is_written_by_changing_a_message_is_answered_and_earlier_wordings_go(world):
    dwayne = world.slack.as_user("UDWAYNE")
    ts = world.say("UDWAYNE", "what does a cook make")
    dwayne.edit(ts, "what does a cook make an hour")
    dwayne.edit(ts, "my wife hits me")
    assert rows(world, Exchange)[-1].cards == ["supports/domestic-violence"]
    assert len(world.posted) == 2
    assert [exchange.question for exchange in rows(world, Exchange)] == ["", ""]
    assert rows(world, QuestionEdit) == []


def on_disk(database_url: str) -> bytes:
    """All that a copy of the database's files would hold."""
    file = Path(database_url.removeprefix("sqlite:///"))
    return b"".join(each.read_bytes() for each in file.parent.glob(f"{file.name}*"))


def test_the_words_of_a_deleted_message_are_gone_from_the_files_too(world, database_url):
    if not database_url.startswith("sqlite"):
        pytest.skip("what PostgreSQL keeps for a while is told in docs/postgresql.md")
    dwayne = world.slack.as_user("UDWAYNE")
    ts = world.say("UDWAYNE", "what does a zzqqxdel make")
    changed = world.say("UDWAYNE", "what does a kkwwvdel make")
    empty_the_log(world.desk.sessions)
    assert b"zzqqxdel" in on_disk(database_url)
    dwayne.delete(ts)
    dwayne.edit(changed, "I want to kill myself")
    empty_the_log(world.desk.sessions)
    for words in (b"zzqqxdel", b"kkwwvdel", b"kill myself"):
        assert words not in on_disk(database_url)


def test_someone_who_is_not_on_the_roster_is_told_where_to_ask_and_a_guest_is_ignored(world):
    world.say("UNOBODY", "how much is tuition")
    assert len(world.posted) == 1
    assert "roster" in world.last["text"]
    world.say("UGUEST", "hello")
    assert len(world.posted) == 1
    assert rows(world, Exchange) == []


def test_other_bots_are_never_answered(world):
    world.say("UROSA", "hello", bot_id="B2")
    assert world.posted == []


def test_home_shows_my_role_my_next_steps_and_a_person(world):
    world.deliver({"type": "app_home_opened", "user": "UROSA", "tab": "home", "channel": "DUROSA"}, "Ev-home")
    drawn = str(world.slack.as_user("UROSA").home)
    assert "Su carrera" in drawn
    assert "talk_to_a_person" in drawn


def test_a_manager_gets_manager_cards_and_an_employee_does_not(world):
    for user in ("UMARTA", "UDWAYNE"):
        world.say(user, "who on my team is due for a check in")
    first, second = rows(world, Exchange)
    assert first.cards[0] == "managers/team-status"
    assert not any(card.startswith("managers/") for card in second.cards)


def test_questions_in_a_thread_are_answered_in_the_thread(world):
    root = world.say("UDWAYNE", "hello")
    world.say("UDWAYNE", "what does a cook make", thread_ts=root)
    assert world.last["thread_ts"] == root


def test_the_roster_links_an_account_by_email_at_first_contact(world):
    world.say("UDWAYNE", "hello")
    person = next(person for person in rows(world, Person) if person.employee_id == "2")
    assert (person.slack_id, person.workspace) == ("UDWAYNE", WORKSPACE)


def test_none_of_the_choices_fits_so_a_person_is_offered(world):
    world.say("UDWAYNE", "hello")
    world.click("UDWAYNE", "choose_card:3", "none-of-these")
    assert "won't guess" in world.last["text"]
    assert "talk_to_a_person" in str(world.last["blocks"])
    assert rows(world, Exchange)[-1].question == "None of these"


def test_a_question_that_keeps_failing_goes_to_a_coach_and_the_employee_is_told(world, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(type(world.desk.answering), "reply", broken)
    world.say("UDWAYNE", "hello")
    for minutes in range(1, 6):
        assert world.posted == []
        world.passed = timedelta(minutes=minutes)
        sweep(world.desk)
        if world.posted:
            break
    to_coaches, to_dwayne = sorted(world.posted, key=lambda message: message["channel"])
    assert "a person will write to you" in to_dwayne["text"]
    assert "UDWAYNE" in to_coaches["text"]
    assert [handoff.reason for handoff in rows(world, Handoff)] == ["failed"]
    sweep(world.desk)
    assert len(world.posted) == 2


def test_a_message_of_forty_thousand_characters_is_answered(world):
    world.say("UDWAYNE", "so i was telling my sister " * 1500 + "what does a cook make")
    assert len(world.posted) == 1


def test_a_first_question_that_a_crash_left_behind_is_answered_though_the_account_was_not_linked_yet(world, monkeypatch):
    monkeypatch.setattr("bot.slack.listeners.work_through", lambda *_: None)  # the process died after the ack
    world.say("UDWAYNE", "hello")
    world.time_for_another_process()
    sweep(world.desk)
    assert len(world.posted) == 1


def test_a_first_question_while_slack_is_away_waits_for_slack(world):
    world.slack.fault("error", "users.info", times=20)
    world.say("UDWAYNE", "hello")
    for minutes in range(1, 9):
        world.passed = timedelta(minutes=minutes)
        sweep(world.desk)
    assert world.posted == []
    world.slack.web_api.journal.faults.clear()
    world.passed = timedelta(minutes=10)
    sweep(world.desk)
    assert len(world.posted) == 1
