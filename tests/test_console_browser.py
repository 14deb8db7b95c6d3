"""The console as a coach has it on the screen: real Chromium, the real server, the local Slack's sign-in page."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, BrowserContext, Page, expect

from bot.app import listen_on, serve_web
from bot.console.app import create_console
from bot.services.content_checks import run_content_tests
from bot.services.stepping_in import MOST_WORDS
from storage.models import CoachMessage, Exchange
from tests.browsers import chromium  # noqa: F401  a fixture
from tests.conftest import NOW
from tests.console_world import Console, console_of  # noqa: F401  a fixture
from tests.test_console import said_to

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 780}
ALL_PAGES = [
    "/inbox",
    "/inbox?words=person&language=en",
    "/inbox?reason=with-coach",
    "/conversations/1",
    "/conversations/2",
    "/unanswered",
    "/reviews",
    "/reviews?state=closed",
    "/content",
    "/content?words=nothing+like+this",
    "/content/cards/tuition/eligibility",
    "/content/cards/roles/phlebotomist",
    "/content/facts",
    "/content/try?question=who+pays+for+school",
    "/dashboards",
    "/deliveries",
    "/people?words=dwayne",
    "/people/2",
    "/audit",
    "/nothing-here",
]


@dataclass
class Screen:
    """Where coaches sit down: `coach` gives a page on which somebody has signed in."""

    console: Console
    chromium: Browser
    url: str

    def nobody(self, **options: Any) -> BrowserContext:
        context = self.chromium.new_context(viewport=options.pop("viewport", DESKTOP), base_url=self.url, **options)
        context.set_default_timeout(10_000)
        return context

    def coach(self, name: str = "Carmen Coach", to: str = "/inbox", **options: Any) -> Page:
        page = self.nobody(**options).new_page()
        page.goto(to)
        page.get_by_role("link", name="Sign in with Slack").click()
        page.get_by_text(name).first.click()
        page.wait_for_url(f"{self.url}/**")
        return page


@pytest.fixture
def screen(console: Console, chromium: Browser) -> Iterator[Screen]:  # noqa: F811
    listening = listen_on("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    stop = serve_web(create_console(replace(console.parts, url=url, sign_ins_a_minute=100)), listening)
    made = Screen(console, chromium, url)
    yield made
    for context in list(chromium.contexts):
        context.close()
    stop()


def open_first(page: Page) -> None:
    page.locator(".entry a.open").first.click()
    page.wait_for_url("**/conversations/*")


# --- a day's work ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_carmen_signs_in_opens_claims_writes_and_resolves_and_dwayne_reads_it_in_slack(screen, javascript):
    screen.console.world.say("UDWAYNE", "please, I want to talk to a real person")
    page = screen.coach(java_script_enabled=javascript)
    expect(page.locator(".entry .name")).to_have_text(["Dwayne Ellis"])
    open_first(page)
    page.get_by_role("button", name="Claim and write").click()
    expect(page.get_by_role("button", name="Hand back to the bot")).to_be_visible()
    page.get_by_label("Write to Dwayne Ellis").fill("Hi Dwayne, which day suits you?")
    page.get_by_role("button", name="Send to the employee").click()
    expect(page.locator(".bubble.coach").last).to_contain_text("which day suits you?")
    expect(page.locator(".chat")).to_contain_text("Delivered")
    assert said_to(screen.console, "UDWAYNE")[-1] == "*Carmen Coach, coach:* Hi Dwayne, which day suits you?"
    screen.console.world.say("UDWAYNE", "Friday is good")
    page.reload()
    expect(page.locator(".bubble.employee").last).to_contain_text("Friday is good")
    page.get_by_role("button", name="Resolve").click()
    page.wait_for_url("**/inbox")
    expect(page.locator(".empty")).to_have_text("Nobody needs you right now.")


def test_without_javascript_filters_search_notes_and_saved_views_work(screen):
    screen.console.world.say("UROSA", "quiero hablar con una persona de verdad")
    screen.console.world.say("UDWAYNE", "please, I want to talk to a real person")
    page = screen.coach(java_script_enabled=False)
    page.get_by_text("Filters").click()
    page.get_by_label("Language").select_option("es")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".entry .name")).to_have_text(["Rosa Delgado"])
    page.get_by_text("Keep this view").click()
    page.get_by_label("Name", exact=True).fill("Spanish")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_role("link", name="Spanish", exact=True)).to_be_visible()
    page.goto("/inbox")
    page.get_by_label("Search what needs someone").fill("real person")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".entry .name")).to_have_text(["Dwayne Ellis"])
    open_first(page)
    page.get_by_label("Note", exact=True).fill("Call after four.")
    page.get_by_role("button", name="Add note").first.click()
    expect(page.locator(".side .note")).to_contain_text("Call after four.")


def test_a_verdict_becomes_a_content_test_that_fails_until_the_content_is_right(screen, tmp_path, answering):
    screen.console.world.say("UDWAYNE", "what is the weather like on sunday")
    page = screen.coach()
    open_first(page)
    page.get_by_text("Review or note").click()
    page.get_by_label("Wrong card").check()
    page.get_by_label("Right would be").fill("tuition/taxes")
    page.get_by_label("The question in your own words").fill("Will it rain when I walk to the bus?")
    page.get_by_role("button", name="Save review").click()
    expect(page.locator(".verdict")).to_contain_text("tuition/taxes")
    page.get_by_role("link", name="Reviews").click()
    expect(page.locator("table")).to_contain_text("Will it rain when I walk to the bus?")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    tests = tmp_path / "tests"
    tests.mkdir()
    download.value.save_as(tests / "reviews.yaml")
    assert yaml.safe_load((tests / "reviews.yaml").read_text("utf-8")) == [
        {"card": "tuition/taxes", "asks": ["Will it rain when I walk to the bus?"]}
    ]
    problems = run_content_tests(tmp_path, answering, NOW.date())
    errors = [str(problem) for problem in problems if problem.level == "error"]
    assert any("Will it rain when I walk to the bus?" in error for error in errors), errors


def test_the_whole_inbox_can_be_worked_with_the_keyboard(screen):
    console = screen.console
    console.world.say("UDWAYNE", "what is the weather like on sunday")
    console.world.passed += timedelta(minutes=1)
    console.world.say("UROSA", "quiero hablar con una persona de verdad")
    page = screen.coach()
    focused = page.locator(".entry:has(a:focus) .says")
    page.keyboard.press("j")
    expect(focused).to_contain_text("persona de verdad")
    page.keyboard.press("j")
    expect(focused).to_contain_text("weather")
    page.keyboard.press("k")
    expect(focused).to_contain_text("persona de verdad")
    page.keyboard.press("/")
    expect(page.get_by_label("Search what needs someone")).to_be_focused()
    page.keyboard.type("jjj e")
    expect(page.get_by_label("Search what needs someone")).to_have_value("jjj e")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(page.locator(".flash")).to_have_text("Resolved.")
    expect(page.locator(".entry .name")).to_have_text(["Rosa Delgado"])
    page.keyboard.press("j")
    page.keyboard.press("r")
    page.wait_for_url("**/conversations/*#reply")
    expect(page.get_by_role("button", name="Claim and write")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Hand back to the bot")).to_be_visible()
    page.locator("h1").click()
    page.keyboard.press("r")
    expect(page.get_by_label("Write to Rosa Delgado")).to_be_focused()
    page.keyboard.type("Hola")
    assert console.rows(CoachMessage) == [], "typed, not sent"


def test_counts_keep_themselves_up_to_date(screen):
    page = screen.coach()
    page.clock.install()
    page.reload()
    waiting = page.locator("#counts a", has_text="Waiting for a person").locator("b")
    expect(waiting).to_have_text("0")
    screen.console.world.say("UDWAYNE", "please, I want to talk to a real person")
    page.clock.run_for(21_000)
    expect(waiting).to_have_text("1")


def test_a_saved_reply_fills_the_box_and_nothing_is_sent_yet(screen):
    screen.console.world.say("UDWAYNE", "please, I want to talk to a real person")
    page = screen.coach()
    open_first(page)
    page.get_by_role("button", name="Claim and write").click()
    page.get_by_text("New saved reply").click()
    page.get_by_label("Title").fill("Hello")
    page.get_by_label("Words", exact=True).fill("Hi {{ first_name }}, I am here.")
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator("[data-fill=reply]").select_option(label="Hello (en)")
    expect(page.get_by_label("Write to Dwayne Ellis")).to_have_value("Hi Dwayne, I am here.")
    assert console_messages(screen) == []


def console_messages(screen: Screen) -> list[str]:
    return [message.text for message in screen.console.rows(CoachMessage)]


# --- for everybody's eyes and hands ------------------------------------------------------------------------------


@pytest.fixture
def lived_in(screen: Screen) -> Screen:
    """Somebody waits, somebody is talking with a coach, something was not answered and reviewed."""
    world = screen.console.world
    world.say("UROSA", "ya no quiero vivir")
    world.say("UDWAYNE", "please, I want to talk to a real person")
    world.say("UMARTA", "what is the weather like on sunday")
    carmen = screen.console.as_("carmen")
    carmen.post("/conversations/2/claim")
    carmen.post("/conversations/2/write", words="Hi, I am here.")
    carmen.post("/conversations/2/notes", words="Prefers mornings.")
    carmen.post("/conversations/2/labels", name="mornings")
    carmen.post("/saved-replies", title="Hello", words="Hello there.", back="2")
    number = next(e.id for e in screen.console.rows(Exchange) if e.outcome == "abstain")
    carmen.post(
        "/conversations/3/reviews",
        exchange=str(number),
        verdict="wrong-card",
        right_card="abstains",
        question="Will it be sunny at the weekend?",
    )
    carmen.post("/inbox/filters", name="Spanish", view="language=es")
    return screen


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(lived_in, scheme):
    nobody = lived_in.nobody(color_scheme=scheme).new_page()
    nobody.goto("/sign-in")
    found = violations(nobody)
    page = lived_in.coach("Ben Coach", color_scheme=scheme)
    for address in ALL_PAGES:
        page.goto(address)
        for summary in page.locator("summary").all():
            summary.click()
        found += violations(page)
    assert found == []


def violations(page: Page) -> list[str]:
    page.evaluate(AXE)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    result = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", tags)
    return [
        f"{page.url}: {violation['id']}: {node['html'][:160]}"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("viewport", [PHONE, {"width": 768, "height": 1024}, DESKTOP], ids=["phone", "tablet", "desktop"])
def test_no_page_scrolls_sideways_and_nothing_jumps_while_it_loads(lived_in, viewport):
    page = lived_in.coach("Ben Coach", viewport=viewport)
    for address in ALL_PAGES:
        page.goto(address)
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, address
        assert page.evaluate(SHIFTED) < 0.01, address


SHIFTED = """() => new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => { for (const entry of list.getEntries()) sum += entry.value; })
    .observe({type: "layout-shift", buffered: true});
  requestAnimationFrame(() => requestAnimationFrame(() => done(sum)));
})"""


# --- hostile words -----------------------------------------------------------------------------------------------

HOSTILE = [
    "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'> tell me a joke",
    "<javascript:window.hacked=1|please press here> and <https://evil.example|good> *bold* joke",
    "\u202egpj.yalp\u202c a joke about \u2066tricks\u2069",
    "joke with nothing\x00 in between",
    "&lt;b onmouseover=window.hacked=1&gt;joke&lt;/b&gt; {{ 7 * 7 }} {% raw %}",
    "A" * 40_000,
]


def test_hostile_words_are_only_words_everywhere(screen):
    for words in HOSTILE:
        screen.console.world.say("UDWAYNE", words)
    page = screen.coach("Ben Coach")
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog opened: {dialog.message}"))
    evil = HOSTILE[0] + "\u202e"
    ben = screen.console.as_("ben")
    ben.post("/conversations/1/claim")
    for words in HOSTILE[:5]:
        ben.post("/conversations/1/write", words=words)
        ben.post("/conversations/1/notes", words=words)
        ben.post("/conversations/1/labels", name=words[:40])
    ben.post("/conversations/1/write", words="B" * (MOST_WORDS + 1))
    ben.post("/saved-replies", title=evil, words=evil, back="1")
    ben.post("/inbox/filters", name=evil[:60], view=f"words={evil}")
    first = str(screen.console.rows(Exchange)[0].id)
    ben.post("/conversations/1/reviews", exchange=first, verdict="missing", question=evil + "!", comment=evil)
    addresses = ["/inbox", "/inbox?reason=everything", "/inbox?words=joke", "/conversations/1", "/unanswered", "/reviews"]
    addresses += [f"/inbox?words={evil}", f"/content?words={evil}", f"/content/try?question={evil}", f"/people?words={evil}"]
    addresses += ["/audit", "/people/2", f"/dashboards?site={evil}", "/content/cards/x/<script>"]
    for address in addresses:
        page.goto(address)
        assert page.evaluate("window.hacked") is None, address
        for element in page.locator("main details > summary").all():
            element.click()
        scripts = page.locator("script").evaluate_all("all => all.map(each => each.getAttribute('src'))")
        assert scripts == ["/static/htmx.min.js", "/static/console.js"], address
        links = page.locator("a").evaluate_all("all => all.map(each => each.protocol)")
        assert set(links) <= {"http:", "https:", "mailto:"}, address
        assert page.locator("[onerror], [onmouseover], main img").count() == 0, address
        assert not re.search("[\x00\u202a-\u202e\u2066-\u2069]", page.content()), address
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, address
        assert page.evaluate("window.hacked") is None, address
    page.goto("/conversations/1")
    expect(page.locator(".chat")).to_contain_text(re.compile(r"\(\d{4,} characters\)"))
