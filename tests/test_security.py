"""What docs/security.md promises, as far as no other test proves it."""

import ast
import csv
import io
import json
import re
import runpy
import shutil
import socket
import threading
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from jinja2 import TemplateError
from slack_bolt import App, BoltRequest
from slack_sdk import WebClient
from sqlmodel import select
from starlette.testclient import TestClient

from bot.app import listen_on, serve_web
from bot.commands.serving import problem_with, run_serve
from bot.config import Settings
from bot.console.dashboards import as_csv
from bot.domain.people import Employee
from bot.domain.problems import ContentError
from bot.knowledge_base.base import load, read, revision
from bot.knowledge_base.reading import is_inside, read_yaml
from bot.knowledge_base.rendering import fill
from bot.localslack.delivery import Delivery
from bot.localslack.web_api import METHODS
from bot.services.dashboards import Chart
from bot.services.roster import write_report
from bot.slack.listeners import register
from bot.slack.receiving import LARGEST_BODY, serve_events
from storage.models import InboxItem
from tests.conftest import WORKSPACE, RunAtOnce
from tests.console_world import console_of  # noqa: F401  console_of is the fixture

MANIFEST = json.loads(Path("manifest.json").read_text(encoding="utf-8"))
PROGRAM = [*Path("bot").rglob("*.py"), *Path("storage").rglob("*.py")]


# --- the page itself ---------------------------------------------------------------------------------------------


def test_every_test_that_the_security_page_names_exists():
    page = Path("docs/security.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    written = "\n".join(file.read_text(encoding="utf-8") for file in Path("tests").glob("test_*.py"))
    assert len(named) > 40
    assert {name for name in named if f"def {name}(" not in written} == set()


# --- who is speaking ---------------------------------------------------------------------------------------------


@pytest.fixture
def door(world):
    """The HTTP door, with Slack's signature checked."""
    client = WebClient(token="xoxb-local", base_url=world.slack.api_url)
    app = App(client=client, signing_secret="secret", token_verification_enabled=False, listener_executor=RunAtOnce())
    register(app, world.desk, WORKSPACE)
    return TestClient(serve_events(app, "secret"), raise_server_exceptions=False)


def signed(world, body: str, at: float | None = None, secret: str = "secret") -> dict[str, str]:
    signing = Delivery(world.slack.workspace, secret, None)
    moment = at or time.time()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time", lambda: moment)
        return {"Content-Type": "application/json", **signing.signature(body)}


def question(world, text: str = "hello") -> str:
    event = {"type": "message", "channel_type": "im", "user": "UDWAYNE", "text": text, "ts": "1.5"}
    event["channel"] = world.slack.workspace.direct_message("UDWAYNE").id
    return json.dumps({"type": "event_callback", "team_id": WORKSPACE, "event_id": "Ev1", "event": event})


def kept(world) -> int:
    with world.desk.sessions() as session:
        return len(session.exec(select(InboxItem)).all())


def test_only_slack_itself_and_only_now_is_listened_to(world, door):
    body = question(world)
    good = signed(world, body)
    refused = {
        "no signature": {"Content-Type": "application/json"},
        "another secret": signed(world, body, secret="guessed"),
        "another body": signed(world, question(world, "other words")),
        "six minutes old": signed(world, body, at=time.time() - 360),
        "from the future": signed(world, body, at=time.time() + 360),
        "another time than was signed": good | {"X-Slack-Request-Timestamp": str(int(time.time()) + 30)},
        "no time": {name: value for name, value in good.items() if name != "X-Slack-Request-Timestamp"},
        "an empty signature": good | {"X-Slack-Signature": ""},
        "no number as time": good | {"X-Slack-Request-Timestamp": "now"},
    }
    for why, headers in refused.items():
        assert door.post("/slack/events", content=body, headers=headers).status_code in (400, 401), why
    assert kept(world) == 0
    assert door.post("/slack/events", content=body, headers=good).status_code == 200
    assert kept(world) == 1


def test_a_request_that_somebody_repeats_within_five_minutes_is_answered_once(world, door):
    body = question(world)
    headers = signed(world, body)
    for _ in range(3):
        assert door.post("/slack/events", content=body, headers=headers).status_code == 200
    assert len(world.posted) == 1


def test_a_body_larger_than_slack_ever_sends_is_refused_before_it_is_read_whole(world, door):
    assert door.post("/slack/events", content=b"x" * (LARGEST_BODY + 1), headers=signed(world, "")).status_code == 413
    assert kept(world) == 0


def test_the_words_of_a_stranger_are_not_even_read(world, door, monkeypatch):
    """Reading a megabyte of them takes half a second, in which nobody else is listened to."""
    read: list[str] = []
    monkeypatch.setattr("bot.slack.receiving.BoltRequest", lambda **given: read.append(given["body"]))
    form = "payload=x" + "&a=" * 300_000
    for headers in ({}, signed(world, form, secret="guessed"), signed(world, form, at=time.time() - 360)):
        kind = headers | {"Content-Type": "application/x-www-form-urlencoded"}
        assert door.post("/slack/events", content=form, headers=kind).status_code == 401
    assert read == []


def test_what_slack_signed_is_read_beside_the_event_loop_not_on_it(world, monkeypatch):
    threads: list[str] = []
    client = WebClient(token="xoxb-local", base_url=world.slack.api_url)
    app = App(client=client, signing_secret="secret", token_verification_enabled=False, listener_executor=RunAtOnce())
    reader = BoltRequest

    def watched(**given):
        threads.append(threading.current_thread().name)
        return reader(**given)

    monkeypatch.setattr("bot.slack.receiving.BoltRequest", watched)
    with served(app) as address:
        body = '{"type": "url_verification", "challenge": "c"}'
        assert (
            "c" in httpx.post(f"http://127.0.0.1:{address[1]}/slack/events", content=body, headers=signed(world, body)).text
        )
    assert threads
    assert "events" not in threads


@contextmanager
def served(app: App) -> Iterator[tuple[str, int]]:
    at = listen_on("127.0.0.1", 0)
    address, stop = at.getsockname(), serve_web(serve_events(app, "secret"), at, "events")
    try:
        yield address
    finally:
        stop()


def half_sent(address: tuple[str, int]) -> socket.socket:
    """A request whose body does not come to its end."""
    caller = socket.create_connection(address, timeout=10)
    caller.sendall(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n")
    caller.sendall(f"X-Slack-Request-Timestamp: {time.time():.0f}\r\n\r\n{{".encode())
    return caller


def test_who_sends_slowly_is_hung_up_on_and_takes_the_place_of_only_so_many(world, monkeypatch):
    monkeypatch.setattr("bot.slack.receiving.BODY_SECONDS", 1.0)
    monkeypatch.setattr("bot.slack.receiving.BODIES_AT_ONCE", 3)
    client = WebClient(token="xoxb-local", base_url=world.slack.api_url)
    app = App(client=client, signing_secret="secret", token_verification_enabled=False, listener_executor=RunAtOnce())
    register(app, world.desk, WORKSPACE)
    with served(app) as address:
        slow = [half_sent(address) for _ in range(3)]
        one_more = half_sent(address)
        statuses = sorted(caller.recv(100).split()[1] for caller in (*slow, one_more))
        assert statuses == [b"408", b"408", b"408", b"503"]
        for caller in (*slow, one_more):
            while caller.recv(1_000):
                pass  # until it is hung up
            caller.close()
        body = question(world)
        headers = signed(world, body)
        assert httpx.post(f"http://127.0.0.1:{address[1]}/slack/events", content=body, headers=headers).status_code == 200
    assert kept(world) == 1


def test_a_signed_button_of_somebody_else_gives_no_right_to_it(world, door):
    world.say("UROSA", "hola")
    body = {
        "type": "block_actions",
        "team": {"id": WORKSPACE},
        "user": {"id": "UDWAYNE", "team_id": WORKSPACE},
        "channel": {"id": "D1"},
        "trigger_id": "1.1",
        "actions": [{"type": "button", "action_id": "feedback", "block_id": "b", "value": "down:1"}],
    }
    words = urlencode({"payload": json.dumps(body)})
    headers = signed(world, words) | {"Content-Type": "application/x-www-form-urlencoded"}
    assert door.post("/slack/events", content=words, headers=headers).status_code == 200
    assert not world.slack.calls("chat.postEphemeral")


# --- where we go ---------------------------------------------------------------------------------------------------


def test_whatever_an_employee_writes_nobody_but_slack_is_called(world, monkeypatch):
    """No link is followed, no file fetched, no address of a message looked up."""
    called, connect = set(), socket.socket.connect

    def watched(self: socket.socket, address: object) -> None:
        called.add(address)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", watched)
    for text in ("see http://169.254.169.254/latest/meta-data", "<http://127.0.0.1:1/x|my plan>", "file:///etc/passwd"):
        world.say("UDWAYNE", text, files=[{"id": "F1", "url_private": "http://127.0.0.1:1/evil"}])
    assert len(world.posted) == 3
    assert called <= {("127.0.0.1", world.slack.port)}


def test_only_the_slack_client_and_sign_in_can_reach_out_at_all():
    clients = {"httpx", "requests", "aiohttp", "urllib.request", "http.client", "urllib3", "ftplib", "smtplib"}
    found = set()
    for file in PROGRAM:
        if file.parts[1] in ("localslack", "bench"):
            continue  # no part of what serves people
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= {(file.as_posix(), name) for name in names if name in clients}
    assert {file for file, _ in found} <= {"bot/console/signing_in.py", "bot/operations/doctor.py"}


def test_nothing_in_the_program_runs_code_or_commands_made_of_words():
    calls = {"eval", "exec", "compile", "__import__"}
    found = []
    for file in PROGRAM:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", "")
                shell = any(word.arg == "shell" for word in node.keywords)
                unsafe = isinstance(node.func, ast.Attribute) and node.func.attr in ("loads", "load", "system", "popen")
                owner = getattr(getattr(node.func, "value", None), "id", "") if unsafe else ""
                if name in calls or shell or owner in ("pickle", "marshal", "shelve", "os"):
                    found.append(f"{file}:{node.lineno}")
    assert found == []


# --- content -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ fact.__globals__ }}",
        "{{ fact.__init__.__globals__ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ lipsum.__globals__ }}",
        "{{ cycler.__init__ }}",
        "{{ fact['__code__'] }}",
        "{{ ''|attr('__class__') }}",
        "{{ name.format(x=fact) }}",
        "{{ name.ljust(9999999999) }}",
        "{{ 'x' * 9999999999 }}",
        "{{ 9 ** 9 ** 9 ** 9 }}",
        "{{ '%99999999999d' % 1 }}",
        "{% for a in range(99999999999) %}x{% endfor %}",
        "{% for a in name %}{% for b in name %}x{% endfor %}{% endfor %}",
        "{% set a = 1 %}{{ a }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% include 'employer.yaml' %}",
        "{% import 'x' as y %}",
        "{% extends 'x' %}",
        "{{ misspelt }}",
        "{{ misspelt.name }}",
    ],
)
def test_a_card_can_not_reach_python_nor_keep_the_machine_busy(template):
    with pytest.raises(TemplateError):
        fill(template, {"fact": lambda name: name, "name": "Rosa"})


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['true']",
        "!!python/name:os.system",
        "a: &a [x]\nb: [*a, *a]",
        "[" * 100_000,
        "- " * 100_000,
    ],
)
def test_a_content_file_can_not_run_code_nor_fill_the_memory(text, tmp_path):
    import yaml

    with pytest.raises(yaml.YAMLError):
        read_yaml(text)
    (tmp_path / "employer.yaml").write_text(text)
    _, problems = read(tmp_path)
    assert any(problem.file == "employer.yaml" and "not readable as YAML" in problem.sentence for problem in problems)


@pytest.mark.parametrize(
    "template",
    [
        "{{ " + "(" * 3000 + "name" + ")" * 3000 + " }}",
        "{{ " + "(" * 60 + "name" + ")" * 60 + " }}",
        "{% if name %}" * 500 + "x" + "{% endif %}" * 500,
        "{{ " + "not " * 3000 + "name }}",
        "{{ " + "name and " * 3000 + "name }}",
    ],
)
def test_a_text_that_stands_too_deep_in_itself_is_told_in_a_sentence(template, tmp_path):
    with pytest.raises(TemplateError, match="please make it simpler"):
        fill(template, {"name": "Rosa"})
    content = Path(shutil.copytree("content", tmp_path / "content"))
    card = content / "cards" / "supports" / "child-care.yaml"
    values = read_yaml(card.read_text(encoding="utf-8"))
    values["answer"]["en"] = template.replace("name", "first_name")
    card.write_text(json.dumps(values, default=str), encoding="utf-8")
    with pytest.raises(ContentError) as refused:
        load(content)
    assert any("please make it simpler" in problem.sentence for problem in refused.value.problems)


def test_a_huge_content_file_is_read_quickly_or_refused(tmp_path):
    started = time.process_time()
    assert len(read_yaml("".join(f"key{number}: 1\n" for number in range(20_000)))) == 20_000
    assert time.process_time() - started < 5
    (tmp_path / "employer.yaml").write_text("a: b\n" * 600_000)
    _, problems = read(tmp_path)
    assert any(each.file == "employer.yaml" and "larger than 2 MB" in each.sentence for each in problems)


def test_a_content_file_that_leads_elsewhere_is_not_read_nor_quoted(tmp_path):
    secret = tmp_path / "trellis.env"
    secret.write_text("SLACK_BOT_TOKEN=xoxb-very-secret,b\nc: d\n")
    content = Path(shutil.copytree("content", tmp_path / "content"))
    names = ("data/wages.csv", "offices.yaml", "cards/supports/child-care.yaml")
    for name in names:
        (content / name).unlink()
        (content / name).symlink_to(secret)
    (content / "facts" / "circle.yaml").symlink_to(content / "facts" / "circle.yaml")
    before = revision(content)
    _, problems = read(content)
    told = {each.file: each.sentence for each in problems}
    assert all("outside the content folder" in told[name] for name in (*names, "facts/circle.yaml"))
    assert "very-secret" not in str(problems)
    secret.write_text("SLACK_BOT_TOKEN=another")
    assert revision(content) == before, "not even its fingerprint"


def test_content_may_be_linked_within_its_own_folder(tmp_path):
    """As Kubernetes does it: each file is a link into a folder of its own that is exchanged as a whole."""
    shutil.copytree("content", tmp_path / "content" / "data-1")
    for file in (tmp_path / "content" / "data-1").iterdir():
        (tmp_path / "content" / file.name).symlink_to(Path("data-1") / file.name)
    assert is_inside(tmp_path / "content", tmp_path / "content" / "offices.yaml")
    (tmp_path / "linked").symlink_to(tmp_path / "content" / "data-1")
    _, problems = read(tmp_path / "linked")
    assert not [each for each in problems if each.level == "error"]


def test_what_an_employee_is_called_is_never_a_template(world):
    kb, employee = world.desk.answering.kb, Employee(first_name="{{ fact('x') }}", language="en")
    greeted = [card for card, entry in kb.cards.items() if "first_name" in entry.answer.en]
    assert "{{ fact('x') }}" in kb.page(greeted[0], employee, "en", world.now().date()).text
    world.say("UDWAYNE", "{{ 7*7 }} {% for x in y %}")
    assert "49" not in world.last["text"]


# --- secrets -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", ["x", "change-me", "x" * 64])
def test_a_console_secret_that_can_be_guessed_is_refused_at_start(secret, capsys):
    settings = Settings(_env_file=None, slack_bot_token="xoxb-1", slack_app_token="xapp-1", console_secret=secret)
    assert run_serve(Namespace(only=[], engine="own"), settings) == 2
    assert "openssl rand -hex 32" in capsys.readouterr().err
    good = settings.model_copy(update={"console_secret": "0123456789abcdef0123456789abcdef"})
    assert problem_with(good, ("console",), ()) == problem_with(settings, ("slack",), ()) == ""


def test_secrets_are_not_in_the_representation_of_settings(console):
    secrets = {
        name: f"very-secret-{name}"
        for name in Settings.model_fields
        if name.endswith(("token", "secret")) or name == "database_url"
    }
    assert len(secrets) == 6
    settings = Settings(_env_file=None, **secrets)
    assert "very-secret" not in f"{settings!r} {settings}"
    assert console.parts.secret not in repr(console.parts)
    assert console.parts.client_secret not in repr(console.parts)


def test_no_secret_stands_in_a_file_that_is_kept_in_git():
    import subprocess

    known = re.compile(r"xox[bpar]-\d{6,}-|xapp-\d-[A-Z0-9]{8,}-|-----BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}")
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=False).stdout.split()
    for name in listed or [str(file) for file in PROGRAM]:
        file = Path(name)
        if file.suffix not in (".png", ".lock") and file.is_file():
            assert not known.search(file.read_text(encoding="utf-8", errors="ignore")), name


# --- the app's rights ----------------------------------------------------------------------------------------------

# Slack's page of each event and feature names the scope that it needs.
EVENTS_NEED = {
    "message.im": "im:history",
    "team_join": "users:read",
    "user_change": "users:read",
    "app_home_opened": None,
    "app_uninstalled": None,
    "tokens_revoked": None,
}
FEATURES_NEED = {"agent_view": "assistant:write", "slash_commands": "commands"}
# The coaches' channel, public or private, is read back when it is not known whether a card arrived there.
COACH_CHANNEL_NEEDS = {"channels:history", "groups:history"}


def methods_called() -> set[str]:
    """Web API methods in the code, by their Python names."""
    names = {method.replace(".", "_"): method for method in METHODS}
    called = set()
    for file in (file for file in PROGRAM if file.parts[1] not in ("localslack", "bench")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                called |= {names[node.attr]} if node.attr in names else set()
                called |= {"files.getUploadURLExternal"} if node.attr == "files_upload_v2" else set()
    return called


def test_the_app_asks_for_the_scopes_that_it_uses_and_for_no_other():
    assert methods_called() >= {"chat.postMessage", "conversations.history", "users.lookupByEmail", "dnd.teamInfo"}
    needed = {METHODS[method].scopes[0] for method in methods_called() if METHODS[method].scopes}
    needed |= {EVENTS_NEED[event] for event in MANIFEST["settings"]["event_subscriptions"]["bot_events"]} - {None}
    needed |= {FEATURES_NEED[feature] for feature in MANIFEST["features"] if feature in FEATURES_NEED}
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == needed | COACH_CHANNEL_NEEDS


# --- files and addresses -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "/static/../../../.env",
        "/static/%2e%2e/%2e%2e/%2e%2e/.env",
        "/static/..%2f..%2f..%2f.env",
        "/static//etc/passwd",
        "/content/..%2f..%2f..%2f.env/x",
        "/content/cards/..%2f..%2femployer",
        "/dashboards/..%2f..%2fx.csv",
        "/static/%00",
    ],
)
def test_no_address_leads_to_a_file_outside(console, address):
    answer = console.as_("ben").get(address)
    assert answer.status_code in (303, 307, 404, 422)
    assert "DATABASE_URL" not in answer.text
    assert "root:" not in answer.text


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_of_a_download_is_never_a_formula(start):
    evil, report = f"{start}HYPERLINK(1)", io.StringIO()
    write_report(report)(2, evil, evil)
    chart = Chart("name", "title", "says", "ranking", ("column",), ((evil, (7,)),))
    cells = [each for file in (report.getvalue(), as_csv(chart)) for row in csv.reader(io.StringIO(file)) for each in row]
    assert any("HYPERLINK" in each for each in cells)
    assert not [each for each in cells if each.startswith(("=", "+", "-", "@", "\t", "\r"))]


# --- packages ------------------------------------------------------------------------------------------------------


def test_an_audit_that_could_not_be_made_says_so_and_never_claims_to_have_found_nothing():
    verdict = runpy.run_path(".ci/audit.py")["verdict"]
    hole = {"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}
    clean, skipped = {"name": "b", "version": "1", "vulns": []}, {"name": "c", "skip_reason": "not found"}
    for ours, known_bad in ((None, [hole]), ([clean], None), ([clean], [skipped]), ([skipped], [clean])):
        code, said = verdict(ours, known_bad)
        assert code == 0
        assert "were not audited" in said[0]
    assert verdict([clean, skipped], [hole]) == (
        0,
        ["c: not audited, not found", "1 locked packages audited: no hole is known."],
    )
    code, said = verdict([clean, hole], [hole])
    assert code == 1
    assert said[0] == "a 1: CVE-1, mended in 2"
