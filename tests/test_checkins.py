"""Half a year of check-ins in the local Slack: planned, reminded, prepared, booked, confirmed by both, promised."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar
from slack_bolt import App
from sqlmodel import select

from bot.app import plan_checkins, send_checkins
from bot.services.checkins import plan
from bot.services.delivery import deliver_due
from bot.services.roster import import_roster
from bot.slack.checkins import register_accounts, register_checkins
from bot.slack.home import home_view
from bot.slack.listeners import register
from bot.slack.plans import register_plans
from storage.models import (
    Attention,
    Checkin,
    CheckinLine,
    CheckinPromise,
    CheckinReminder,
    Exchange,
    Goal,
    Handoff,
    ManagerDigest,
    OutboxItem,
    Person,
)
from tests.conftest import NOW, ROSTER, WORKSPACE, RunAtOnce

CHICAGO = ZoneInfo("America/Chicago")
SECRET = "xyzzy-nobody-may-see-this"


@pytest.fixture
def team(world):
    """The world with check-ins. Rosa works nights since March 1, Dwayne days since November 2; both report to Marta."""
    register_plans(world.app, world.desk, WORKSPACE)
    register_checkins(world.app, world.desk, WORKSPACE, world.desk.sender)
    for user in ("UROSA", "UDWAYNE"):
        world.say(user, "hi")
    return world


def go_to(world, moment):
    """The clock moves on from one thing that is due to the next, and looks five minutes later."""
    tick(world)
    while world.now() < moment:
        coming = [at for at in due_moments(world) if at > world.now()]
        world.passed = min(min(coming, default=moment) + timedelta(minutes=5), moment) - NOW
        tick(world)


def due_moments(world):
    columns = (Checkin.next_action_at, ManagerDigest.next_at, CheckinPromise.ask_at, OutboxItem.due_at)
    with world.desk.sessions() as session:
        found = [at for column in columns for at in session.exec(select(column).where(column.is_not(None)))]
        days = session.exec(select(Person.plan_checkin_on).where(Person.plan_checkin_on.is_not(None))).all()
    return found + [datetime.combine(each, datetime.min.time(), UTC) for each in days]


def tick(world):
    plan_checkins(world.desk)
    send_checkins(world.desk)
    deliver_due(world.desk.sessions, world.desk.sender, world.desk.clock)


def day(month, number, hour=18, year=2027):
    return datetime(year, month, number, hour, tzinfo=UTC)


def rows(world, kind, *conditions):
    with world.desk.sessions() as session:
        return session.exec(select(kind).where(*conditions).order_by(*kind.__table__.primary_key)).all()


def checkin_of(world, name):
    with world.desk.sessions() as session:
        mine = select(Checkin).join(Person, Person.id == Checkin.person_id).where(Person.first_name == name)
        return session.exec(mine.order_by(Checkin.planned_on)).first()


def texts(world, user):
    return [message["text"] for message in world.slack.as_user(user).from_app()]


def jump_to_dwaynes_day(world):
    """Dwayne's first check-in is planned for 1 February, 90 days after he was hired; this is the day after."""
    jump(world, day(1, 4))
    jump(world, day(2, 2, 23))


def jump_to_first_reminder(world):
    """Two weeks before, when the first message about it has just come."""
    jump(world, day(1, 4))
    jump(world, checkin_of(world, "Dwayne").next_action_at + timedelta(minutes=5))


def jump(world, moment):
    """Somebody looks only now."""
    world.passed = moment - NOW
    tick(world)


def test_everybody_gets_a_check_in_with_its_day_once_whatever_runs_twice(team):
    go_to(team, NOW + timedelta(hours=1))
    assert rows(team, Checkin) == [], "nobody is due in the next weeks"
    jump(team, day(1, 18))
    jump(team, day(1, 18))
    plan(team.desk.sessions, team.desk.answering.kb, day(1, 18) - timedelta(hours=1))
    assert (checkin_of(team, "Dwayne").planned_on, checkin_of(team, "Rosa").planned_on) == (
        date(2027, 2, 2),
        date(2027, 3, 2),
    )
    assert len(rows(team, Checkin)) == 2, "Marta has no manager on the roster"


def test_rosa_on_nights_is_reminded_before_her_shift_in_spanish_and_told_what_it_is(team):
    go_to(team, day(2, 20))
    messages = team.slack.as_user("UROSA").from_app()
    reminder = messages[-1]
    assert "se acerca su plática de carrera" in reminder["text"].lower()
    at = datetime.fromtimestamp(float(reminder["ts"]), CHICAGO)
    assert (at.date(), 17 <= at.hour < 21) == (date(2027, 2, 16), True)
    assert len([text for text in texts(team, "UROSA") if "plática de carrera" in text]) == 1


def test_dwayne_gets_three_reminders_and_marta_one_message_a_week(team):
    go_to(team, day(2, 4))
    ours = [text for text in texts(team, "UDWAYNE") if "check-in" in text]
    assert ["comes up" in ours[0], "is close" in ours[1], "take place" in ours[2], len(ours)] == [True, True, True, 3]
    digests = [text for text in texts(team, "UMARTA") if "in your team this week" in text]
    assert digests
    weeks = [row.key for row in rows(team, OutboxItem, OutboxItem.key.like("digest:%"))]
    assert len(weeks) == len(set(weeks)) == len(digests)


def test_after_an_outage_old_reminders_are_noted_not_sent_in_a_burst(team):
    jump(team, day(1, 4))
    before = len(texts(team, "UDWAYNE"))
    jump(team, day(2, 3, 20))
    assert len(texts(team, "UDWAYNE")) == before + 1
    assert "take place" in texts(team, "UDWAYNE")[-1]
    outcomes = {row.step: row.outcome for row in rows(team, CheckinReminder)}
    assert outcomes == {"prepare": "too-late", "soon": "too-late", "ask": "queued"}


def test_a_clock_that_goes_back_repeats_nothing(team):
    jump_to_dwaynes_day(team)
    count = len(texts(team, "UDWAYNE"))
    kb, desk = team.desk.answering.kb, team.desk
    for back in (timedelta(hours=1), timedelta(days=1)):
        plan(desk.sessions, kb, team.now() - back)
        send_checkins(desk)
        tick(team)
    assert len(texts(team, "UDWAYNE")) == count


def test_it_counts_only_when_both_say_so(team):
    jump_to_dwaynes_day(team)
    number = checkin_of(team, "Dwayne").id
    team.click("UDWAYNE", "checkin:yes:0", f"yes:{number}")
    assert checkin_of(team, "Dwayne").state == "planned"
    assert "one thing you will do" in texts(team, "UDWAYNE")[-1]
    team.click("UMARTA", "checkin:menu:1", f"yes:{number}")
    assert checkin_of(team, "Dwayne").state == "held"


def test_different_answers_go_to_the_coach_and_never_to_the_other_side(team):
    jump_to_dwaynes_day(team)
    number = checkin_of(team, "Dwayne").id
    before = len(texts(team, "UDWAYNE"))
    team.click("UMARTA", "checkin:menu:1", f"yes:{number}")
    team.click("UDWAYNE", "checkin:no:0", f"no:{number}")
    assert checkin_of(team, "Dwayne").state == "disputed"
    assert [row.reason for row in rows(team, Attention) if row.reason] == ["checkin-disputed"]
    assert len(texts(team, "UDWAYNE")) == before + 1, "only the answer to his own press"
    with team.desk.sessions() as session:
        marta = session.exec(select(Person).where(Person.first_name == "Marta")).one()
    team_view = str(home_view(team.desk, marta))
    assert "you have answered" in team_view
    assert "disputed" not in team_view
    team.click("UDWAYNE", "checkin:yes:0", f"yes:{number}")
    assert checkin_of(team, "Dwayne").state == "held"
    assert [row.reason for row in rows(team, Attention) if row.reason] == [], "settled: nobody has to look any more"


def test_both_say_no_and_a_new_day_is_set(team):
    jump_to_dwaynes_day(team)
    number = checkin_of(team, "Dwayne").id
    team.click("UDWAYNE", "checkin:no:0", f"no:{number}")
    team.click("UMARTA", "checkin:menu:1", f"no:{number}")
    again = checkin_of(team, "Dwayne")
    assert (again.id, again.state, again.employee_said) == (number, "planned", "")
    assert again.planned_on >= team.now().date() + timedelta(days=7)


def test_nobody_confirms_and_after_four_weeks_a_coach_hears_of_it(team):
    jump_to_dwaynes_day(team)
    go_to(team, day(3, 3, 23))
    assert [row.reason for row in rows(team, Attention) if row.reason] == ["checkin-overdue"]
    go_to(team, day(4, 1, 23))
    assert checkin_of(team, "Dwayne").state == "missed"


def test_a_time_is_suggested_accepted_put_into_the_calendar_and_changed(team):
    jump_to_first_reminder(team)
    number = checkin_of(team, "Dwayne").id
    dwayne, marta = team.slack.as_user("UDWAYNE"), team.slack.as_user("UMARTA")
    dwayne.click("Suggest a time")
    options = next(block for block in dwayne.modal["blocks"] if block.get("block_id") == "times")["element"]["options"]
    dwayne.submit({"times|value": [options[0]["value"], options[1]["value"]]})
    tick(team)
    assert "Dwayne suggests a time" in marta.last["text"]
    marta.click(options[1]["text"]["text"])
    booked = checkin_of(team, "Dwayne")
    assert (booked.state, booked.slot_at) == ("booked", datetime.fromisoformat(options[1]["value"]))
    assert "It is set" in marta.last["text"]
    tick(team)
    assert "It is set" in dwayne.last["text"]
    dwayne.click("Add to my calendar")
    file = list(team.slack.workspace.files.values())[-1]
    calendar = Calendar.from_ical(file.content)
    event = calendar.walk("VEVENT")[0]
    assert (str(calendar["METHOD"]), event["DTSTART"].dt, str(event["STATUS"])) == ("REQUEST", booked.slot_at, "CONFIRMED")
    uid, sequence = str(event["UID"]), int(event["SEQUENCE"])
    dwayne.click("This time does not suit me")
    tick(team)
    assert "is off" in marta.last["text"]
    marta.click("Add to my calendar")
    calendar = Calendar.from_ical(list(team.slack.workspace.files.values())[-1].content)
    event = calendar.walk("VEVENT")[0]
    assert (str(calendar["METHOD"]), str(event["STATUS"]), str(event["UID"])) == ("CANCEL", "CANCELLED", uid)
    assert int(event["SEQUENCE"]) > sequence
    assert checkin_of(team, "Dwayne").id == number


def test_two_people_can_not_have_the_same_hour_of_one_manager(team):
    jump(team, day(1, 19, 20))
    with team.desk.sessions() as session:
        rosa = session.exec(select(Person).where(Person.first_name == "Rosa")).one()
        dwayne = session.exec(select(Checkin).where(Checkin.person_id != rosa.id)).one()
        other = session.exec(select(Checkin).where(Checkin.person_id == rosa.id)).one()
        slot = datetime(2027, 2, 2, 16, 0, tzinfo=UTC)
        for checkin in (dwayne, other):
            checkin.offered, checkin.offered_by = [slot.isoformat()], "manager"
            session.add(checkin)
        session.commit()
    team.click("UDWAYNE", "checkin:accept:0", f"accept:{dwayne.id}:{slot.isoformat()}")
    team.click("UROSA", "checkin:accept:0", f"accept:{other.id}:{slot.isoformat()}")
    assert checkin_of(team, "Dwayne").slot_at == slot
    assert checkin_of(team, "Rosa").slot_at is None
    assert "ya está ocupada" in texts(team, "UROSA")[-1]


def test_snooze_fewer_and_stop_are_one_tap_and_honoured(team):
    jump_to_first_reminder(team)
    dwayne = team.slack.as_user("UDWAYNE")
    first = [text for text in texts(team, "UDWAYNE") if "comes up" in text]
    dwayne.click("Remind me in a week")
    go_to(team, day(1, 27))
    assert len([text for text in texts(team, "UDWAYNE") if "comes up" in text]) == len(first) + 1
    dwayne.click("Stop reminders")
    count = len(texts(team, "UDWAYNE"))
    go_to(team, day(2, 12))
    assert len(texts(team, "UDWAYNE")) == count
    assert "stopped" in {row.outcome for row in rows(team, CheckinReminder)}


def test_skip_needs_a_reason_and_the_employees_reason_stays_private(team):
    jump_to_dwaynes_day(team)
    dwayne = team.slack.as_user("UDWAYNE")
    dwayne.click("Not this time")
    dwayne.submit({"reason|value": "leaving"})
    skipped = checkin_of(team, "Dwayne")
    assert (skipped.state, skipped.skip_reason, skipped.skipped_by) == ("skipped", "leaving", "employee")
    go_to(team, day(2, 10))
    assert not any("leaving" in text.lower() for text in texts(team, "UMARTA"))


def test_a_promise_is_asked_about_a_month_later(team):
    jump_to_dwaynes_day(team)
    number = checkin_of(team, "Dwayne").id
    team.click("UDWAYNE", "checkin:yes:0", f"yes:{number}")
    dwayne = team.slack.as_user("UDWAYNE")
    dwayne.click("Write down what I will do")
    dwayne.submit({"text|value": "Ask about the phlebotomy course"})
    go_to(team, day(3, 5, 23))
    assert "Ask about the phlebotomy course" in dwayne.last["text"]
    dwayne.click("In part")
    assert "Small steps count" in dwayne.last["text"]


def test_danger_in_a_preparation_or_a_promise_is_answered_at_once_and_its_words_are_kept_nowhere(team):
    jump_to_first_reminder(team)
    dwayne = team.slack.as_user("UDWAYNE")
    dwayne.click("Choose what to talk about")
    dwayne.submit(
        {
            "topic0|value": "next-job",
            "text0|value": "I would like to draw blood",
            "topic1|value": "in-the-way",
            "text1|value": "I want to kill myself",
            "share1|value": ["share"],
        }
    )
    assert [line.text for line in rows(team, CheckinLine)] == ["I would like to draw blood"]
    assert "988" in dwayne.last["text"]
    assert [handoff.urgent for handoff in rows(team, Handoff)] == [True]
    assert team.last["channel"] == "CCOACH"
    number, before = checkin_of(team, "Dwayne").id, len(dwayne.from_app())
    team.click("UDWAYNE", "checkin:promise:0", f"promise:{number}")
    dwayne.submit({"text|value": "I will end my life"})
    assert rows(team, CheckinPromise) == []
    assert len(dwayne.from_app()) == before + 1
    assert "988" in dwayne.last["text"]
    assert "my" not in str([exchange.question for exchange in rows(team, Exchange)[-2:]])


def test_a_manager_change_moves_the_check_in_over(team, tmp_path):
    jump(team, day(1, 19))
    roster = tmp_path / "new.csv"
    roster.write_text(ROSTER.replace("2026-11-02,en,3", "2026-11-02,en,1"))
    import_roster(team.desk.sessions, WORKSPACE, roster, team.desk.answering.kb.roles, team.now())
    tick(team)
    with team.desk.sessions() as session:
        rosa = session.exec(select(Person).where(Person.first_name == "Rosa")).one()
    assert checkin_of(team, "Dwayne").manager_id == rosa.id
    team.click("UMARTA", "checkin:menu:1", f"yes:{checkin_of(team, 'Dwayne').id}")
    assert checkin_of(team, "Dwayne").manager_said == "", "it is not Marta's any more"


def dwayne_moves_to_rosa(team, tmp_path):
    """HR's file says it; nobody has looked at his check-in yet."""
    roster = tmp_path / "new.csv"
    roster.write_text(ROSTER.replace("2026-11-02,en,3", "2026-11-02,en,1"))
    import_roster(team.desk.sessions, WORKSPACE, roster, team.desk.answering.kb.roles, team.now())


def prepare_and_share(team, words):
    team.click("UDWAYNE", "checkin:prepare:0", f"prepare:{checkin_of(team, 'Dwayne').id}")
    team.slack.as_user("UDWAYNE").submit({"topic0|value": "other", "text0|value": words, "share0|value": ["share"]})


def share_a_goal(team):
    team.click("UDWAYNE", "choose_goal:0", "roles/phlebotomist")
    (goal,) = rows(team, Goal)
    team.click("UDWAYNE", "plan_goal:0", f"share:{goal.id}")


def sees(team, user, words):
    """In the guide to Dwayne's check-in, or in the Home tab."""
    manager = team.slack.as_user(user)
    team.click(user, "checkin:menu:1", f"guide:{checkin_of(team, 'Dwayne').id}")
    manager.open_home()
    return words in f"{manager.modal} {manager.home}"


def test_what_was_shared_with_one_manager_does_not_show_to_the_next(team, tmp_path):
    jump_to_first_reminder(team)
    prepare_and_share(team, "I want to get away from the night unit")
    share_a_goal(team)
    assert sees(team, "UMARTA", "night unit")
    assert sees(team, "UMARTA", "Goal: Phlebotomist")
    dwayne_moves_to_rosa(team, tmp_path)
    assert not sees(team, "UROSA", "night unit"), "before anybody has looked at the check-in"
    assert not sees(team, "UROSA", "Meta: ")
    tick(team)
    assert not sees(team, "UROSA", "night unit")
    assert not sees(team, "UROSA", "Meta: ")
    go_to(team, team.now() + timedelta(days=1))
    assert "with Rosa" in texts(team, "UDWAYNE")[-1], "he is asked again, for the new manager"
    prepare_and_share(team, "I like the mornings")
    assert sees(team, "UROSA", "I like the mornings")


def test_the_last_manager_learns_nothing_more(team, tmp_path):
    jump_to_dwaynes_day(team)
    number = checkin_of(team, "Dwayne").id
    prepare_and_share(team, "I like the mornings")
    team.click("UDWAYNE", "checkin:yes:0", f"yes:{number}")
    team.click("UMARTA", "checkin:menu:1", f"yes:{number}")
    dwayne_moves_to_rosa(team, tmp_path)
    share_a_goal(team)
    team.click("UMARTA", "checkin:menu:1", f"guide:{number}")
    assert team.slack.as_user("UMARTA").modal is None, "the check-in was hers, Dwayne is not any more"


def test_the_guide_closes_with_the_check_in(team):
    jump_to_dwaynes_day(team)
    number = checkin_of(team, "Dwayne").id
    prepare_and_share(team, "I like the mornings")
    for user in ("UDWAYNE", "UMARTA"):
        team.click(user, "checkin:menu:1", f"yes:{number}")
    assert checkin_of(team, "Dwayne").state == "held"
    team.click("UMARTA", "checkin:menu:1", f"guide:{number}")
    assert team.slack.as_user("UMARTA").modal is None
    assert "closed already" in texts(team, "UMARTA")[-1]


def test_a_form_that_names_the_last_manager_shares_nothing_with_the_new_one(team, tmp_path):
    jump_to_first_reminder(team)
    number = checkin_of(team, "Dwayne").id
    dwayne = team.slack.as_user("UDWAYNE")
    team.click("UDWAYNE", "checkin:prepare:0", f"prepare:{number}")
    dwayne_moves_to_rosa(team, tmp_path)
    tick(team)
    dwayne.submit({"topic0|value": "other", "text0|value": "For Marta alone", "share0|value": ["share"]})
    assert [(line.text, line.shared) for line in rows(team, CheckinLine)] == [("For Marta alone", False)]
    assert "Only you see it" in texts(team, "UDWAYNE")[-1]


def test_a_leave_pauses_and_a_return_resumes_two_weeks_later(team, tmp_path):
    jump(team, day(1, 19))
    roster = tmp_path / "new.csv"
    header, *lines = ROSTER.strip().splitlines()
    for status, moment in (("leave", day(1, 20)), ("active", day(3, 1))):
        text = "\n".join(
            [header + ",status", *(line + ("," + status if line.startswith("2,") else ",active") for line in lines)]
        )
        roster.write_text(text + "\n")
        import_roster(team.desk.sessions, WORKSPACE, roster, team.desk.answering.kb.roles, moment)
        jump(team, moment)
        assert checkin_of(team, "Dwayne").state == {"leave": "paused", "active": "planned"}[status]
    assert checkin_of(team, "Dwayne").planned_on >= date(2027, 3, 15)
    assert not any("take place" in text for text in texts(team, "UDWAYNE"))


def test_who_has_left_is_out_of_everything_at_once(team, tmp_path):
    jump(team, day(1, 19))
    roster = tmp_path / "new.csv"
    header, *lines = ROSTER.strip().splitlines()
    text = "\n".join(
        [header + ",status", *(line + (",terminated" if line.startswith("2,") else ",active") for line in lines)]
    )
    roster.write_text(text + "\n")
    import_roster(team.desk.sessions, WORKSPACE, roster, team.desk.answering.kb.roles, team.now())
    count = len(texts(team, "UDWAYNE"))
    go_to(team, day(2, 10))
    assert checkin_of(team, "Dwayne").state == "cancelled"
    assert len(texts(team, "UDWAYNE")) == count
    assert not any("Dwayne" in text for text in texts(team, "UMARTA"))


def test_nobody_can_press_on_a_check_in_that_is_not_theirs(team):
    jump_to_dwaynes_day(team)
    number = checkin_of(team, "Dwayne").id
    for value in (f"yes:{number}", f"cancel:{number}", f"snooze:{number}", "yes:abc", "yes:99999"):
        team.click("UROSA", "checkin:yes:0", value)
    assert checkin_of(team, "Dwayne").employee_said == ""
    assert checkin_of(team, "Dwayne").manager_said == ""


def test_dnd_is_respected(team):
    jump(team, day(1, 4))
    team.slack.workspace.users["UDWAYNE"].dnd = True
    jump(team, checkin_of(team, "Dwayne").next_action_at + timedelta(minutes=5))
    assert not any("comes up" in text for text in texts(team, "UDWAYNE"))
    team.slack.workspace.users["UDWAYNE"].dnd = False
    go_to(team, team.now() + timedelta(days=5))
    assert any("comes up" in text for text in texts(team, "UDWAYNE"))


def test_a_reminder_that_can_not_be_delivered_goes_to_the_coaches_list(team):
    with team.desk.sessions() as session:
        dwayne = session.exec(select(Person).where(Person.first_name == "Dwayne")).one()
        dwayne.slack_id = "U0GONE"
        session.commit()
    jump_to_first_reminder(team)
    tick(team)
    assert [row.reason for row in rows(team, Attention) if row.reason] == ["not-reached"]


def test_nothing_private_can_reach_the_manager(team):
    """Dwayne writes a secret into every private place, then everything that a manager can see or be sent is searched."""
    jump_to_first_reminder(team)
    dwayne, marta = team.slack.as_user("UDWAYNE"), team.slack.as_user("UMARTA")
    dwayne.click("Choose what to talk about")
    dwayne.submit(
        {
            "topic0|value": "next-job",
            "text0|value": "I would like to draw blood",
            "share0|value": ["share"],
            "topic1|value": "in-the-way",
            "text1|value": f"{SECRET} my manager",
            "topic2|value": "hours",
            "text2|value": f"{SECRET} hours",
        }
    )
    team.say("UDWAYNE", f"{SECRET} in a chat")
    number = checkin_of(team, "Dwayne").id
    team.click("UDWAYNE", "choose_goal:0", "roles/phlebotomist")
    go_to(team, day(2, 3, 23))
    team.click("UDWAYNE", "checkin:no:0", f"no:{number}")
    team.click("UDWAYNE", "checkin:promise:0", f"promise:{number}")
    dwayne.submit({"text|value": f"{SECRET} promise"})
    with team.desk.sessions() as session:
        for line in session.exec(select(CheckinLine)):
            assert line.shared == (SECRET not in line.text)
    marta.open_home()
    for verb in ("guide", "times", "skip", "promise"):
        team.click("UMARTA", "checkin:menu:1", f"{verb}:{number}")
        if verb == "guide":
            guide = str(marta.modal)
            assert "I would like to draw blood" in guide
            assert "Phlebotomist" not in str(marta.modal["blocks"][:2]), "the goal is not shared"
    team.click("UMARTA", "checkin:menu:1", f"yes:{number}")
    go_to(team, day(3, 8, 23))
    marta.open_home()
    seen = [str(marta.messages()), str(marta.home)]
    channel = marta.channel.id
    for call in team.slack.calls():
        to = {call.arguments.get("channel"), call.arguments.get("user_id"), call.arguments.get("users")}
        triggers = str(call.arguments.get("trigger_id", ""))
        if to & {channel, "UMARTA"} or (call.method.startswith("views.") and "UMARTA" in str(call.answer) + triggers):
            seen.append(str(call.arguments))
    with team.desk.sessions() as session:
        marta_row = session.exec(select(Person).where(Person.first_name == "Marta")).one()
        seen += [str(row.payload) for row in session.exec(select(OutboxItem)) if row.channel in (channel, "UMARTA")]
    seen.append(str(home_view(team.desk, marta_row)))
    everything = " ".join(seen)
    assert "Dwayne" in everything, "the search looks at the right places"
    assert SECRET not in everything
    assert "employee_said" not in everything


def test_another_persons_guide_does_not_open(team):
    jump_to_dwaynes_day(team)
    number = checkin_of(team, "Dwayne").id
    team.click("UROSA", "checkin:menu:1", f"guide:{number}")
    assert team.slack.as_user("UROSA").modal is None


def test_slack_accounts_are_followed_when_they_are_deactivated_or_move(team):
    app = App(
        client=team.app.client,
        token_verification_enabled=False,
        request_verification_enabled=False,
        listener_executor=RunAtOnce(),
    )
    register_accounts(app, team.desk, WORKSPACE)
    register(app, team.desk, WORKSPACE)
    team.slack.delivery.app = app
    team.slack.as_user("UDWAYNE").changed_profile(tz="America/Denver")
    (dwayne,) = rows(team, Person, Person.first_name == "Dwayne")
    assert (dwayne.zone, dwayne.on_slack) == ("America/Denver", True)
    team.slack.as_user("UDWAYNE").changed_profile(deleted=True)
    (dwayne,) = rows(team, Person, Person.first_name == "Dwayne")
    assert dwayne.on_slack is False
    jump(team, day(1, 4))
    go_to(team, day(1, 20))
    assert [row.reason for row in rows(team, Attention) if row.reason] == ["not-reached"]
