"""A coach's day, through the same doors as people: Slack on one side, the console's pages on the other."""

import html
import re
from datetime import timedelta

import pytest
from sqlmodel import select

from bot.domain.attention import LEVELS
from bot.services.audit import record
from bot.services.escalating import escalate
from bot.services.inbox import sweep
from storage.models import Attention, AuditEntry, CoachMessage, Conversation, Exchange, Handoff, OutboxItem
from tests.conftest import WORKSPACE
from tests.console_world import Console, console_of, later  # noqa: F401  console_of is the fixture


def said_to(console: Console, slack_id: str) -> list[str]:
    channel = console.world.slack.workspace.direct_message(slack_id)
    return [message["text"] for message in channel.messages if message.get("bot_id")]


def in_inbox(page: str) -> list[str]:
    """The names in the list, in order."""
    return [html.unescape(name) for name in re.findall(r'<b class="name">(.*?)</b>', page)]


# --- inbox -------------------------------------------------------------------------------------------------------


def test_danger_comes_first_then_who_waits_longest_then_what_went_wrong(console):
    console.world.say("UMARTA", "what is the weather like on sunday")
    later(console, minutes=1)
    console.world.say("UDWAYNE", "please, I want to talk to a real person")
    later(console, minutes=1)
    console.world.say("UROSA", "ya no quiero vivir")
    reasons = {row.person_id: row.reason for row in console.rows(Attention)}
    assert reasons == {
        console.person("rosa").id: "danger",
        console.person("dwayne").id: "waiting",
        console.person("marta").id: "abstained",
    }
    names = in_inbox(console.as_("carmen").page("/inbox"))
    assert names[:2] == ["Rosa Delgado", "Dwayne Ellis"]
    assert "Marta" not in names[2], "she did not ask for anybody"


def test_an_ordinary_good_answer_needs_nobody(console):
    console.world.say("UDWAYNE", "hello")
    assert [row.level for row in console.rows(Attention)] == [LEVELS[""]]
    assert "Nobody needs you" in console.as_("carmen").page("/inbox")


def test_a_thumb_down_brings_a_conversation_up_and_a_thumb_up_takes_it_back(console):
    console.world.say("UDWAYNE", "hello")
    console.world.click("UDWAYNE", "feedback", "down:1")
    assert console.rows(Attention)[0].reason == "thumbs-down"
    console.world.click("UDWAYNE", "feedback", "up:1")
    assert console.rows(Attention)[0].reason == ""


def test_filters_search_and_saved_views(console):
    console.world.say("UROSA", "cuánto cuesta estacionar mi bicicleta de montaña azul")
    console.world.say("UDWAYNE", "please, I want to talk to a real person")
    browser = console.as_("carmen")
    assert len(in_inbox(browser.page("/inbox?language=es&reason=everything"))) == 1
    assert len(in_inbox(browser.page("/inbox?site=west"))) == 1
    assert len(in_inbox(browser.page("/inbox?words=BICICLETA montana"))) == 1, "without accents, in any case"
    assert len(in_inbox(browser.page("/inbox?words=bicicl"))) == 1, "the last word may be a beginning"
    assert len(in_inbox(browser.page("/inbox?whose=mine&reason=everything"))) == 0
    assert in_inbox(browser.page("/inbox?since=2027-01-01&reason=everything")) == []
    for strange in (
        'words="',
        "words=a+OR+*",
        "words=NEAR(",
        "after=x",
        "after=1_2",
        "after=1e99_1_1",
        "since=never",
        "words=%00",
    ):
        browser.page(f"/inbox?{strange}")
    browser.post("/inbox/filters", name="Spanish", view="language=es&reason=everything&evil=1")
    page = browser.page("/inbox")
    assert 'href="/inbox?language=es&amp;reason=everything">Spanish</a>' in page
    assert "Spanish</a>" not in console.as_("ben").page("/inbox"), "a view is its owner's"


def test_the_list_goes_on_page_by_page_without_losing_or_repeating_anybody(console, monkeypatch):
    monkeypatch.setattr("bot.services.coach_inbox.PAGE", 2)
    for _ in range(5):
        console.world.say("UDWAYNE", "what is the weather like on sunday")
        later(console, hours=24)
    browser = console.as_("carmen")
    for view in ("/inbox", "/inbox?reason=everything"):
        seen, address = [], view
        while address:
            page = browser.page(address)
            seen += re.findall(r"/conversations/(\d+)\"", page)
            following = re.search(r'href="(/inbox\?[^"]*after=[^"]+)"', page)
            address = html.unescape(following.group(1)) if following else ""
        assert len(seen) == len(set(seen)) == 5


def test_counts_come_by_themselves_as_a_piece_of_the_page(console):
    console.world.say("UDWAYNE", "please, I want to talk to a real person")
    piece = console.as_("carmen").get("/inbox/counts", headers={"HX-Request": "true"}).text
    assert "<html" not in piece
    assert re.search(r"Waiting for a person</span> <b>1</b>", piece)


# --- names -------------------------------------------------------------------------------------------------------


def test_the_name_is_hidden_until_she_asks_for_a_coach_and_learning_it_needs_a_reason(console):
    console.world.say("UROSA", "soy Rosa Delgado, qué tiempo hace el domingo")
    browser = console.as_("carmen")
    page = browser.page("/conversations/1")
    assert "Rosa" not in page
    assert "Delgado" not in page
    assert "[name]" in page
    browser.post("/conversations/1/reveal", reason="why")
    assert "Rosa" not in browser.page("/conversations/1"), "that was no reason"
    browser.post("/conversations/1/reveal", reason="She asked the weather and may need a call")
    assert "Rosa Delgado" in browser.page("/conversations/1")
    assert "Rosa" not in console.as_("ben").page("/conversations/1"), "another coach has given no reason"


def test_once_she_asks_for_a_person_coaches_see_who_she_is(console):
    console.world.say("UROSA", "quiero hablar con una persona de verdad")
    assert "Rosa Delgado" in console.as_("carmen").page("/conversations/1")


def test_opening_is_written_down_once_and_she_can_see_it(console):
    console.world.say("UROSA", "qué tiempo hace el domingo")
    browser = console.as_("carmen")
    for _ in range(3):
        browser.page("/conversations/1")
    later(console, minutes=31)
    console.as_("ben").page("/conversations/1")
    opened = [(entry.actor_id, entry.reason) for entry in console.rows(AuditEntry) if entry.act == "opened"]
    assert opened == [(console.person("carmen").id, "abstained"), (console.person("ben").id, "abstained")]
    console.world.click("UROSA", "privacy_readers", "mine")
    told = console.world.slack.workspace.direct_message("UROSA").messages[-1]["text"]
    assert "Carmen Coach" in told
    assert "Ben Coach" in told


def test_a_chat_that_asks_for_nobody_is_opened_only_for_a_reason(console):
    console.world.say("UDWAYNE", "hello there")
    browser = console.as_("carmen")
    asked = browser.get("/conversations/1").text
    assert "Why do you open this chat?" in asked
    assert "hello there" not in asked
    browser.post("/conversations/1/open", reason="Checking greetings after the update")
    assert "hello there" in browser.page("/conversations/1")
    assert console.rows(AuditEntry)[-1].reason == "Checking greetings after the update"


@pytest.mark.parametrize(("who", "slack_id"), [("rosa", "UROSA"), ("dwayne", "UDWAYNE")])
def test_whoever_gets_a_copy_or_takes_on_the_chat_is_shown_to_the_employee_too(console, who, slack_id):
    words = {"rosa": "quiero hablar con una persona de verdad", "dwayne": "please, I want to talk to a real person"}[who]
    console.world.say(slack_id, words)
    person = console.person(who).id
    for _ in range(3):
        console.world.click(slack_id, "privacy_readers", "mine")
    nobody = console.world.slack.workspace.direct_message(slack_id).messages[-1]["text"]
    assert "Coach" not in nobody
    assert words in console.as_("ben").post(f"/people/{person}/export", reason="Lawsuit <b> & inquiry").text
    console.world.click("UCARMEN", "claim_handoff", "1")
    with console.world.desk.sessions() as session:
        by_command = {"workspace": WORKSPACE, "subject_id": person, "reason": "asked for on the operator's command line"}
        record(session, None, "exported", console.world.desk.clock(), **by_command)
        session.commit()
    console.world.click(slack_id, "privacy_export", "mine")
    console.world.click(slack_id, "privacy_readers", "mine")
    told = console.world.slack.workspace.direct_message(slack_id).messages[-1]["text"].splitlines()
    told = {words.partition(" 2026")[0]: words.partition("2026")[2] for words in told}
    expected = {
        "rosa": ["El equipo técnico de Trellis sacó una copia", "Carmen Coach se encargó", "Ben Coach sacó una copia"],
        "dwayne": ["The people who run Trellis made a copy", "Carmen Coach took over", "Ben Coach made a copy"],
    }[who]
    assert len(told) == 4, "the copy that they fetched themselves is not there"
    for line, beginning in zip([*told][1:], expected, strict=True):
        assert line.startswith(f"• {beginning}")
    assert "Lawsuit &lt;b&gt; &amp; inquiry" in [*told.values()][-1]
    copy = console.as_("ben").post(f"/people/{person}/export", reason="Lawsuit <b> & inquiry").text
    assert all(beginning in copy for beginning in expected)


def test_many_other_acts_do_not_push_an_opening_out_of_what_the_employee_can_read(console):
    console.world.say("UROSA", "qué tiempo hace el domingo")
    rosa = console.person("rosa")
    console.as_("carmen").page("/conversations/1")
    with console.world.desk.sessions() as session:
        for _ in range(250):
            record(session, console.person("carmen"), "noted", console.world.desk.clock(), subject_id=rosa.id)
        session.commit()
    console.world.click("UROSA", "privacy_readers", "mine")
    assert "Carmen Coach abrió su chat" in console.world.slack.workspace.direct_message("UROSA").messages[-1]["text"]


def test_a_reason_of_one_word_is_shown_as_well(console):
    console.world.say("UDWAYNE", "hello there")
    console.as_("carmen").post("/conversations/1/open", reason="Curiosity")
    console.world.click("UDWAYNE", "privacy_readers", "mine")
    assert "Reason given: Curiosity" in console.world.slack.workspace.direct_message("UDWAYNE").messages[-1]["text"]


def test_numbers_and_patients_are_gone_from_reasons_before_they_are_kept_for_good(console):
    console.world.say("UDWAYNE", "hello there")
    dwayne, reason = console.person("dwayne"), "his SSN is 123-45-6789, patient John Smith"
    ben = console.as_("ben")
    ben.post("/conversations/1/open", reason=reason)
    ben.post("/conversations/1/reveal", reason=reason)
    ben.post(f"/people/{dwayne.id}/export", reason=reason)
    ben.post(f"/people/{dwayne.id}/erase", name="Dwayne Ellis", reason=reason)
    kept = [entry.reason for entry in console.rows(AuditEntry) if entry.reason]
    assert len(kept) == 4
    assert not any("6789" in words or "Smith" in words for words in kept)


def test_nobody_gets_round_the_reason_by_taking_the_chat_for_oneself(console):
    console.world.say("UDWAYNE", "hello there")
    browser, carmen = console.as_("carmen"), console.person("carmen").id
    for act, fields in (("assign", {"to": str(carmen)}), ("claim", {}), ("snooze", {"until": "2026-11-24T15:00:00+00:00"})):
        browser.post(f"/conversations/1/{act}", **fields)
        assert "hello there" not in browser.page("/conversations/1"), act
    assert [entry.act for entry in console.rows(AuditEntry)] == ["signed in", "snoozed"]
    assert len(said_to(console, "UDWAYNE")) == 1, "he was not told that somebody is there"
    browser.post("/conversations/1/open", reason="Checking greetings after the update")
    browser.post("/conversations/1/assign", to=str(carmen))
    later(console, minutes=31)
    assert "hello there" not in console.as_("carmen").page("/conversations/1"), "what she gave herself is no reason later"


def test_a_chat_that_a_lead_gives_away_for_a_reason_is_opened_by_the_coach_it_is_given_to(console):
    console.world.say("UDWAYNE", "hello there")
    ben, carmen = console.as_("ben"), console.person("carmen").id
    ben.post("/conversations/1/assign", to=str(carmen))
    assert console.rows(Attention)[0].assigned_to is None, "the lead has said no reason yet"
    ben.post("/conversations/1/open", reason="His supervisor asked us to call him")
    ben.post("/conversations/1/assign", to=str(carmen))
    assert "hello there" in console.as_("carmen").page("/conversations/1")


@pytest.mark.parametrize("access", ["coach", "lead"])
def test_a_manager_who_is_also_a_coach_never_meets_the_people_who_report_to_her(console, access):
    world = console.world
    with world.desk.sessions() as session:
        session.merge(console.person("marta")).access = access
        session.commit()
    assert console.person("rosa").manager_id == console.person("marta").id
    world.say("UROSA", "quiero hablar con una persona de verdad")
    rosa, marta = console.person("rosa").id, console.person("marta").id
    browser = console.as_("marta")
    for view in ("/inbox", "/inbox?reason=everything", "/inbox?words=persona", "/inbox/counts"):
        page = browser.page(view)
        assert in_inbox(page) == []
        assert "Waiting for a person</span> <b>1</b>" not in page
    for address in ("/conversations/1", "/handoffs/1"):
        assert browser.client.get(address, follow_redirects=True).status_code == 404
    assert browser.post("/conversations/1/open", reason="a good long reason").status_code == 404
    assert browser.post("/conversations/1/reveal", reason="a good long reason").status_code == 404
    assert browser.post("/conversations/1/notes", words="x").status_code == 404
    browser.post("/conversations/1/claim")
    world.click("UMARTA", "claim_handoff", "1")
    assert console.rows(Handoff)[0].state == "waiting"
    console.as_("ben").post("/conversations/1/assign", to=str(marta))
    assert console.rows(Attention)[0].assigned_to is None
    if access == "lead":
        assert "Delgado" not in browser.page("/people?words=Rosa")
        assert browser.get(f"/people/{rosa}").status_code == 404
        assert browser.post(f"/people/{rosa}/export", reason="just looking").status_code == 404
        console.as_("carmen").page("/conversations/1")
        assert f"person {rosa}" not in browser.page("/audit")
    later(console, hours=5)
    escalate(world.desk)
    assert f"escalated:1:{marta}" not in {item.key for item in console.rows(OutboxItem)}
    console.as_("marta").post("/conversations/1/resolve")
    assert console.rows(Handoff)[0].state == "waiting"


def test_the_log_can_not_be_changed_even_by_the_program(console):
    from sqlalchemy import delete, update
    from sqlalchemy.exc import DBAPIError

    console.as_("carmen")
    for statement in (update(AuditEntry).values(reason="x"), delete(AuditEntry)):
        with console.world.desk.sessions() as session, pytest.raises(DBAPIError, match="append-only"):
            session.connection().execute(statement)


def test_words_of_chats_that_ask_for_nobody_show_nowhere_until_one_is_opened(console):
    console.world.say("UDWAYNE", "what is the weather like on sunday")
    browser = console.as_("carmen")
    assert "weather" in browser.page("/inbox")
    browser.post("/conversations/1/resolve")
    for page in ("/inbox?reason=everything", "/inbox?words=weather", "/unanswered"):
        shown = browser.page(page)
        assert "weather like" not in shown.lower(), page
        assert "/conversations/1" not in shown or "everything" in page
    assert len(in_inbox(browser.page("/inbox?reason=everything"))) == 1, "that there is one may be seen"


def test_a_search_for_a_name_finds_no_hidden_one_and_no_answer_that_greets_somebody(console):
    console.world.say("UDWAYNE", "hello")
    assert "Dwayne" in console.rows(Exchange)[0].reply_text
    console.world.click("UDWAYNE", "feedback", "down:1")
    console.world.say("UROSA", "soy Rosa Delgado, qué tiempo hace el domingo")
    browser = console.as_("carmen")
    for name in ("Dwayne", "Rosa", "rosa", "Del", "delgado+domingo", "domingo+R", "ros"):
        assert in_inbox(browser.page(f"/inbox?words={name}")) == [], name
    assert len(in_inbox(browser.page("/inbox?words=domingo"))) == 1
    assert len(in_inbox(browser.page("/inbox?words=tiempo+d"))) == 1, "domingo begins like Delgado and is found all the same"
    console.world.say("UROSA", "quiero hablar con una persona de verdad")
    assert in_inbox(browser.page("/inbox?words=rosa")) == ["Rosa Delgado"], "now her name is no secret"


def test_names_are_hidden_with_accents_or_without(console):
    with console.world.desk.sessions() as session:
        session.merge(console.person("rosa")).last_name = "Peña"
        session.commit()
    console.world.say("UROSA", "soy ROSA pena, qué tiempo hace el domingo")
    page = console.as_("carmen").page("/conversations/1")
    assert "pena" not in page
    assert "ROSA" not in page


def test_learning_the_name_behind_one_chat_does_not_give_away_the_others(console):
    console.world.say("UROSA", "qué tiempo hace el domingo")
    later(console, hours=24)
    console.world.say("UROSA", "qué chiste me cuentas del hospital")
    assert len(console.rows(Conversation)) == 2
    browser = console.as_("carmen")
    first, second = in_inbox(browser.page("/inbox"))
    assert first != second
    assert "/conversations/1" not in browser.page("/conversations/2").replace("/conversations/1/", "")
    console.world.say("UROSA", "quiero hablar con una persona de verdad")
    page = browser.page("/conversations/2")
    assert "Rosa Delgado" in page
    assert 'href="/conversations/1"' not in page, "she asked here, not there"
    browser.post("/conversations/2/reveal", reason="She says that she has told us before")
    assert 'href="/conversations/1"' in browser.page("/conversations/2")
    console.world.click("UROSA", "privacy_readers", "mine")
    told = console.world.slack.workspace.direct_message("UROSA").messages[-1]["text"]
    assert "sus otros chats" in told
    assert "told us before" in told


def test_coaches_read_unanswered_questions_without_names_and_only_of_chats_that_need_someone(console):
    console.world.say("UROSA", "soy Rosa, qué tiempo hace el domingo")
    console.world.say("UDWAYNE", "how do I repair a broken accordion")
    page = console.as_("carmen").page("/unanswered")
    assert "accordion" in page
    assert "Rosa" not in page
    assert "[name]" in page
    console.as_("carmen").post("/conversations/2/resolve")
    console.world.passed += timedelta(minutes=10)  # the page is worked out once in five
    page = console.as_("carmen").page("/unanswered")
    assert "accordion" not in page
    assert "/conversations/2" not in page
    assert "A question of few people" in page
    assert "domingo" not in console.as_("priya").page("/unanswered")


def test_hr_does_not_learn_who_asked_for_help_nor_why(console):
    console.world.say("UROSA", "ya no quiero vivir")
    carmen = console.as_("carmen")
    carmen.page("/conversations/1")
    carmen.post("/conversations/1/claim")
    carmen.post("/conversations/1/reveal", reason="She may need a call at home")
    console.world.click("UROSA", "privacy_export", "mine")
    rosa, dwayne = console.person("rosa").id, console.person("dwayne").id
    helen = console.as_("helen")
    audit = helen.page("/audit")
    assert re.search(r"Carmen Coach</td><td>opened</td><td[^>]*>1<", audit)
    for hidden in ("danger", "call at home", f"/people/{rosa}", "Rosa"):
        assert hidden not in audit
    hers, his = helen.page(f"/people/{rosa}"), helen.page(f"/people/{dwayne}")
    for hidden in ("call at home", "opened", "claimed", "chat stored", "chats stored", "Carmen"):
        assert hidden not in hers
    assert re.findall("<h2>.*?</h2>", hers) == re.findall("<h2>.*?</h2>", his), "he has written nothing"
    helen.post(f"/people/{dwayne}/erase", name="Dwayne Ellis", reason="on his own wish")
    assert "Erased. Counts" in helen.page(f"/people/{dwayne}"), "not whether there was anything to erase"
    ben = console.as_("ben")
    assert "She may need a call at home" in ben.page("/audit")
    assert "1 chat stored" in ben.page(f"/people/{rosa}")


# --- stepping in -------------------------------------------------------------------------------------------------


def test_carmen_claims_writes_is_answered_and_hands_back(console):
    world = console.world
    world.say("UROSA", "quiero hablar con una persona de verdad")
    browser = console.as_("carmen")
    browser.post("/conversations/1/claim")
    assert "Carmen Coach, del equipo de coaches, ya está aquí" in said_to(console, "UROSA")[-1]
    browser.post("/conversations/1/write", words="Hola Rosa, ¿en qué <le> ayudo?")
    assert said_to(console, "UROSA")[-1] == "*Carmen Coach, coach:* Hola Rosa, ¿en qué &lt;le&gt; ayudo?"
    before = len(console.rows(Exchange))
    world.say("UROSA", "cuánto gana una enfermera registrada")
    assert len(console.rows(Exchange)) == before, "the bot keeps out of it"
    assert console.rows(CoachMessage)[-1].text == "cuánto gana una enfermera registrada"
    assert console.rows(Attention)[0].reason == "reply-due"
    page = browser.page("/conversations/1")
    assert "cuánto gana una enfermera registrada" in page
    assert "Delivered" in page
    browser.post("/conversations/1/hand-back")
    assert "Trellis le responde otra vez" in said_to(console, "UROSA")[-1]
    world.say("UROSA", "cuánto gana una enfermera registrada")
    assert len(console.rows(Exchange)) == before + 1
    browser.post("/conversations/1/resolve")
    assert "Nobody needs you" in browser.page("/inbox")


def test_danger_is_answered_at_once_even_while_a_coach_is_there(console):
    console.world.say("UROSA", "quiero hablar con una persona de verdad")
    browser = console.as_("carmen")
    browser.post("/conversations/1/claim")
    console.world.say("UROSA", "ya no quiero vivir")
    assert any("988" in words for words in said_to(console, "UROSA"))
    assert console.rows(Attention)[0].reason == "danger"
    browser.post("/conversations/1/claim")
    assert console.rows(Attention)[0].reason == "with-coach"


def test_danger_written_by_changing_a_message_to_the_coach_is_answered_and_not_kept(console):
    world = console.world
    world.say("UROSA", "quiero hablar con una persona de verdad")
    console.as_("carmen").post("/conversations/1/claim")
    ts = world.say("UROSA", "gracias por venir")
    world.slack.as_user("UROSA").edit(ts, "ya no quiero vivir")
    assert any("988" in words for words in said_to(console, "UROSA"))
    assert [handoff.reason for handoff in console.rows(Handoff) if handoff.urgent] == ["safety/crisis"]
    assert console.rows(Attention)[0].reason == "danger"
    assert [row.text for row in console.rows(CoachMessage)] == [""]


def test_a_message_to_the_coach_that_is_changed_reaches_the_coach_as_it_is_now(console):
    world = console.world
    world.say("UDWAYNE", "please, I want to talk to a real person")
    console.as_("carmen").post("/conversations/1/claim")
    ts = world.say("UDWAYNE", "is it about my husband")
    posted = len(world.posted)
    world.slack.as_user("UDWAYNE").edit(ts, "my wife hits me")
    assert [row.text for row in console.rows(CoachMessage)] == ["my wife hits me"]
    assert len(world.posted) == posted


def test_two_coaches_press_claim_and_one_gets_it(console):
    console.world.say("UDWAYNE", "please, I want to talk to a real person")
    carmen, ben = console.as_("carmen"), console.as_("ben")
    carmen.post("/conversations/1/claim")
    ben.post("/conversations/1/claim")
    assert "Carmen Coach has claimed this already." in ben.page("/conversations/1")
    ben.post("/conversations/1/write", words="hello")
    assert not any("Ben" in words for words in said_to(console, "UDWAYNE"))


def test_claiming_from_the_coach_channel_in_slack(console):
    world = console.world
    world.say("UDWAYNE", "please, I want to talk to a real person")
    card = world.slack.workspace.channels["CCOACH"].messages[-1]
    buttons = card["blocks"][-1]["elements"]
    assert [button["text"]["text"] for button in buttons] == ["Claim", "Open in the console"]
    assert buttons[1]["url"] == "http://console.test/handoffs/1"
    assert console.as_("carmen").get("/handoffs/1").headers["location"] == "/conversations/1"
    world.click("UROSA", "claim_handoff", "1")
    assert console.rows(Handoff)[0].state == "waiting", "she is no coach"
    world.click("UCARMEN", "claim_handoff", "1")
    handoff = console.rows(Handoff)[0]
    assert (handoff.state, handoff.claimed_by) == ("claimed", console.person("carmen").id)
    assert "Carmen Coach from the coach team is here now" in said_to(console, "UDWAYNE")[-1]


def test_when_nobody_claims_the_lead_and_the_employee_are_told_once(console):
    world = console.world
    world.say("UDWAYNE", "please, I want to talk to a real person")
    later(console, hours=3)
    assert escalate(world.desk) == 0
    later(console, hours=2)
    assert escalate(world.desk) == 2
    assert escalate(world.desk) == 0
    from bot.services.delivery import deliver_due

    deliver_due(world.desk.sessions, world.desk.sender, world.desk.clock)
    assert "<@UDWAYNE> has been waiting" in said_to(console, "UBEN")[-1]
    assert "Someone should write to you here by November 24, 2026" in said_to(console, "UDWAYNE")[-1]


def test_on_saturday_nobody_is_told_that_a_coach_is_late_but_danger_does_not_wait(console):
    later(console, days=5)
    console.world.say("UDWAYNE", "please, I want to talk to a real person")
    console.world.say("UROSA", "ya no quiero vivir")
    later(console, minutes=11)
    escalate(console.world.desk)
    keys = {item.key for item in console.rows(OutboxItem)}
    assert {f"late:{2}", f"escalated:2:{console.person('ben').id}"} <= keys
    assert "late:1" not in keys


def test_an_employee_whose_coach_does_not_answer_is_not_forgotten(console):
    world = console.world
    world.say("UDWAYNE", "please, I want to talk to a real person")
    console.as_("carmen").post("/conversations/1/claim")
    later(console, minutes=20)
    world.say("UDWAYNE", "are you still there")
    world.say("UDWAYNE", "hello?")
    assert sum("will see this" in words for words in said_to(console, "UDWAYNE")) == 1, "said once, not each time"
    later(console, hours=5)
    assert escalate(world.desk) == 1


def test_an_alert_that_slack_refuses_is_itself_an_alert(console):
    world = console.world
    del world.slack.workspace.channels["CCOACH"]
    world.say("UDWAYNE", "please, I want to talk to a real person")
    assert [item.state for item in console.rows(OutboxItem) if item.key == "handoff:1"] == ["dead"]
    assert escalate(world.desk) == 1
    page = console.as_("carmen").page("/inbox")
    assert "1 alert did not reach the coach channel" in page
    assert "channel_not_found" in console.as_("carmen").page("/deliveries")


def test_snooze_hides_until_something_more_urgent_happens(console):
    console.world.say("UDWAYNE", "what is the weather like on sunday")
    browser = console.as_("carmen")
    browser.post("/conversations/1/snooze", until="2026-11-24T15:00:00+00:00")
    assert in_inbox(browser.page("/inbox")) == []
    console.world.say("UDWAYNE", "please, I want to talk to a real person")
    assert in_inbox(browser.page("/inbox")) == ["Dwayne Ellis"]
    browser.post("/conversations/1/snooze", until="2026-11-24T15:00:00+00:00")
    assert in_inbox(browser.page("/inbox")) == ["Dwayne Ellis"], "people who wait can't be snoozed away"


def test_only_a_lead_gives_work_to_others(console):
    console.world.say("UDWAYNE", "what is the weather like on sunday")
    carmen, ben = console.person("carmen").id, console.person("ben").id
    console.as_("carmen").post("/conversations/1/assign", to=str(ben))
    assert console.rows(Attention)[0].assigned_to is None
    console.as_("ben").post("/conversations/1/assign", to=str(carmen))
    assert console.rows(Attention)[0].assigned_to == carmen
    assert len(in_inbox(console.as_("carmen").page("/inbox?whose=mine"))) == 1


def test_numbers_that_must_not_be_stored_are_gone_from_coaches_words_too(console):
    console.world.say("UDWAYNE", "please, I want to talk to a real person")
    browser = console.as_("carmen")
    browser.post("/conversations/1/claim")
    browser.post("/conversations/1/write", words="is your ssn still 123-45-6789?")
    browser.post("/conversations/1/notes", words="his phone is 312 555 0188")
    console.world.say("UDWAYNE", "yes 123-45-6789")
    kept = " ".join(row.text for row in console.rows(CoachMessage)) + browser.page("/conversations/1")
    assert "6789" not in kept
    assert "0188" not in kept


def test_a_message_to_the_coach_that_the_employee_deletes_loses_its_words(console):
    world = console.world
    world.say("UDWAYNE", "please, I want to talk to a real person")
    console.as_("carmen").post("/conversations/1/claim")
    ts = world.say("UDWAYNE", "this is between us")
    channel = world.slack.workspace.direct_message("UDWAYNE").id
    gone = {"type": "message", "channel_type": "im", "channel": channel, "subtype": "message_deleted"}
    world.deliver(gone | {"previous_message": {"user": "UDWAYNE", "ts": ts, "text": "this is between us"}}, "EvGone")
    assert [row.text for row in console.rows(CoachMessage)] == [""]


def test_a_question_that_came_before_a_crash_reaches_the_coach_too(console, monkeypatch):
    world = console.world
    world.say("UDWAYNE", "please, I want to talk to a real person")
    console.as_("carmen").post("/conversations/1/claim")
    monkeypatch.setattr("bot.slack.listeners.work_through", lambda *_: None)
    world.say("UDWAYNE", "are you there")
    world.time_for_another_process()
    sweep(world.desk)
    assert [row.text for row in console.rows(CoachMessage)] == ["are you there"]


# --- notes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "says"), [("ben", "a coach has something open"), ("UROSA", "está ayudando o lo hará pronto")]
)
def test_nobody_is_erased_while_a_call_for_help_is_open(console, by, says):
    """Neither before a coach has come nor while one is there; afterwards everything goes."""
    world, rosa = console.world, console.person("rosa").id

    def erase() -> str:
        if by == "ben":
            ben = console.as_(by)
            ben.post(f"/people/{rosa}/erase", name="Rosa Delgado", reason="she asked for it by phone")
            return ben.page(f"/people/{rosa}")
        world.click(by, "privacy_erase", "mine")
        world.passed += timedelta(seconds=1)
        return said_to(console, by)[-1]

    world.say("UROSA", "ya no quiero vivir")
    assert says in erase()
    assert [handoff.state for handoff in console.rows(Handoff)] == ["waiting"]
    carmen = console.as_("carmen")
    assert "/conversations/1" in carmen.page("/inbox")
    carmen.post("/conversations/1/claim")
    assert says in erase()
    assert [handoff.state for handoff in console.rows(Handoff)] == ["claimed"]
    carmen.post("/conversations/1/resolve")
    assert says not in erase()
    assert console.rows(Handoff) == []


def test_notes_and_labels_never_reach_the_employee(console):
    world, secret = console.world, "zanahoria nocturna"
    world.say("UROSA", "quiero hablar con una persona de verdad")
    browser = console.as_("carmen")
    browser.post("/conversations/1/notes", words=f"private {secret}")
    browser.post("/conversations/1/notes", words=f"about this message {secret}", exchange="1")
    browser.post("/conversations/1/labels", name=f"label {secret}")
    assert secret in browser.page("/conversations/1")
    browser.post("/conversations/1/claim")
    browser.post("/conversations/1/write", words="Hola")
    for action in ("privacy_readers", "privacy_export"):
        world.click("UROSA", action, "mine")
    world.say("UROSA", "qué guardan de mí")
    browser.post("/conversations/1/resolve")
    world.say("UROSA", "hola")
    world.deliver({"type": "app_home_opened", "user": "UROSA", "tab": "home", "channel": "D1"}, "EvHome")
    everything = str([channel.messages for channel in world.slack.workspace.channels.values()])
    everything += str(world.slack.workspace.homes) + str(world.slack.workspace.files)
    everything += str([file.__dict__ for file in world.slack.workspace.files.values()])
    assert secret not in everything
    assert secret not in str([item.payload for item in console.rows(OutboxItem)])


def test_nothing_that_writes_to_employees_can_even_read_notes():
    """Who imports the notes: only the console's pages, the story that they show, and the demo's coaches who write some."""
    from pathlib import Path

    readers = {
        str(path)
        for path in Path("bot").rglob("*.py")
        if re.search(r"services\.notes|services import notes|import .*\bNote\b|^    Note,", path.read_text(), re.MULTILINE)
    }
    known = {"bot/console/stepping_in.py", "bot/services/notes.py", "bot/services/story.py", "bot/demo_history.py"}
    assert readers == known


def test_a_note_on_somebody_elses_message_is_refused(console):
    console.world.say("UDWAYNE", "what is the weather like on sunday")
    console.world.say("UROSA", "qué tiempo hace el domingo")
    browser = console.as_("carmen")
    browser.post("/conversations/1/notes", words="mixed up", exchange="2")
    assert "does not belong to this person" in browser.page("/conversations/1")


# --- another employer's rows -------------------------------------------------------------------------------------


def test_nothing_of_another_workspace_can_be_seen_or_changed(console):
    console.world.say("UDWAYNE", "please, I want to talk to a real person")
    browser = console.as_("ben")
    dwayne = console.person("dwayne")
    person = dwayne.id
    with console.world.desk.sessions() as session:
        session.merge(dwayne).workspace = "T0OTHER"
        for table in (Conversation, Exchange, Handoff, Attention):
            for row in session.exec(select(table)):
                row.workspace = "T0OTHER"
        session.commit()
    assert in_inbox(browser.page("/inbox?reason=everything")) == []
    assert in_inbox(browser.page("/inbox?words=person")) == []
    assert browser.get("/conversations/1").status_code in (200, 404)
    assert "real person" not in browser.get("/conversations/1").text
    assert browser.post("/conversations/1/open", reason="a good long reason").status_code == 404
    assert browser.post("/conversations/1/notes", words="x").status_code == 404
    browser.post("/conversations/1/claim")
    assert console.rows(Handoff)[0].state == "waiting"
    assert browser.get("/handoffs/1").status_code == 404
    assert browser.get(f"/people/{person}").status_code == 404
    assert browser.post(f"/people/{person}/erase", name="Dwayne Ellis", reason="wants it").status_code == 404
