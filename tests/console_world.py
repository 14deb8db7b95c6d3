"""The console for tests: the real app, signed in through the local Slack's OpenID Connect."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from sqlmodel import select
from starlette.testclient import TestClient

from bot.console.app import create_console
from bot.console.parts import Parts
from bot.localslack.workspace import User
from storage.database import make_sessions, open_database
from storage.models import Person
from tests.conftest import NOW, WORKSPACE, World

URL = "http://console.test"
TEAM = {"carmen": "coach", "ben": "lead", "priya": "content-owner", "helen": "hr"}


@dataclass
class Console:
    """The console beside the world of Slack. `as_` gives a browser in which somebody has signed in."""

    world: World
    app: FastAPI
    parts: Parts
    real: list[datetime] = field(default_factory=lambda: [NOW])  # the wall clock

    def browser(self, **headers: str) -> TestClient:
        return TestClient(self.app, base_url=URL, follow_redirects=False, headers=headers)

    def as_(self, name: str) -> "Browser":
        """A browser signed in as carmen, ben, priya, helen, marta (a manager), rosa …, all the way through Slack."""
        browser = self.browser()
        answer = sign_in(browser, f"U{name.upper()}")
        return Browser(browser, self, answer)

    def person(self, name: str) -> Person:
        with self.world.desk.sessions() as session:
            return session.exec(select(Person).where(Person.email == f"{name}@lakeshore.example")).one()

    def rows(self, table: Any) -> list[Any]:
        with self.world.desk.sessions() as session:
            return list(session.exec(select(table).order_by(*table.__table__.primary_key)).all())


@dataclass
class Browser:
    client: TestClient
    console: Console
    signed_in: httpx.Response

    def get(self, address: str, **options: Any) -> httpx.Response:
        return self.client.get(address, **options)

    @property
    def csrf(self) -> str:
        """From any page, as a form has it."""
        page = self.client.get("/content/try").text
        return page.split('name="csrf" value="')[1].split('"')[0]

    def post(self, address: str, **fields: str) -> httpx.Response:
        return self.client.post(address, data={"csrf": self.csrf, **fields})

    def page(self, address: str) -> str:
        """The page's text, with redirects followed."""
        answer = self.client.get(address, follow_redirects=True)
        assert answer.status_code == 200, (address, answer.status_code)
        return answer.text


def sign_in(browser: TestClient, slack_id: str, next: str = "/") -> httpx.Response:
    """Our button, Slack's page on which one is picked, and back."""
    to_slack = browser.get("/sign-in/slack", params={"next": next})
    if to_slack.status_code != 302:
        return to_slack
    back = httpx.get(to_slack.headers["location"] + f"&user={slack_id}")
    assert back.status_code == 302, back.text
    here = urlsplit(back.headers["location"])
    return browser.get(f"{here.path}?{here.query}")


@pytest.fixture(name="console")
def console_of(world: World, database_url: str) -> Iterator[Console]:
    for number, (name, access) in enumerate(TEAM.items()):
        world.slack.workspace.users[f"U{name.upper()}"] = User(
            f"U{name.upper()}", f"{name.capitalize()} Coach", f"{name}@lakeshore.example"
        )
        with world.desk.sessions() as session:
            session.add(
                Person(
                    workspace=WORKSPACE,
                    employee_id=f"C{number}",
                    email=f"{name}@lakeshore.example",
                    slack_id=f"U{name.upper()}",
                    first_name=name.capitalize(),
                    last_name="Coach",
                    access=access,
                    created_at=NOW,
                    updated_at=NOW,
                )
            )
            session.commit()
    reading = open_database(database_url, read_only=True)
    real = [NOW]
    parts = Parts(
        desk=world.desk,
        reading=make_sessions(reading),
        wall=lambda: real[0],
        url=URL,
        secret="a secret for tests only",
        client_id=world.slack.openid.client_id,
        client_secret=world.slack.openid.client_secret,
        slack_web_url=world.slack.url,
    )
    yield Console(world, create_console(parts), parts, real)
    reading.dispose()


def later(console: Console, **passed: float) -> None:
    """Time goes by, for the bot and on the wall."""
    console.world.passed += timedelta(**passed)
    console.real[0] += timedelta(**passed)
