"""Every door, with what nobody would send: nothing falls over, nothing that was acknowledged is lost."""

import copy
import hmac
import json
import re
import shutil
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from slack_bolt import App, BoltRequest
from slack_sdk import WebClient
from sqlmodel import select
from starlette.testclient import TestClient

from bot.app import register_listeners
from bot.config import Settings
from bot.domain.problems import ContentError
from bot.knowledge_base import load
from bot.services.inbox import sweep
from bot.services.roster import import_roster
from bot.slack import blocks, checkin_blocks, coaching, plan_blocks, plan_views
from bot.slack.installing import Front
from bot.slack.receiving import serve_events
from storage.models import InboxItem
from tests.conftest import NOW, ROSTER, WORKSPACE, RunAtOnce, World
from tests.console_world import Console, console_of  # noqa: F401  console_of is the fixture

# The same examples each time; the fixtures are shared by all of them on purpose: what came before must not matter.
calm = settings(
    max_examples=50,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # a failure names its example; making it smaller takes minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

HOSTILE = [
    "",
    "\x00",
    "\ud800",
    "a" * 5_000,
    "'; DROP TABLE person; --",
    "{{ 7*7 }}",
    "<@UROSA> <!channel> <script>",
    "../../etc/passwd",
    "%s%n{0}",
    "9" * 60,
    "-1",
    "٣",
    "1e309",
    "\u202e\u2066",
    "🧹" * 200,
]
words = st.sampled_from(HOSTILE) | st.text(max_size=20)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | words
anything = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=5
)


# --- what Slack sends --------------------------------------------------------------------------------------------


def event(**values: Any) -> dict[str, Any]:
    values = {
        "type": "message",
        "channel_type": "im",
        "channel": "DDWAYNE",
        "user": "UDWAYNE",
        "ts": "1795446000.1",
    } | values
    return {"type": "event_callback", "team_id": WORKSPACE, "event_id": "Ev1", "event": values}


def press(action: str, value: str) -> dict[str, Any]:
    return interaction("block_actions") | {
        "channel": {"id": "DDWAYNE"},
        "message": {"ts": "1795446000.1", "blocks": []},
        "response_url": "http://127.0.0.1:9/none",
        "actions": [{"type": "button", "action_id": action, "block_id": "b", "value": value}],
    }


def form(name: str, metadata: str = "1", **fields: Any) -> dict[str, Any]:
    values = {block: {"value": value, "text": value} for block, value in fields.items()}
    view = {"id": "V1", "type": "modal", "callback_id": name, "private_metadata": metadata, "state": {"values": values}}
    return interaction("view_submission") | {"view": view}


def interaction(kind: str) -> dict[str, Any]:
    return {"type": kind, "team": {"id": WORKSPACE}, "user": {"id": "UDWAYNE", "team_id": WORKSPACE}, "trigger_id": "1.1.x"}


ACCOUNT = {"id": "UDWAYNE", "team_id": WORKSPACE, "profile": {"email": "dwayne@lakeshore.example"}, "tz": "America/Chicago"}
CHANGED = {"user": "UDWAYNE", "ts": "1795446000.1", "text": "changed"}
EVENTS = [
    event(text="what does a cook make"),
    event(text="hello", thread_ts="1795446000.0"),
    event(text="a file", subtype="file_share", files=[{"id": "F1"}]),
    event(subtype="message_changed", message=CHANGED, previous_message={"text": "before"}),
    event(subtype="message_deleted", previous_message=CHANGED),
    event(type="app_home_opened", tab="home"),
    event(type="team_join", user=ACCOUNT),
    event(type="user_change", user=ACCOUNT | {"deleted": True}),
    event(type="tokens_revoked", tokens={"bot": ["UBOT"]}),
]
PLAN = [name for name in vars(plan_blocks) if name.isupper() and isinstance(getattr(plan_blocks, name), str)]
PRESSES = [
    press(f"{blocks.CHOOSE_CARD}:0", "supports/child-care"),
    press(blocks.TALK_TO_A_PERSON, "1"),
    press(blocks.FEEDBACK, "down:1"),
    press(f"{blocks.FEEDBACK_REASON}:unclear", "unclear:1"),
    *(press(f"{getattr(plan_blocks, name)}:1", value) for name in PLAN for value in ("1", "done:1", "roles/cook")),
    *(press(f"{checkin_blocks.ACTION}:1", f"{verb}:1:2026-12-01T10:00") for verb in ("yes", "accept", "times", "calendar")),
    *(press(name, "1") for name in (coaching.CLAIM, coaching.EXPORT, coaching.READERS, coaching.ERASE)),
]
CHOICE = {"selected_option": {"value": "x"}, "selected_options": [{"value": "x"}], "selected_date": "2026-12-01"}
FORMS = [
    form("ask_view", question="who pays for school"),
    form(plan_views.ABOUT_VIEW, "", **dict.fromkeys(("education", "credentials", "weekend", "used", "words"), CHOICE)),
    form(plan_views.WHY_VIEW, reason=CHOICE),
    form(plan_views.REQUEST_VIEW, "cna:1", words="please"),
    form(checkin_blocks.PREPARE_VIEW, **{f"{each}{n}": CHOICE for each in ("topic", "text", "share") for n in range(3)}),
    form(checkin_blocks.TIMES_VIEW, times=CHOICE),
    form(checkin_blocks.SKIP_VIEW, reason=CHOICE),
    form(checkin_blocks.PROMISE_VIEW, text="I will", day=CHOICE, share=CHOICE),
]
COMMAND = {"command": "/career", "text": "pay", "user_id": "UDWAYNE", "team_id": WORKSPACE, "trigger_id": "1.2.x"}
SHORTCUT = interaction("shortcut") | {"callback_id": "ask_career"}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to everything inside a payload."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield (*path, key)
        yield from places(each, (*path, key))


@st.composite
def spoilt(draw: Any, payloads: list[dict[str, Any]]) -> dict[str, Any]:
    """A payload as Slack sends it, with one to three places in it that are missing or something else."""
    payload = copy.deepcopy(draw(st.sampled_from(payloads)))
    for _ in range(draw(st.integers(1, 3))):
        *way, last = draw(st.sampled_from(list(places(payload))))
        at = payload
        for key in way:
            at = at[key]
        if draw(st.booleans()):
            at[last] = draw(anything)
        elif isinstance(at, dict):
            del at[last]
        if not payload:
            break
    return payload


@pytest.fixture
def app(world: World) -> App:
    """All listeners, with everything done when `dispatch` returns."""
    client = WebClient(token="xoxb-local", base_url=world.slack.api_url)
    app = App(
        client=client, token_verification_enabled=False, request_verification_enabled=False, listener_executor=RunAtOnce()
    )
    register_listeners(app, Settings(_env_file=None, console_url="http://console.test"), world.desk, WORKSPACE)
    for listener in app._listeners:
        listener.ack_timeout = 0  # it has run when Bolt begins to wait for its acknowledgement
    world.slack.delivery.app = app
    world.say("UDWAYNE", "hello")
    return app


def send(app: App, payload: Any) -> int:
    try:
        request = BoltRequest(body=payload, mode="socket_mode")
    except Exception:
        return 400  # Bolt's client logs it and goes on
    return Front({"": app}, lambda *_: "").dispatch(request).status


def all_is_well_afterwards(world: World) -> None:
    """Nothing that was kept lies about, and people get answers."""
    world.passed += timedelta(minutes=2)
    for _ in range(6):
        sweep(world.desk)
        world.passed += timedelta(seconds=15)
    assert [item for item in kept(world) if item.done_at is None] == []


def kept(world: World) -> list[InboxItem]:
    with world.desk.sessions() as session:
        return list(session.exec(select(InboxItem)).all())


@calm
@given(spoilt(EVENTS))
def test_no_event_makes_it_fall_over_and_what_was_kept_is_brought_to_its_end(world, app, payload):
    assert send(app, payload) in (200, 400, 404, 500)
    all_is_well_afterwards(world)


@calm
@given(spoilt(PRESSES))
def test_no_press_makes_it_fall_over(world, app, payload):
    assert send(app, payload) in (200, 400, 404, 500)
    all_is_well_afterwards(world)


@calm
@given(spoilt(FORMS) | spoilt([COMMAND, SHORTCUT]))
def test_a_form_or_command_is_taken_or_refused_whole(world, app, payload):
    """What is not acknowledged, Slack shows as failed: then nothing of it may have been kept."""
    before = len(kept(world))
    status = send(app, payload)
    assert status == 200 or len(kept(world)) == before
    all_is_well_afterwards(world)


@settings(calm, max_examples=25)
@given(st.sampled_from(HOSTILE) | st.text(max_size=300))
def test_whatever_somebody_writes_is_answered_once(world, app, text):
    def replies() -> int:
        return sum(message["channel"] == "DDWAYNE" for message in world.posted)

    before = replies()
    assert send(app, event(text=text, ts=world.slack.clock.ts())) == 200
    all_is_well_afterwards(world)
    assert replies() == before + 1


@settings(calm, max_examples=40)
@given(st.binary(max_size=200) | st.builds(lambda value: json.dumps(value).encode(), anything))
def test_any_bytes_at_the_http_door_are_refused_in_order(app, body):
    door = TestClient(serve_events(Front({"": app}, lambda *_: ""), "secret"))
    for kind in ("application/json", "application/x-www-form-urlencoded", "text/plain"):
        for sent in (body, urlencode({"payload": body.decode("utf-8", "replace")}).encode()):
            assert door.post("/slack/events", content=sent, headers=signed(sent) | {"Content-Type": kind}).status_code < 500


def signed(body: bytes) -> dict[str, str]:
    now = str(int(time.time()))
    signature = hmac.new(b"secret", b"v0:" + now.encode() + b":" + body, "sha256").hexdigest()
    return {"X-Slack-Request-Timestamp": now, "X-Slack-Signature": f"v0={signature}"}


# --- files ---------------------------------------------------------------------------------------------------------


@calm
@given(st.data())
def test_any_people_file_is_imported_or_refused_in_sentences(world, tmp_path, data):
    lines = ROSTER.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        number = data.draw(st.integers(0, len(lines) - 1))
        cells = lines[number].split(",")
        cells[data.draw(st.integers(0, len(cells) - 1))] = data.draw(words).replace("\ud800", "?")
        lines[number] = ",".join(cells)
    file = tmp_path / "people.csv"
    file.write_bytes("\n".join(lines).encode("utf-8", "replace") + data.draw(st.binary(max_size=10)))
    _, problems = import_roster(world.desk.sessions, WORKSPACE, file, world.desk.answering.kb.roles, NOW, dry_run=True)
    assert all(problem.sentence and "Traceback" not in problem.sentence for problem in problems)


FILES = {
    file.relative_to("content").as_posix(): file.read_text(encoding="utf-8")
    for file in sorted(Path("content").rglob("*.yaml"))
    if file.parts[1] not in ("cards", "roles", "programs", "tests", "sample") or file.name[0] in "abc"
}


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree("content", tmp_path_factory.mktemp("fuzzing") / "content"))


@st.composite
def spoilt_content(draw: Any) -> tuple[str, bytes]:
    """A content file and what somebody made of it."""
    name, good = draw(st.sampled_from(list(FILES.items())))
    found = yaml.safe_load(good)
    ways = list(places(found))
    if not ways or not draw(st.integers(0, 3)):
        return name, good[: draw(st.integers(0, len(good)))].encode() + draw(st.binary(max_size=8))
    *way, last = draw(st.sampled_from(ways))
    at = found
    for key in way:
        at = at[key]
    at[last] = draw(anything)
    return name, yaml.safe_dump(found).encode("utf-8", "replace")


@settings(calm, max_examples=8)
@given(st.lists(spoilt_content(), min_size=5, max_size=10))
def test_content_files_are_good_or_told_about_in_sentences(content, files):
    for name, spoilt_file in files:
        (content / name).write_bytes(spoilt_file)
    try:
        told = load(content)
    except ContentError as error:
        told = error.problems
    finally:
        for name, _ in files:
            (content / name).write_text(FILES[name], encoding="utf-8")
    assert told, "refused without a reason"
    if isinstance(told, list):
        assert all(problem.file and problem.sentence for problem in told)


# --- the console ---------------------------------------------------------------------------------------------------

FIELDS = [
    "reason",
    "exchange",
    "until",
    "text",
    "q",
    "state",
    "label",
    "verdict",
    "card",
    "page",
    "after",
    "site",
    "name",
    "next",
]


def addresses(console: Console, method: str) -> list[str]:
    """Those of every route, with the parts to be filled in as {…}."""
    found = set()
    for route in console.app.routes:
        for inner in getattr(getattr(route, "original_router", None), "routes", [route]):
            if method in (getattr(inner, "methods", None) or ()) and inner.name not in ("sign_out", "sign_in_with_slack"):
                found.add(re.sub(r"{\w+(:\w+)?}", "{}", inner.path))
    return sorted(found)


def test_no_address_and_no_form_of_the_console_makes_it_fall_over(console):
    console.world.say("UROSA", "hola")
    browser = console.as_("ben")
    csrf, ways = browser.csrf, {method: addresses(console, method) for method in ("GET", "POST")}
    assert len(ways["GET"]) > 15
    assert len(ways["POST"]) > 15
    word = words.filter(lambda each: "\ud800" not in each)

    @settings(calm, max_examples=150)
    @given(st.data())
    def knock(data: Any) -> None:
        method = data.draw(st.sampled_from(["GET", "POST"]))
        way = data.draw(st.sampled_from(ways[method]))
        parts = [quote(data.draw(st.just("1") | word), safe="") or "x" for _ in range(way.count("{}"))]
        fields = data.draw(st.dictionaries(st.sampled_from(FIELDS), st.just("1") | word, max_size=5))
        if method == "GET":
            answer = browser.client.get(way.format(*parts), params={name: each[:2000] for name, each in fields.items()})
        else:
            answer = browser.client.post(way.format(*parts), data=fields | {"csrf": csrf})
        assert answer.status_code < 500, (method, way, parts, fields)

    knock()
