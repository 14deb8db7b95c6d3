"""Who gets in, and to what: every route as every role, as a manager, as an employee and as nobody."""

import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse
from starlette.testclient import TestClient

from bot.app import listen_on, serve_web
from bot.console.access import MAY, ROLES
from bot.services.escalating import escalate
from storage.models import Attention, Handoff, OutboxItem
from tests.console_world import TEAM, Console, console_of, later, sign_in  # noqa: F401  console_of is the fixture

OPEN_TO_ALL = {"sign_in_page", "sign_in_with_slack", "signed_in", "static", "career_map"}
VALUES = {"conversation_id": "1", "filter_id": "1", "label_id": "1", "reply_id": "1", "review_id": "1", "person_id": "1"}
VALUES |= {"handoff_id": "1", "interest_id": "1", "kind": "tuition", "slug": "part-time", "name": "outcomes"}


def routes(console: Console) -> list[tuple[str, str, str]]:
    """(name, method, address) of every route of the app."""
    found = []
    for route in console.app.routes:
        for inner in getattr(getattr(route, "original_router", None), "routes", [route]):
            methods = getattr(inner, "methods", None) or {"GET"}
            address = re.sub(r"{(\w+)}", lambda part: VALUES[part.group(1)], inner.path)
            found += [(inner.name, method, address) for method in methods - {"HEAD"}]
    return [each for each in found if each[0] not in OPEN_TO_ALL]


def test_every_route_stands_in_the_table_of_who_may_what_and_nothing_else_does(console):
    names = {name for name, _, _ in routes(console)}
    assert len(names) > 30
    assert names == set(MAY)


@pytest.mark.parametrize("name", [*TEAM, "marta", "rosa", "nobody", ""])
def test_every_route_as_every_role_as_a_manager_as_an_employee_and_as_nobody(console, name):
    console.world.say("UROSA", "hola")
    access = TEAM.get(name, "")
    browser = console.as_(name) if name else None
    client = browser.client if browser else console.browser()
    csrf = browser.csrf if browser and access else "guessed"
    for route, method, address in routes(console):
        if route == "sign_out":
            continue
        data = {"csrf": csrf, "reason": "a good reason", "exchange": "1", "until": "x"}
        answer = client.request(method, address, data=data if method == "POST" else None)
        refused = answer.status_code == 403 or (
            answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")
        )
        allowed = access in MAY[route]
        assert refused != allowed, f"{name or 'nobody'}: {method} {address} gave {answer.status_code}"
        assert answer.status_code < 500, f"{name}: {method} {address}"


def test_a_post_without_the_forms_secret_changes_nothing(console):
    console.world.say("UROSA", "hola")
    browser = console.as_("ben")
    for route, method, address in routes(console):
        if method == "POST":
            for data in ({}, {"csrf": "wrong"}, {"csrf": ""}):
                answer = browser.client.post(address, data={"exchange": "1", "until": "x", **data})
                assert answer.status_code == 403, route


def test_a_form_of_another_site_is_refused_even_with_the_secret(console):
    browser = console.as_("ben")
    data = {"csrf": browser.csrf, "name": "mine"}
    answer = browser.client.post("/inbox/filters", data=data, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_carmen_signs_in_through_slack_and_lands_where_she_wanted_to_go(console):
    browser = console.browser()
    asked = browser.get("/inbox?reason=waiting")
    assert asked.headers["location"] == "/sign-in?next=%2Finbox%3Freason%3Dwaiting"
    answer = sign_in(browser, "UCARMEN", "/inbox?reason=waiting")
    assert (answer.status_code, answer.headers["location"]) == (303, "/inbox?reason=waiting")
    assert browser.get("/inbox").status_code == 200


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\r\nSet-Cookie: x"]
)
def test_signing_in_never_leads_to_another_site(console, elsewhere):
    assert sign_in(console.browser(), "UCARMEN", elsewhere).headers["location"] == "/"


def test_people_without_a_role_are_told_so_and_it_is_written_down(console):
    browser = console.browser()
    assert sign_in(browser, "UMARTA").status_code == 403
    assert browser.get("/inbox").headers["location"].startswith("/sign-in")
    from storage.models import AuditEntry

    assert [entry.act for entry in console.rows(AuditEntry)] == ["was refused"]


def test_a_made_up_or_repeated_answer_of_slack_signs_nobody_in(console):
    browser = console.browser()
    to_slack = browser.get("/sign-in/slack")
    back = urlsplit(httpx.get(to_slack.headers["location"] + "&user=UCARMEN").headers["location"])
    other = console.browser()
    assert other.get(f"{back.path}?{back.query}").status_code == 400, "the state belongs to the browser that began"
    assert browser.get(f"{back.path}?code=made-up&state=made-up").status_code == 400
    assert browser.get("/signed-in?error=access_denied").status_code == 400
    assert browser.get(f"{back.path}?{back.query}").status_code == 303
    assert browser.get(f"{back.path}?{back.query}").status_code == 400, "only once"


def test_after_half_an_hour_of_silence_one_signs_in_again_and_polling_does_not_count(console):
    browser = console.as_("carmen")
    for _ in range(4):
        later(console, minutes=10)
        polled = browser.get("/inbox/counts").status_code
    assert polled == 303
    browser = console.as_("carmen")
    for _ in range(6):
        later(console, minutes=20)
        assert browser.get("/inbox").status_code == 200
    for _ in range(30):
        later(console, minutes=20)
        last = browser.get("/inbox").status_code
    assert last == 303, "ten hours are the most"


def test_a_coach_who_leaves_is_out_at_once(console):
    browser = console.as_("carmen")
    with console.world.desk.sessions() as session:
        person = session.merge(console.person("carmen"))
        person.access = ""
        session.commit()
    assert browser.get("/inbox").status_code == 403


def test_signing_out_ends_it(console):
    browser = console.as_("carmen")
    browser.post("/sign-out")
    assert browser.get("/inbox").headers["location"].startswith("/sign-in")


def test_signing_out_ends_it_for_a_copied_cookie_and_every_other_browser_too(console):
    browser, elsewhere, other = console.as_("carmen"), console.as_("carmen"), console.as_("ben")
    copied = console.browser()
    copied.cookies.update(browser.client.cookies)
    assert copied.get("/inbox").status_code == 200
    browser.post("/sign-out")
    for stale in (copied, elsewhere):
        assert stale.get("/inbox").headers["location"].startswith("/sign-in")
        assert stale.get("/sign-in").status_code == 200, "and is not sent back and forth"
    assert other.get("/inbox").status_code == 200, "somebody else stays signed in"
    assert console.as_("carmen").get("/inbox").status_code == 200


def test_with_another_role_one_signs_in_again(console):
    browser = console.as_("carmen")
    with console.world.desk.sessions() as session:
        session.merge(console.person("carmen")).access = "lead"
        session.commit()
    assert browser.get("/inbox").headers["location"] == "/sign-in"
    assert console.as_("carmen").get("/audit").status_code == 200


def test_a_role_or_account_that_was_taken_away_and_comes_back_does_not_revive_old_sessions(console, tmp_path):
    from bot.services.accounts import account_changed
    from bot.services.roster import import_roster
    from storage.models import Person
    from tests.conftest import NOW, WORKSPACE

    def imported(access: str) -> None:
        lines = ["employee_id,first_name,last_name,email,access"]
        for p in console.rows(Person):
            role = access if p.first_name == "Carmen" else p.access
            lines.append(f"{p.employee_id},{p.first_name},{p.last_name},{p.email or ''},{role}")
        roster = tmp_path / "roster.csv"
        roster.write_text("\n".join(lines))
        import_roster(console.world.desk.sessions, WORKSPACE, roster, console.world.desk.answering.kb.roles, NOW)
        assert console.person("carmen").access == access

    def in_slack(**profile: bool) -> None:
        with console.world.desk.sessions() as session:
            account_changed(session, WORKSPACE, {"id": "UCARMEN", "team_id": WORKSPACE, **profile}, NOW)
            session.commit()

    browser = console.as_("carmen")
    imported("")
    imported("coach")
    assert browser.get("/inbox").headers["location"] == "/sign-in"
    browser = console.as_("carmen")
    in_slack(deleted=True)
    in_slack()
    assert browser.get("/inbox").headers["location"] == "/sign-in"


def fail_to_sign_in(browser: TestClient) -> int:
    """Our button, and then a code that Slack never gave."""
    to_slack = browser.get("/sign-in/slack")
    state = parse_qs(urlsplit(to_slack.headers["location"]).query)["state"][0]
    return browser.get("/signed-in", params={"code": "made-up", "state": state}).status_code


def test_one_may_fail_to_sign_in_ten_times_a_minute(console):
    browser = console.browser()
    assert [fail_to_sign_in(browser) for _ in range(12)] == [400] * 10 + [429] * 2
    assert console.as_("carmen").signed_in.status_code == 429
    later(console, minutes=2)
    assert console.as_("carmen").signed_in.status_code == 303


def test_anonymous_visits_do_not_keep_a_coach_behind_the_same_address_out(console):
    stranger = console.browser()
    for _ in range(30):
        assert stranger.get("/sign-in/slack").status_code == 302
        assert stranger.get("/signed-in", params={"code": "x", "state": "x"}).status_code == 400
        assert stranger.get("/signed-in?error=access_denied").status_code == 400
    for _ in range(12):
        employee = sign_in(console.browser(), "UMARTA").status_code
    assert employee == 429, "who has no role is counted by person"
    assert [console.as_(name).signed_in.status_code for name in [*TEAM, *TEAM, *TEAM]] == [303] * 12


@pytest.mark.parametrize(("trusted", "seen"), [("127.0.0.0/8", "203.0.113.7"), ("10.0.0.5", "127.0.0.1")])
def test_only_the_trusted_web_server_says_whose_browser_asks(trusted, seen):
    app = FastAPI()

    async def who(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.client.host if request.client else "")

    app.add_route("/", who)
    at = listen_on("127.0.0.1", 0)
    stop = serve_web(app, at, trusted_proxies=trusted)
    forwarded = {"X-Forwarded-For": "198.51.100.1, 203.0.113.7"}
    assert httpx.get(f"http://127.0.0.1:{at.getsockname()[1]}/", headers=forwarded).text == seen
    stop()


def test_the_cookie_is_for_the_server_alone_and_pages_forbid_what_they_do_not_need(console):
    answer = console.as_("carmen").signed_in
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    page = console.as_("carmen").get("/inbox")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-frame-options"] == "DENY"
    assert not re.search(r"<script(?![^>]*src=)", page.text)
    assert " style=" not in page.text
    assert not re.search(r"\son\w+=", page.text)


def test_with_https_the_cookie_is_secure_and_bound_to_the_host(console):
    from dataclasses import replace

    from bot.console.app import create_console

    parts = replace(console.parts, url="https://console.test")
    browser = TestClient(create_console(parts), base_url="https://console.test", follow_redirects=False)
    answer = browser.get("/sign-in/slack")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-trellis_console=")
    assert "secure" in cookie.lower()
    assert "strict-transport-security" in answer.headers


def test_a_body_that_no_form_of_ours_can_have_is_refused(console):
    browser = console.as_("carmen")
    answer = browser.client.post("/inbox/filters", content=b"x" * 300_000)
    assert answer.status_code == 413


def test_roles_can_come_from_the_settings(console):
    console.world.desk.access = {"rosa@lakeshore.example": "coach"}
    assert console.as_("rosa").get("/inbox").status_code == 200
    assert set(ROLES) == {"coach", "lead", "content-owner", "hr"}


def test_a_role_that_the_settings_give_or_take_away_holds_in_slack_as_well(console):
    world = console.world
    world.desk.access = {
        "carmen@lakeshore.example": "none",
        "ben@lakeshore.example": "none",
        "priya@lakeshore.example": "lead",
    }
    world.say("UDWAYNE", "please, I want to talk to a real person")
    assert console.as_("carmen").signed_in.status_code == 403
    world.click("UCARMEN", "claim_handoff", "1")
    assert console.rows(Handoff)[0].state == "waiting"
    later(console, hours=5)
    escalate(world.desk)
    told = {item.channel for item in console.rows(OutboxItem) if item.key.startswith("escalated:1:")}
    assert told == {"UPRIYA"}
    priya = console.as_("priya")
    priya.post("/conversations/1/assign", to=str(console.person("carmen").id))
    assert console.rows(Attention)[0].assigned_to is None
    assert "Carmen Coach" not in priya.page("/conversations/1"), "nobody gives her work either"
    world.click("UPRIYA", "claim_handoff", "1")
    assert console.rows(Handoff)[0].claimed_by == console.person("priya").id
