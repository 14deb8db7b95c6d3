"""Two employers on one Trellis: nobody gets across, by any door."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import httpx
import pytest
from slack_bolt import BoltRequest
from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.sqlalchemy import SQLAlchemyOAuthStateStore
from sqlalchemy import MetaData
from sqlmodel import col, select

from bot.app import deliver, look_after, tidy_up
from bot.commands import parser
from bot.domain.problems import WorkspacesFileError
from bot.localslack.delivery import Delivery
from bot.services import queues
from bot.services.inbox import sweep, work_through
from bot.services.people import may_ask
from bot.services.queues import claim_next
from bot.slack.installing import BEGUN_A_MINUTE, SCOPES, Installations
from bot.workspaces import build_front, read_places
from storage.database import make_sessions, open_database
from storage.keeping_apart import CrossedOver
from storage.models import Conversation, Exchange, Handoff, InboxItem, OutboxItem, Person
from storage.models.installations import BOTS, INSTALLATIONS, STATES
from tests.conftest import NOW
from tests.http_servers import wait_for
from tests.several_workspaces import HARBOR, LAKE, Two
from tests.several_workspaces import two as two  # a fixture

WHO_PAYS = "who pays for school"
TALK = "I want to talk to a person"


@pytest.fixture
def talked(two: Two) -> Two:
    """Dwayne of Lakeshore has asked something, and for a person."""
    dwayne = two.slacks[LAKE].as_user("UDWAYNE")
    dwayne.ask(WHO_PAYS)
    dwayne.ask(TALK)
    wait_for(lambda: two.slacks[LAKE].workspace.channels["CCOACH"].messages)
    wait_for(lambda: all(row[-1] != "sending" for row in two.rows(LAKE)["outbox"]))
    return two


def test_the_same_question_is_answered_in_each_workspace_by_its_own_employers_content(two):
    for workspace, employer in ((LAKE, "Lakeshore Health"), (HARBOR, "Harbor Clinics")):
        answer = two.slacks[workspace].as_user("UDWAYNE").ask("what can I do next")["text"]
        stranger = two.slacks[workspace].as_user("UNOBODY").ask("hello")["text"]
        assert answer
        assert employer in stranger
    for workspace in (LAKE, HARBOR):
        assert len(two.texts(workspace, "UDWAYNE")) == 1
        assert len(two.rows(workspace)["exchange"]) == 1


def test_two_people_with_the_same_slack_id_and_the_same_conversation_id_never_share_an_answer(two):
    """Lakeshore's question waits when Harbor's people write, and Harbor's process works through its own alone."""
    two.slacks[LAKE].workspace.direct_message("UDWAYNE")
    body = {"user": "UDWAYNE", "channel": "DDWAYNE", "ts": "1.0", "thread_ts": "", "text": "my secret wish"}
    with make_sessions(open_database(two.database_url))() as session:
        session.add(InboxItem(workspace=LAKE, key="k", conversation="DDWAYNE:", kind="message", body=body, received_at=NOW))
        session.commit()
    before = two.rows(LAKE)
    two.slacks[HARBOR].as_user("UDWAYNE").ask("hola")
    harbor = two.employer(HARBOR).desk
    work_through(harbor, claim_next(harbor.sessions, "DDWAYNE:", harbor.clock()))
    assert sweep(harbor) == 0
    assert two.rows(LAKE) == before
    assert sweep(two.employer(LAKE).desk) == 1
    assert len(two.texts(LAKE, "UDWAYNE")) == len(two.texts(HARBOR, "UDWAYNE")) == 1


def test_buttons_with_anothers_numbers_change_nothing_there(talked):
    with make_sessions(open_database(talked.database_url))() as session:
        exchange = session.exec(select(Exchange.id).where(Exchange.workspace == LAKE)).first()
        handoff = session.exec(select(Handoff.id).where(Handoff.workspace == LAKE)).first()
    before, front, numbers = talked.rows(LAKE), build_front(talked.settings, talked.workspaces), count()
    names = _all_action_ids()
    assert len(names) > 8
    for name in names:
        for value in (
            str(exchange),
            f"up:{exchange}",
            f"wrong:{exchange}",
            str(handoff),
            f"{handoff}:yes",
            f"yes:{handoff}",
        ):
            for user in ("UDWAYNE", "UCARMEN"):
                front.dispatch(_press(talked, HARBOR, user, name, value, next(numbers)))
    for listeners in front.executors:
        listeners.shutdown(wait=True)
    assert talked.rows(LAKE) == before


def _all_action_ids() -> list[str]:
    """Every button that the app knows, from its own modules."""
    from bot.slack import blocks, checkin_blocks, coaching, plan_blocks

    names = {blocks.TALK_TO_A_PERSON, blocks.FEEDBACK, f"{blocks.FEEDBACK_REASON}:wrong", f"{blocks.CHOOSE_CARD}:x"}
    names |= {coaching.CLAIM, coaching.OPEN, coaching.EXPORT, coaching.ERASE}
    names |= {f"{checkin_blocks.ACTION}:{act}" for act in ("held", "not_held", "skip", "snooze", "accept", "cancel")}
    names |= {value for name, value in vars(plan_blocks).items() if name.isupper() and isinstance(value, str)}
    return sorted(names)


def _press(two: Two, workspace: str, user: str, action: str, value: str, number: int) -> BoltRequest:
    slack = two.slacks[workspace]
    body = {
        "type": "block_actions",
        "team": {"id": workspace},
        "user": {"id": user, "team_id": workspace},
        "channel": {"id": "D" + user[1:]},
        "message": {"ts": "1"},
        "trigger_id": f"{number}.{workspace}",
        "response_url": f"{slack.url}/response/none",
        "actions": [{"type": "button", "action_id": action, "block_id": "b", "value": value}],
    }
    return BoltRequest(body=body, mode="socket_mode")


def test_no_page_of_the_console_shows_or_changes_anothers_people(talked):
    browser = talked.sign_in(HARBOR, "UMARTA")
    assert browser.get("/inbox").status_code == 303, "Marta has no role"
    _give_role(talked, HARBOR, "lead")
    browser = talked.sign_in(HARBOR, "UCARMEN")
    assert browser.get("/inbox").status_code == 200
    with make_sessions(open_database(talked.database_url))() as session:
        numbers = {
            "conversation_id": session.exec(select(Conversation.id).where(Conversation.workspace == LAKE)).one(),
            "handoff_id": session.exec(select(Handoff.id).where(Handoff.workspace == LAKE)).one(),
            "person_id": session.exec(select(Person.id).where(Person.workspace == LAKE, Person.employee_id == "2")).one(),
        }
    form = {
        "csrf": browser.get("/content/try").text.split('name="csrf" value="')[1].split('"')[0],
        "words": "x",
        "until": "",
    }
    before, tried = talked.rows(LAKE), 0
    for route in _routes(browser.app):
        path = getattr(route, "path", "")
        if path.startswith(("/static", "/sign", "/signed")) or not getattr(route, "methods", None):
            continue
        address = path.replace("{kind}/{slug}", "tuition/amount").replace("{name}", "asked")
        for name in ("label_id", "reply_id", "filter_id", "review_id", "interest_id"):
            address = address.replace(f"{{{name}}}", "1")
        address = address.format(**numbers)
        for method in route.methods - {"HEAD"}:
            answer = browser.request(method, address, data=form if method == "POST" else None)
            assert answer.status_code < 500, (method, address)
            assert WHO_PAYS not in answer.text, (method, address)
            tried += 1
    assert tried > 30
    assert talked.rows(LAKE) == before


def _routes(app) -> list:
    """Those of included routers, too."""
    return [inner for route in app.routes for inner in getattr(getattr(route, "original_router", None), "routes", [route])]


def test_everybody_sees_the_map_of_their_own_employer(two):
    browser = two.console()
    assert "Harbor Clinics" in browser.get(f"/map?workspace={HARBOR}").text
    assert "Harbor Clinics" in browser.get("/map?language=es").text, "and at the next click"
    assert "Lakeshore Health" in two.console().get("/map").text
    assert browser.get("/inbox").status_code == 303


def test_who_signs_in_from_a_workspace_that_is_not_served_here_is_sent_away(two, monkeypatch):
    monkeypatch.setattr(two.slacks[HARBOR].workspace, "team_id", "T09ELSE")
    two.settings.slack_web_url = two.slacks[HARBOR].url
    browser = two.sign_in(HARBOR, "UCARMEN")
    assert browser.get("/inbox").status_code == 303


def test_roles_of_one_workspaces_console_say_nothing_in_the_other(talked):
    _give_role(talked, LAKE, "coach")
    talked.settings.slack_web_url = talked.slacks[HARBOR].url
    assert talked.sign_in(HARBOR, "UCARMEN").get("/inbox").status_code == 303
    talked.settings.slack_web_url = talked.slacks[LAKE].url
    assert talked.sign_in(LAKE, "UCARMEN").get("/inbox").status_code == 200


def _give_role(two: Two, workspace: str, role: str) -> None:
    with two.employer(workspace).desk.sessions() as session:
        person = session.exec(select(Person).where(Person.email == "carmen@lakeshore.example")).one()
        person.access, person.slack_id = role, "UCARMEN"
        session.commit()
    two.settings.slack_web_url = two.slacks[workspace].url


def test_the_recurring_jobs_of_one_workspace_leave_the_others_rows_alone(talked):
    """Everything of Lakeshore's is overdue: questions, messages, handoffs, and words older than the policy keeps."""
    with make_sessions(open_database(talked.database_url))() as session:
        for row in session.exec(select(Conversation).where(Conversation.workspace == LAKE)):
            row.last_at = NOW - timedelta(days=3000)
        for person in session.exec(select(Person)):
            person.plan_checkin_on = NOW.date()
        queues.put(session, LAKE, "waits", "UDWAYNE", {"text": "for Lakeshore"}, NOW - timedelta(days=1))
        session.commit()
    before, harbor = talked.rows(LAKE), replace(talked.employer(HARBOR).desk, clock=lambda: NOW + timedelta(days=2))
    for job in (sweep, look_after, tidy_up, deliver):
        job(harbor)
    assert talked.rows(LAKE) == before
    assert not any("for Lakeshore" in text for text in talked.texts(HARBOR, "UDWAYNE"))
    deliver(talked.employer(LAKE).desk)
    assert "for Lakeshore" in talked.texts(LAKE, "UDWAYNE")


def test_a_row_of_another_workspace_can_not_be_written_read_or_looked_up(talked):
    sessions = talked.employer(HARBOR).desk.sessions
    with make_sessions(open_database(talked.database_url))() as session:
        theirs = session.exec(select(Person).where(Person.workspace == LAKE)).first()
    with sessions() as session:
        assert session.get(Person, theirs.id) is None
        assert {person.workspace for person in session.exec(select(Person))} == {HARBOR}
        assert session.exec(select(Exchange).where(col(Exchange.id).in_(select(Exchange.id)))).all() == []
        session.add(OutboxItem(workspace=LAKE, key="x", channel="U", created_at=NOW, due_at=NOW))
        with pytest.raises(CrossedOver, match="OutboxItem belongs to another workspace than T02HARBOR"):
            session.commit()


def test_retention_on_the_command_line_follows_each_employers_own_policy(talked, capsys):
    policy = talked.workspaces.employers[1].place.content / "employer.yaml"
    policy.write_text(policy.read_text().replace("keep_months: 24", "keep_months: 3"))
    talked.slacks[HARBOR].as_user("UDWAYNE").ask("hello")
    with make_sessions(open_database(talked.database_url))() as session:
        for row in session.exec(select(Conversation)):
            row.last_at = datetime.now(UTC) - timedelta(days=200)
        session.commit()
    arguments = parser().parse_args(["retention"])
    assert arguments.run(arguments, talked.settings) == 0
    assert "T02HARBOR: Older than 3 months: erased 3 entries" in capsys.readouterr().out
    assert talked.rows(LAKE)["conversation"]
    assert not talked.rows(HARBOR)["conversation"]


def test_a_command_that_could_mean_several_workspaces_asks_which(talked, capsys):
    for words in (["reviews", "export"], ["checkins", "report"], ["person", "export", "dwayne@lakeshore.example"]):
        arguments = parser().parse_args(words)
        assert arguments.run(arguments, talked.settings) != 0
        assert "--workspace" in capsys.readouterr().err


# --- coming and going --------------------------------------------------------------------------------------------


def test_a_workspace_that_is_not_on_the_list_can_not_install_the_app(two, monkeypatch):
    monkeypatch.setattr(two.slacks[HARBOR].workspace, "team_id", "T09ELSE")
    refused = two.install(HARBOR)
    assert refused.status_code == 500
    assert "not set up here" in refused.text
    engine = open_database(two.database_url)
    with engine.connect() as connection:
        teams = [row.team_id for row in connection.execute(BOTS.select())]
    engine.dispose()
    assert sorted(teams) == [LAKE, HARBOR]


def test_strangers_can_not_fill_the_table_of_begun_installations(two):
    here, engine = two.settings.public_url, open_database(two.database_url)

    def begun() -> int:
        with engine.connect() as connection:
            return len(connection.execute(STATES.select()).all())

    answers = [httpx.get(f"{here}/slack/install").status_code for _ in range(BEGUN_A_MINUTE + 5)]
    assert answers.count(429) >= 5
    assert answers[-1] == 429
    assert 0 < begun() <= BEGUN_A_MINUTE
    installations = Installations(engine, "client")
    installations.tidy_up()
    assert begun() > 0, "they may still come back from Slack"
    with engine.begin() as connection:
        connection.execute(STATES.update().values(expire_at=datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=1)))
    installations.tidy_up()
    assert begun() == 0
    engine.dispose()


def test_a_way_back_from_slack_that_did_not_begin_here_installs_nothing(two):
    here = two.settings.public_url
    answer = httpx.get(f"{here}/slack/oauth_redirect?code=1&state=guessed")
    assert answer.status_code == 400
    assert "begin again" in answer.text


def test_after_the_app_is_removed_nothing_is_sent_there_and_the_other_workspace_notices_nothing(two):
    for workspace in (LAKE, HARBOR):
        with two.employer(workspace).desk.sessions() as session:
            queues.put(session, workspace, "later", "UDWAYNE", {"text": "a reminder"}, NOW, due_at=NOW + timedelta(hours=1))
            session.commit()
    _tell(two, LAKE, {"type": "app_uninstalled"})
    wait_for(lambda: not two.employer(LAKE).installed())
    wait_for(lambda: {row[10] for row in two.rows(LAKE)["outbox"]} == {"expired"})
    posted = len(two.slacks[LAKE].calls("chat.postMessage"))
    for employer in two.workspaces.employers:
        deliver(replace(employer.desk, clock=lambda: NOW + timedelta(hours=2)))
    assert len(two.slacks[LAKE].calls("chat.postMessage")) == posted
    assert two.texts(HARBOR, "UDWAYNE") == ["a reminder"]
    assert [desk.sessions for desk in two.workspaces.desks] == [two.employer(HARBOR).desk.sessions]
    assert two.install(LAKE).status_code == 200, "and back again: it begins with what is new"
    assert two.slacks[LAKE].as_user("UDWAYNE").ask("hello")
    assert two.texts(LAKE, "UDWAYNE")[0] != "a reminder"


def test_a_revoked_bot_token_stops_sending_and_a_persons_own_does_not(two):
    _tell(two, LAKE, {"type": "tokens_revoked", "tokens": {"oauth": ["UROSA"], "bot": []}})
    _tell(two, LAKE, {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": ["UBOT"]}})
    wait_for(lambda: not two.employer(LAKE).installed())
    assert two.employer(HARBOR).installed()


def _tell(two: Two, workspace: str, event: dict) -> None:
    Delivery(two.slacks[workspace].workspace, "secret", two.events_url).ask(
        "events_api", {"type": "event_callback", "team_id": workspace, "event_id": f"Ev{id(event)}", "event": event}
    )


def test_an_event_of_a_workspace_that_is_not_served_here_reaches_nobody(two):
    front = build_front(two.settings, two.workspaces)
    event = {"type": "message", "channel_type": "im", "channel": "DDWAYNE", "user": "UDWAYNE", "text": "hi", "ts": "1.0"}
    body = {"type": "event_callback", "team_id": "T09ELSE", "event_id": "Ev1", "event": event}
    assert front.dispatch(BoltRequest(body=body, mode="socket_mode")).status == 200
    assert two.rows("T09ELSE")["inbox"] == two.rows(LAKE)["inbox"] == two.rows(HARBOR)["inbox"] == []


# --- Enterprise Grid ---------------------------------------------------------------------------------------------


def test_an_app_installed_in_a_whole_organisation_finds_its_token_for_each_of_its_teams(database_url):
    engine = open_database(database_url)
    installations = Installations(engine, "client")
    common = {"app_id": "A1", "bot_id": "B1", "bot_user_id": "UB", "bot_scopes": "chat:write", "user_id": "U1"}
    whole = Installation(enterprise_id="E01ORG", team_id=None, bot_token="xoxb-org", is_enterprise_install=True, **common)
    installations.store.save(whole)
    installations.store.save(Installation(enterprise_id="E01ORG", team_id="T05OWN", bot_token="xoxb-own", **common))
    assert installations.token_of("", "E01ORG") == "xoxb-org"
    assert installations.token_of("T05OWN", "E01ORG") == "xoxb-own"
    assert installations.token_of("T06OTHER", "E01ORG") == "xoxb-org"
    assert installations.token_of("T05OWN") == "", "the organisation must be named in the workspaces file"
    installations.remove(None, "E01ORG")
    installations.forget()
    assert installations.token_of("T06OTHER", "E01ORG") == ""
    assert isinstance(installations.bot_of("T05OWN", "E01ORG"), Bot)
    engine.dispose()


def test_in_a_grid_people_belong_to_the_organisation_and_to_its_teams():
    grid = {"team_id": "T05OWN", "enterprise_user": {"enterprise_id": "E01ORG", "teams": ["T05OWN", "T06OTHER"]}}
    assert [may_ask(grid, workspace) for workspace in ("E01ORG", "T05OWN", "T06OTHER", "T07ELSE", "E02ELSE")] == [
        *(True, True, True),
        *(False, False),
    ]
    assert not may_ask(grid | {"is_stranger": True}, "E01ORG")


def test_an_event_finds_the_team_first_and_the_organisation_second(two):
    lake, harbor = two.workspaces.employers
    organisation = replace(harbor, place=harbor.place.model_copy(update={"id": "E01ORG", "teams": ("T05OWN",)}))
    workspaces = replace(two.workspaces, employers=(organisation, lake))
    asked = [(LAKE, "E01ORG"), ("T05OWN", ""), ("T06OTHER", "E01ORG"), ("", "E01ORG"), ("T06OTHER", "E02ELSE"), ("", "")]
    assert [workspaces.find(*ids) for ids in asked] == [LAKE, "E01ORG", "E01ORG", "E01ORG", None, None]


# --- what operators write ----------------------------------------------------------------------------------------


def test_everything_that_is_wrong_in_the_workspaces_file_is_told_at_once(tmp_path):
    file = tmp_path / "workspaces.yaml"
    file.write_text(
        "workspaces:\n- {id: lakeshore, content: content}\n- {id: T01LAKE, content: nowhere, colour: red}\n"
        "- {id: T02HARBOR, content: nowhere}\n- {id: T02HARBOR, content: content, teams: [T05OWN]}\n"
    )
    with pytest.raises(WorkspacesFileError) as error:
        read_places(file)
    told = str(error.value)
    assert "entry 1: id: String should match pattern" in told
    assert "entry 2: colour: Extra inputs are not permitted" in told
    assert "T02HARBOR stands there twice" in told
    assert "T02HARBOR: there is no folder nowhere" in told
    assert "T02HARBOR: teams belong to an organisation" in told


def test_our_tables_have_the_shape_that_slacks_stores_expect():
    theirs = (
        SQLAlchemyInstallationStore.build_bots_table(MetaData(), "b"),
        SQLAlchemyInstallationStore.build_installations_table(MetaData(), "i"),
        SQLAlchemyOAuthStateStore.build_oauth_states_table(MetaData(), "s"),
    )
    for ours, wanted in zip((BOTS, INSTALLATIONS, STATES), theirs, strict=True):
        shape = {column.name: (str(column.type), column.nullable) for column in ours.c}
        assert shape == {column.name: (str(column.type), column.nullable) for column in wanted.c}


def test_the_install_page_asks_for_what_the_manifest_asks_for():
    manifest = json.loads(Path("manifest.json").read_text(encoding="utf-8"))
    assert sorted(SCOPES) == sorted(manifest["oauth_config"]["scopes"]["bot"])
