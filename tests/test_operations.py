"""What an operator sees of a running Trellis: probes and metrics, on good days and bad ones."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlmodel import Session
from starlette.testclient import TestClient

from bot.operations.figures import count_causes
from bot.operations.probes import Watched
from bot.operations.server import operations_app
from bot.services.delivery import deliver_due
from bot.services.inbox import sweep
from bot.services.queues import claim_next, put
from bot.version import VERSION
from tests.conftest import NOW, WORKSPACE, World


@dataclass
class Operator:
    """Somebody who looks at the operations port. The process's own state is set here."""

    world: World
    last_round: datetime | None = NOW
    idle: timedelta = timedelta.max
    accepting: bool | None = True
    works_jobs: bool = True
    refused: tuple[str, ...] = ()
    database_is_away: bool = False
    asked_slack: int = 0
    client: TestClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.look_at()

    def look_at(self) -> TestClient:
        """A process that was just started."""
        watched = Watched(
            sessions=self.sessions,
            clock=self.world.now,
            started_at=NOW,
            content_revisions=lambda: [self.world.desk.answering.kb.revision],
            last_round=lambda: self.last_round,
            last_tick=lambda: self.last_round,
            idle=lambda: self.idle,
            accepting=lambda: self.accepting,
            reach_slack=self.reach_slack,
            works_jobs=self.works_jobs,
            content_refused=lambda: self.refused,
        )
        return TestClient(operations_app(watched))

    def sessions(self) -> Session:
        if self.database_is_away:
            raise ConnectionRefusedError(111, "Connection refused to db.internal for secret-user")
        return self.world.desk.sessions()

    def reach_slack(self) -> None:
        self.asked_slack += 1
        self.world.app.client.auth_test()

    def ready(self) -> tuple[int, dict[str, tuple[bool, str]]]:
        answer = self.client.get("/readyz")
        return answer.status_code, {check["name"]: (check["ok"], check["says"]) for check in answer.json()["checks"]}

    def metrics(self, client: TestClient | None = None) -> dict[str, float]:
        """`name{label}` → value."""
        families = text_string_to_metric_families((client or self.client).get("/metrics").text)
        samples = [sample for family in families for sample in family.samples]
        return {
            sample.name + "".join(f"{{{value}}}" for value in sample.labels.values()): sample.value for sample in samples
        }


@pytest.fixture
def operator(world: World) -> Operator:
    return Operator(world)


def test_a_process_whose_jobs_go_round_is_alive(operator):
    operator.world.passed = timedelta(minutes=4)
    assert operator.client.get("/healthz").status_code == 200


def test_a_process_whose_jobs_stand_still_is_not(operator):
    operator.world.passed = timedelta(minutes=6)
    answer = operator.client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json()["checks"][0]["says"] == "The jobs last showed a sign of life 360 s ago."


def test_a_process_that_sends_a_queue_of_hours_is_alive(operator):
    operator.world.passed, operator.idle = timedelta(hours=2), timedelta(seconds=3)
    assert operator.client.get("/healthz").status_code == 200


def test_a_process_that_has_just_begun_is_given_time_for_its_first_round(operator):
    operator.last_round = None
    assert operator.client.get("/healthz").status_code == 200
    operator.world.passed = timedelta(minutes=6)
    assert operator.client.get("/healthz").status_code == 503


def test_a_process_without_jobs_is_alive_as_long_as_it_answers(operator):
    operator.works_jobs, operator.last_round = False, None
    operator.world.passed = timedelta(hours=1)
    assert operator.look_at().get("/healthz").status_code == 200


def test_ready_says_each_thing_in_a_sentence(operator):
    status, checks = operator.ready()
    assert status == 200
    assert checks == {
        "database": (True, "The database answers."),
        "inbox": (True, "Nothing waits."),
        "outbox": (True, "Nothing waits."),
        "slack": (True, "Slack answers and reaches this process."),
        "content": (True, f"Content {operator.world.desk.answering.kb.revision} is loaded."),
    }


def test_without_the_database_it_is_alive_and_not_ready_and_tells_no_secret(operator):
    operator.database_is_away = True
    status, checks = operator.ready()
    assert status == 503
    assert checks["database"] == (False, "The database does not answer (ConnectionRefusedError: Connection refused).")
    assert operator.client.get("/healthz").status_code == 200
    assert operator.metrics()["trellis_database_up"] == 0
    assert "secret-user" not in operator.client.get("/readyz").text


def test_a_closed_socket_or_a_revoked_token_is_not_ready(operator):
    operator.accepting = False
    assert operator.ready()[1]["slack"][0] is False
    operator.accepting = True
    operator.world.slack.web_api.bot_token = "xoxb-another"
    operator.world.passed = timedelta(minutes=1)
    status, checks = operator.ready()
    assert status == 503
    assert "SlackApiError: invalid_auth" in checks["slack"][1]


def test_content_that_is_refused_shows_and_employees_are_served_all_the_same(operator):
    assert operator.metrics()["trellis_content_refused"] == 0
    operator.refused = ("content",)
    status, checks = operator.ready()
    assert status == 200
    assert checks["content"][1].endswith("What was changed in content can't be used and is not: trellis content check.")
    assert operator.metrics()["trellis_content_refused"] == 1


def test_jobs_that_never_went_well_show_as_old_as_the_process_is(operator):
    operator.last_round = None
    assert operator.metrics()["trellis_last_tick_timestamp_seconds"] == NOW.timestamp()
    operator.works_jobs = False
    assert "trellis_last_tick_timestamp_seconds" not in operator.metrics(operator.look_at())


def test_a_balancer_goes_on_sending_when_all_processes_would_be_unready(operator, monkeypatch):
    """Else coaches and Slack would meet a closed door, and no node could be emptied, because of a queue."""

    def for_traffic() -> int:
        return operator.client.get("/readyz?for=traffic").status_code

    operator.accepting = False
    assert for_traffic() == 503, "the start is not complete"
    operator.accepting = True
    assert for_traffic() == 200
    monkeypatch.setattr("bot.slack.listeners.work_through", lambda *_: None)
    operator.world.say("UROSA", "hola")
    operator.world.passed = timedelta(minutes=5)
    operator.accepting = False
    assert operator.ready()[0] == 503
    operator.database_is_away = True
    assert (operator.ready()[0], for_traffic()) == (503, 200)


def test_which_trellis_it_is_can_be_seen(operator):
    assert operator.metrics()[f"trellis_build_info{{{VERSION}}}"] == 1
    assert operator.client.get("/readyz").json()["version"] == VERSION


def test_slack_is_asked_at_most_twice_a_minute_however_often_the_probe_comes(operator):
    for second in range(60):
        operator.world.passed = timedelta(seconds=second)
        operator.ready()
    assert operator.asked_slack == 2


def test_a_question_that_nobody_works_on_makes_it_unready_after_two_minutes(operator, monkeypatch):
    world = operator.world
    monkeypatch.setattr("bot.slack.listeners.work_through", lambda *_: None)  # the process died after the ack
    world.say("UROSA", "hola")
    world.passed = timedelta(seconds=100)
    assert operator.ready()[0] == 200
    world.passed = timedelta(seconds=130)
    status, checks = operator.ready()
    assert status == 503
    assert checks["inbox"] == (False, "The oldest question waits to be worked on since 130 s (allowed: 120 s).")
    assert operator.metrics()["trellis_inbox_lag_seconds"] == pytest.approx(130, abs=1)
    sweep(world.desk)
    assert operator.ready()[0] == 200
    assert operator.metrics()["trellis_inbox_open"] == 0


def test_a_question_that_is_being_worked_on_does_not_count_as_waiting(operator, monkeypatch):
    world = operator.world
    monkeypatch.setattr("bot.slack.listeners.work_through", lambda *_: None)
    world.say("UROSA", "hola")
    channel = world.slack.workspace.direct_message("UROSA").id
    world.passed = timedelta(minutes=3)
    assert claim_next(world.desk.sessions, f"{channel}:", world.now())
    figures = operator.metrics()
    assert (figures["trellis_inbox_open"], figures["trellis_inbox_lag_seconds"]) == (1, 0)


def test_messages_that_slack_does_not_take_show_although_each_try_makes_them_due_later(operator):
    world = operator.world
    world.slack.fault("ratelimited", times=1000)
    world.say("UROSA", "hola")
    for minute in range(1, 7):
        world.passed = timedelta(minutes=minute)
        deliver_due(world.desk.sessions, world.desk.sender, world.desk.clock)
    figures = operator.metrics()
    assert figures["trellis_outbox_lag_seconds"] == 0
    assert figures["trellis_outbox_tried"] == 1
    assert figures["trellis_outbox_oldest_tried_seconds"] == pytest.approx(360, abs=1)
    assert figures["trellis_outbox_open{ready}"] == 1
    assert operator.ready()[1]["outbox"][0] is False


def test_answers_are_counted_by_outcome_once_with_the_time_that_they_took(operator):
    world = operator.world
    world.say("UROSA", "asked before anybody looked")
    before = operator.metrics()
    assert before["trellis_answers_total{answer}"] == before["trellis_answers_total{handoff}"] == 0
    world.passed = timedelta(seconds=1)
    world.say("UDWAYNE", "what does a cook make")
    world.say("UDWAYNE", "I want to talk to a person")
    for minute in (0, 1, 3, 5, 9):  # some scrapes before, some after the rows are counted for good
        world.passed = timedelta(minutes=minute, seconds=2)
        figures = operator.metrics()
        assert figures["trellis_answers_total{answer}"] == 1
        assert figures["trellis_answers_total{handoff}"] == 1
        assert figures["trellis_reply_seconds_bucket{0.05}"] == figures["trellis_reply_seconds_count"] == 2
    world.say("UDWAYNE", "who pays for school")
    assert operator.metrics()["trellis_answers_total{answer}"] == 2


def test_a_reply_that_came_ten_minutes_late_is_counted_with_its_ten_minutes(operator):
    world = operator.world
    operator.metrics()
    world.slack.fault("ratelimited", times=1)
    world.say("UDWAYNE", "what does a cook make")
    for minute in (1, 3, 5, 7):
        world.passed = timedelta(minutes=minute)
        assert operator.metrics()["trellis_reply_seconds_count"] == 0
    world.passed = timedelta(minutes=10)
    deliver_due(world.desk.sessions, world.desk.sender, world.desk.clock)
    figures = operator.metrics()
    assert (figures["trellis_reply_seconds_bucket{300.0}"], figures["trellis_reply_seconds_bucket{+Inf}"]) == (0, 1)
    assert figures["trellis_reply_seconds_sum"] == pytest.approx(600, abs=2)
    assert figures["trellis_answers_total{answer}"] == 1


def test_who_asked_for_a_person_and_waits_is_seen(operator):
    world = operator.world
    world.say("UROSA", "hola")
    world.click("UROSA", "talk_to_a_person", "1")
    world.passed = timedelta(minutes=40)
    figures = operator.metrics()
    assert figures["trellis_handoffs_open{waiting}"] == 1
    assert figures["trellis_handoff_longest_wait_seconds"] == pytest.approx(2400, abs=1)


def test_what_slack_will_never_take_is_counted_by_a_closed_list_of_causes(operator):
    world = operator.world
    world.say("UROSA", "hola")
    assert operator.metrics()["trellis_outbox_failed{recipient}"] == 0
    with world.desk.sessions() as session:
        put(session, WORKSPACE, "to-nobody", "CGONE", {"text": "hello"}, world.now())
        session.commit()
    deliver_due(world.desk.sessions, world.desk.sender, world.desk.clock)
    assert operator.metrics()["trellis_outbox_failed{recipient}"] == 1
    words_of_slack = [("my name is Rosa and I said this", 2), ("channel_not_found", 3), ("in doubt too often", 1)]
    assert count_causes(words_of_slack) == {"recipient": 3, "token": 0, "message": 0, "in_doubt": 1, "other": 2}


def test_metrics_carry_no_word_no_name_and_no_id_of_anybody(operator):
    operator.metrics()
    operator.world.say("UROSA", "mi marcador es quetzalcoatl")
    shown = operator.client.get("/metrics").text.lower()
    assert "quetzalcoatl" not in shown
    assert "rosa" not in shown
