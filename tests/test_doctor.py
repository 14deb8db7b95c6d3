"""`trellis doctor` against the local Slack: everything in order, and each thing that can be wrong, with how to mend it."""

import json
import os
import shutil
import socket
from collections import namedtuple
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from alembic import command
from sqlmodel import Session

from bot.app import listen_on, serve_web
from bot.commands import parser
from bot.config import Settings
from bot.localslack import LocalSlack
from bot.operations.doctor import examine
from bot.operations.doctor_settings import examine_settings
from bot.operations.findings import Finding
from bot.operations.probes import Watched
from bot.operations.server import operations_app
from bot.services.queues import put
from bot.services.roster import import_roster
from storage.database import alembic_config, make_sessions, open_database
from storage.models import OutboxItem
from tests.conftest import NOW, ROSTER

CONTENT, MANIFEST = Path("content"), Path("manifest.json")
Patient = Callable[..., dict[str, Finding]]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.fixture
def healthy(slack: LocalSlack, database_url: str, tmp_path: Path) -> Settings:
    """A Trellis whose operator has done everything right."""
    return Settings(
        database_url=database_url,
        model_dir=tmp_path / "models",
        slack_bot_token="xoxb-local",
        slack_app_token="xapp-local",
        slack_api_url=slack.api_url,
        coach_channel="CCOACH",
        slack_client_id="local-client",
        slack_client_secret="local-client-secret",
        console_url="https://coaches.lakeshore.example",
        console_port=free_port(),
        console_secret="0123456789abcdef0123456789abcdef",
        console_access="ben@lakeshore.example=lead",
        operations_port=free_port(),
    )


@pytest.fixture
def doctor(healthy: Settings) -> Patient:
    """What the doctor finds when these settings are different, by what it is about."""

    def look(
        now: datetime | None = None, manifest: Path = MANIFEST, contents: Path = CONTENT, **different: object
    ) -> dict[str, Finding]:
        settings = healthy.model_copy(update=different)
        tokens = {"": settings.slack_bot_token}
        return {found.about: found for found in examine(settings, tokens, [contents], manifest, now or datetime.now(UTC))}

    return look


def test_everything_is_in_order(doctor):
    found = doctor()
    assert {finding.level for finding in found.values()} == {"ok"}, found
    assert found["bot token"].says.startswith("Slack knows us as ")
    assert found["scopes of the bot token"].says.endswith("and no more, as in manifest.json.")
    assert {"python", "clock", "database", "writing", "schema", "matcher", "console", "operations port"} <= set(found)


@pytest.mark.parametrize(
    ("different", "about", "says"),
    [
        ({"slack_bot_token": ""}, "bot token", "There is no token."),
        ({"slack_bot_token": "xoxp-1"}, "bot token", "not a bot token"),
        ({"slack_bot_token": "xoxb-revoked"}, "bot token", "Slack refuses it (SlackApiError: invalid_auth)"),
        ({"slack_app_token": "xapp-revoked"}, "app-level token", "Slack refuses it (SlackApiError: invalid_auth)"),
        ({"slack_app_token": "xoxb-local"}, "app-level token", "not an app-level token"),
        ({"slack_app_token": ""}, "app-level token", "Slack has no way to reach Trellis."),
        ({"slack_api_url": "http://127.0.0.1:9/api/"}, "bot token", "can't be reached"),
        ({"coach_channel": "#career-coaches"}, "coaches' channel", "is no channel id"),
        ({"database_url": "postgresql+psycopg://trellis:hunter2@127.0.0.1:9/trellis"}, "database", "does not answer"),
        ({"database_url": "nonsense"}, "database", "is no address of a database"),
        ({"console_url": "http://coaches.lakeshore.example"}, "console", "is not encrypted"),
        ({"slack_client_secret": ""}, "console", "nobody can sign in"),
        ({"console_secret": "change-me"}, "console", "too easy to guess"),
        ({"console_access": "ben@lakeshore.example=king"}, "console", "CONSOLE_ACCESS can't be read at: ben@"),
        (
            {"database_url": "mysql://trellis:hunter2@db/trellis"},
            "database",
            "begins with mysql://, which Trellis can't use",
        ),
        ({"encoders": "minilm,foo"}, "encoders", "“foo” is not an encoder"),
        ({"encoders": "fastembed:model"}, "encoders", "needs the library fastembed"),
        ({"slack_api_url": "slack.com/api"}, "SLACK_API_URL", "slack.com/api is no address"),
        ({"contents": Path("nowhere")}, "content in nowhere", "There is no folder nowhere."),
        ({"contents": Path("tests")}, "content in tests", "errors; Trellis does not start with them"),
    ],
)
def test_what_is_wrong_is_said_with_how_to_mend_it(doctor, different, about, says):
    finding = doctor(**different)[about]
    assert finding.level == "wrong"
    assert says in finding.says
    assert finding.mend
    assert "hunter2" not in str(finding)


@pytest.mark.parametrize(
    ("different", "about", "says"),
    [
        ({"coach_channel": ""}, "coaches' channel", "no card in Slack"),
        ({"slack_client_id": ""}, "console", "Not served."),
        ({"operations_port": 0}, "operations port", "no probes and no metrics"),
        ({"manifest": Path("nowhere.json")}, "scopes", "were not compared"),
    ],
)
def test_what_may_be_meant_is_a_warning(doctor, different, about, says):
    finding = doctor(**different)[about]
    assert finding.level == "warning"
    assert says in finding.says


def test_scopes_that_are_missing_or_too_many_are_named(doctor, slack):
    slack.workspace.scopes.discard("im:history")
    finding = doctor()["scopes of the bot token"]
    assert (finding.level, finding.says) == ("wrong", "Missing: im:history.")
    slack.workspace.scopes.update({"im:history", "files:read"})
    finding = doctor()["scopes of the bot token"]
    assert (finding.level, finding.says) == ("warning", "More than Trellis needs: files:read.")


def test_without_a_secret_for_the_console_everybody_signs_in_again(doctor):
    finding = doctor(console_secret="")["console"]
    assert finding.level == "warning"
    assert "everybody signs in again after each start" in finding.says


@pytest.mark.parametrize(("minutes", "level"), [(1, "warning"), (-7, "wrong")])
def test_a_clock_that_is_off_is_compared_with_slacks(doctor, minutes, level):
    finding = doctor(now=datetime.now(UTC) + timedelta(minutes=minutes))["clock"]
    assert finding.level == level
    assert "timedatectl" in finding.mend


def test_a_database_that_was_not_brought_up_to_date(doctor, healthy):
    command.downgrade(alembic_config(healthy.database_url), "-1")
    finding = doctor()["schema"]
    assert (finding.level, finding.mend) == ("wrong", "trellis db upgrade")


def test_a_database_that_can_only_be_read(doctor, healthy):
    engine = open_database(healthy.database_url)
    if engine.dialect.name != "postgresql":
        pytest.skip("a SQLite file is read-only by the system's permissions, which a test as root does not feel")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar()
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    engine.dispose()
    finding = doctor()["writing"]
    assert finding.level == "wrong"
    assert "25006" in finding.says


def test_a_disk_that_fills_up(doctor, monkeypatch, tmp_path):
    usage = namedtuple("usage", "total used free")
    url = f"sqlite:///{tmp_path / 'new.db'}"
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12, 10**9))
    assert doctor(database_url=url)["disk"].level == "warning"
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12, 10**8))
    assert doctor(database_url=url)["disk"].level == "wrong"


def test_a_database_that_is_not_there_yet_is_no_fault(doctor, tmp_path):
    assert doctor(database_url=f"sqlite:///{tmp_path / 'new.db'}")["database"].level == "warning"
    assert not (tmp_path / "new.db").exists()


def test_a_folder_that_the_database_can_not_be_made_in_is_told(doctor, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda folder, _: folder != tmp_path)  # the tests' user may write everywhere
    finding = doctor(database_url=f"sqlite:///{tmp_path / 'new' / 'new.db'}")["database"]
    assert (finding.level, finding.says.partition("yet, ")[2]) == ("wrong", f"and {tmp_path} can't be written to.")


def test_a_file_that_is_no_database_is_not_asked_for_its_host_and_port(doctor, tmp_path):
    (tmp_path / "notes.db").write_text("no database, " * 1000)
    finding = doctor(database_url=f"sqlite:///{tmp_path / 'notes.db'}")["database"]
    assert finding.says == f"The database {tmp_path / 'notes.db'} is no SQLite database (SQLITE_NOTADB)."
    assert "host" not in finding.mend


def test_what_postgresql_says_of_a_connection_is_shown(doctor, healthy):
    if not healthy.database_url.startswith("postgresql"):
        pytest.skip("SQLite is asked for no name and no password")
    finding = doctor(database_url=str(healthy.database_url).replace("/test_", "/nodb_"))["database"]
    assert 'database "nodb_' in finding.says
    assert "does not exist" in finding.says
    assert finding.mend.startswith("Make it (createdb")


def test_an_address_at_which_no_slack_answers_is_not_the_tokens_fault(doctor, slack):
    finding = doctor(slack_api_url=slack.api_url.removesuffix("api/"))["bot token"]
    assert finding.level == "wrong"
    assert "is not Slack's API" in finding.says
    assert "https://slack.com/api/" in finding.mend


def test_a_port_without_which_trellis_does_not_start_is_looked_at(doctor, running):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert "CONSOLE_PORT" not in doctor(console_port=port), "Trellis runs, and it may be its own"
        found = doctor(operations_port=free_port(), console_port=port)["CONSOLE_PORT"]
        assert found.level == "wrong"
        assert f"127.0.0.1:{port} can't be opened (Address already in use)" in found.says
        events = {"slack_app_token": "", "slack_signing_secret": "s", "port": port}
        assert doctor(operations_port=free_port(), **events)["PORT"].level == "wrong"


def test_a_misspelt_setting_is_noticed(healthy, tmp_path):
    env = tmp_path / ".env"
    env.write_text("DATABSE_URL=x\nSLACK_BOT_TOKEN=y\nPOSTGRES_PASSWORD=z\nFAVOURITE_COLOUR=green\n")
    environment = {"SLACK_BOT_TOKN": "x", "HOME": "/root", "PATH": "/bin", "DATABASE_URL": "y", "SHELL": "z", "HOST": "h"}
    found = [(each.level, each.says.split()[0], each.mend) for each in examine_settings(healthy, env, environment)]
    assert found == [
        ("wrong", "DATABSE_URL", "Do you mean DATABASE_URL?"),
        ("warning", "FAVOURITE_COLOUR", "Every one is in .env.example."),
        ("warning", "SLACK_BOT_TOKN", "Do you mean SLACK_BOT_TOKEN?"),
    ]


def test_files_that_everybody_may_read_are_pointed_out():
    with TemporaryDirectory() as folder:
        env, database = Path(folder) / ".env", Path(folder) / "trellis.db"
        for file in (env, database):
            file.touch()
            file.chmod(0o644)
        settings = Settings(_env_file=None, database_url=f"sqlite:///{database}")
        assert not list(examine_settings(settings, env, {})), "the folder is closed"
        Path(folder).chmod(0o755)
        assert [each.mend for each in examine_settings(settings, env, {})] == [f"chmod 600 {env}", f"chmod 600 {database}"]
        env.chmod(0o600)
        database.chmod(0o640)
        assert not list(examine_settings(settings, env, {}))


def test_a_database_that_every_folder_has_another_of_is_warned_of(doctor, tmp_path, monkeypatch):
    found = doctor(database_url="sqlite:///nowhere/trellis.db")["database's path"]
    assert (found.level, found.mend) == ("warning", f"Write DATABASE_URL=sqlite:///{Path('nowhere/trellis.db').absolute()}")
    assert "database's path" not in doctor(database_url=f"sqlite:///{tmp_path / 'trellis.db'}")


def test_messages_that_are_stuck_or_lost_are_pointed_out(doctor, healthy):
    engine, now = open_database(healthy.database_url), datetime.now(UTC)
    with Session(engine) as session:
        put(session, "T01LAKE", "late", "C1", {}, now - timedelta(minutes=20))
        session.commit()
    finding = doctor()["messages"]
    assert (finding.level, finding.says) == ("warning", "A message is late by 20 minutes.")
    dead = {"state": "dead", "error": "channel_not_found"}
    with Session(engine) as session:
        session.add(
            OutboxItem(workspace="T01LAKE", key="lost", channel="C2", payload={}, created_at=now, due_at=None, **dead)
        )
        session.commit()
    engine.dispose()
    assert doctor()["messages"].says == "Slack will never take some: 1 × recipient."


def test_people_of_a_workspace_that_nobody_serves_are_pointed_out(doctor, sessions, tmp_path):
    (tmp_path / "people.csv").write_text(ROSTER)
    assert "roster" not in doctor(), "those of the token's own workspace are no finding"
    import_roster(sessions, "T0TYPO", tmp_path / "people.csv", [], NOW)
    finding = doctor()["roster"]
    assert (finding.level, finding.says) == ("warning", "3 people belong to T0TYPO, which is not served here.")
    (tmp_path / "nobody.csv").write_text("employee_id,first_name\n")
    settings = Settings(database_url=str(sessions.kw["bind"].url.render_as_string(hide_password=False)))
    arguments = parser().parse_args(["roster", "import", str(tmp_path / "nobody.csv"), "--workspace", "T0TYPO", "--yes"])
    assert arguments.run(arguments, settings) == 0
    assert "roster" not in doctor(), "and that is how they go"


def test_facts_past_their_review_date_are_named(doctor):
    findings = doctor(now=datetime(2199, 1, 1, tzinfo=UTC))
    assert findings["content in content"].says.startswith("Past their review date: ")


@pytest.fixture
def running(healthy: Settings) -> Iterator[Settings]:
    """A Trellis that runs on this machine."""
    engine = open_database(healthy.database_url)

    def now() -> datetime:
        return datetime.now(UTC)

    watched = Watched(make_sessions(engine), now, now(), lambda: ["r"], lambda: None, lambda: None, lambda: None, None)
    stop = serve_web(operations_app(watched), listen_on("127.0.0.1", healthy.operations_port))
    yield healthy
    stop()
    engine.dispose()


def test_a_trellis_that_runs_is_told_from_another_program_on_its_port(doctor, running):
    assert "Trellis runs and answers" in doctor()["operations port"].says
    with socket.create_server(("127.0.0.1", 0)) as other:
        finding = doctor(operations_port=other.getsockname()[1])["operations port"]
    assert (finding.level, finding.mend) == ("wrong", "Choose another OPERATIONS_PORT.")


def test_the_command_prints_each_finding_and_ends_with_1_when_something_is_wrong(healthy, capsys):
    def trellis_doctor(settings: Settings, *more: str) -> int:
        arguments = parser().parse_args(["doctor", *more])
        return int(arguments.run(arguments, settings))

    assert trellis_doctor(healthy) == 0
    assert "ok       bot token: Slack knows us as" in capsys.readouterr().out
    assert trellis_doctor(healthy.model_copy(update={"slack_bot_token": ""}), "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert {"about": "bot token", "level": "wrong", "says": "There is no token."}.items() <= next(
        each for each in told if each["about"] == "bot token"
    ).items()
