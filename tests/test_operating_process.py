"""`trellis run` in a process of its own: its probes answer, its traces arrive, its log tells ids and no words."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bot.__main__ import read_settings
from bot.localslack import LocalSlack
from bot.localslack.workspace import User
from bot.version import VERSION
from tests.conftest import WORKSPACE
from tests.http_servers import wait_for

SAID = "who pays for school, asks quetzalcoatl"
PERSON = "U1DWAYNE"


@dataclass
class Collector:
    """Takes spans as an OpenTelemetry collector does."""

    raw: bytes = b""
    spans: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def take(self, body: bytes) -> None:
        self.raw += body
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    ids = {each.key: each.value.string_value or str(each.value.int_value) for each in span.attributes}
                    self.spans.append((span.name, ids))


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    collector.url = f"http://127.0.0.1:{server.server_port}"
    yield collector
    server.shutdown()
    server.server_close()


@pytest.fixture
def slack() -> Iterator[LocalSlack]:
    manifest = json.loads(Path("manifest.json").read_text(encoding="utf-8"))
    with LocalSlack(manifest, [User(PERSON, "Dwayne Ellis", "dwayne@lakeshore.example")], team_id=WORKSPACE) as slack:
        yield slack


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def start(slack: LocalSlack, database_url: str, log: Path, **settings: str) -> subprocess.Popen[bytes]:
    tokens = {"SLACK_BOT_TOKEN": "xoxb-local", "SLACK_APP_TOKEN": "xapp-local", "SLACK_API_URL": slack.api_url}
    logs = {"LOG_FORMAT": "json", "LOG_LEVEL": "DEBUG"}
    environment = os.environ | tokens | logs | {"DATABASE_URL": database_url} | settings
    with log.open("wb") as out:
        return subprocess.Popen([sys.executable, "-m", "bot", "run"], env=environment, stdout=out, stderr=out)


def test_an_operator_watches_a_process_from_its_start_to_its_end(slack, sessions, database_url, collector, tmp_path):
    log, port = tmp_path / "log", free_port()
    url = f"http://127.0.0.1:{port}"
    process = start(slack, database_url, log, OPERATIONS_PORT=str(port), OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    try:
        wait_for(lambda: answers(f"{url}/readyz"), 90)
        assert httpx.get(f"{url}/healthz").json()["ok"] is True
        assert "trellis_reply_seconds_count 0.0" in httpx.get(f"{url}/metrics").text
        dwayne = slack.as_user(PERSON)
        dwayne.ask(SAID)
        wait_for(lambda: "trellis_reply_seconds_count 1.0" in httpx.get(f"{url}/metrics").text, 20)
        wait_for(lambda: "trellis_last_tick_timestamp_seconds" in httpx.get(f"{url}/metrics").text, 20)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    written = log.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in written.splitlines()]
    told = [line["message"] for line in lines if line["logger"] == "bot.running"]
    assert told[0] == f"Trellis {VERSION} starts: slack, deliver, checkins, console"
    assert re.fullmatch(rf"running: .*; content \w{{12}}; probes at 127.0.0.1:{port}; Slack over Socket Mode", told[1])
    assert told[2:] == ["stopping: finishing what is in hand", "stopped"]
    assert not [line for line in lines if line["logger"].startswith("bot.") and line["message"].startswith("client.py")]
    question = next(line for line in lines if line["message"] == "question")
    assert {"event", "inbox", "exchange", "outbox", "ms"} <= set(question)
    assert any(line["level"] == "debug" and line["logger"].startswith("slack") for line in lines)
    spans = dict(collector.spans)
    assert spans["question"]["trellis.exchange"] == spans["send"]["trellis.exchange"] == str(question["exchange"])
    for secret in ("quetzalcoatl", "xoxb-local", "xapp-local"):
        assert secret not in written.lower()
        assert secret.encode() not in collector.raw.lower()


def test_a_port_that_is_taken_is_told_and_employees_are_served_all_the_same(slack, sessions, database_url, tmp_path):
    log = tmp_path / "log"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start(slack, database_url, log, OPERATIONS_PORT=str(port))
        try:
            slack.workspace.until(lambda: slack.delivery.sockets, 90)
            assert "school" in slack.as_user(PERSON).ask("who pays for school")["text"].lower()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    assert f"no probes and metrics: 127.0.0.1:{port} can't be opened" in log.read_text(encoding="utf-8")


def test_an_env_file_of_somebody_else_is_told_in_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o755)
    (tmp_path / ".env").write_text("LOG_LEVEL=INFO\n")
    (tmp_path / ".env").chmod(0o600 if os.geteuid() == 0 else 0o000)
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)  # root may read everything; the user of a service may not
    try:
        with pytest.raises(SystemExit) as ended:
            read_settings()
    finally:
        os.seteuid(me)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "/.env can't be read: Permission denied. Give it to the user that runs Trellis" in said


def test_a_setting_that_makes_no_sense_is_told_in_a_sentence():
    environment = os.environ | {"LOG_LEVEL": "LOUD"}
    run = subprocess.run([sys.executable, "-m", "bot", "run"], env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "LOG_LEVEL: Input should be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'" in run.stderr
    assert "Traceback" not in run.stderr


def trellis(*words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """The command as an operator types it."""
    command = [sys.executable, "-m", "bot", *words]
    return subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, check=False)


def test_which_trellis_it_is():
    assert trellis("--version").stdout == f"trellis {VERSION}\n"
    assert tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]["version"] == VERSION


@pytest.mark.parametrize(
    ("words", "settings", "says"),
    [
        (["db", "upgrade"], {"DATABASE_URL": "foo"}, "DATABASE_URL is no address of a database."),
        (["db", "upgrade"], {"DATABASE_URL": "mysql://a:hunter2@b/c"}, "DATABASE_URL begins with mysql://, which Trellis"),
        (["db", "upgrade"], {"DATABASE_URL": "sqlite:////proc/nowhere/t.db"}, "/proc/nowhere"),
        (
            ["db", "upgrade"],
            {"DATABASE_URL": "sqlite:////proc/t.db"},
            "The database /proc/t.db can't be opened or made (SQLITE_CA",
        ),
        (["ask", "hi"], {"ENCODERS": "foo"}, "ENCODERS: “foo” is not an encoder. Take minilm or use"),
        (["run"], {"PORT": "99999"}, "PORT: Input should be less than or equal to 65535"),
    ],
)
def test_what_a_setting_makes_impossible_is_told_in_a_sentence(words, settings, says):
    done = trellis(*words, **settings)
    assert done.returncode in (1, 2)
    assert says in done.stderr
    assert "nobody handled" not in done.stderr
    assert "hunter2" not in done.stderr


def test_who_is_told_to_stop_while_the_start_learns_stops(slack, sessions, database_url, tmp_path):
    """Nothing is in hand then; an engine that waits for ten seconds need not kill it."""
    log = tmp_path / "log"
    process = start(slack, database_url, log, OPERATIONS_PORT="0", MODEL_DIR=str(tmp_path / "models"))
    try:
        wait_for(lambda: "learning from" in log.read_text(encoding="utf-8"), 90)
        process.send_signal(signal.SIGHUP)  # a reload that comes too early is no end
        time.sleep(0.5)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
    assert "told to stop before the start was complete" in log.read_text(encoding="utf-8")
