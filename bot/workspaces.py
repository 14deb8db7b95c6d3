"""The workspaces that one Trellis serves: one by its bot token, or several by a file. Each has people, content, a channel for
its coaches and a token of its own, and sees nothing of the others."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import yaml
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from slack_bolt import App
from slack_bolt.oauth import OAuthFlow
from slack_sdk import WebClient

from bot.app import (
    build_answering,
    build_console,
    build_desk,
    build_slack_app,
    console_parts,
    desk_of,
    limits_of,
    now,
    register_listeners,
)
from bot.config import Settings
from bot.domain.problems import WorkspacesFileError
from bot.services.delivery import Clock, never
from bot.services.inbox import Desk
from bot.services.leaving import workspace_left
from bot.services.replying import Answering
from bot.slack.installing import Front, Installations, install_flow, register_leaving
from bot.slack.receiving import without_bolts_own_settings
from bot.slack.sender import SlackSender
from storage.database import Sessions, make_sessions, migrate, open_database

TeamId = Annotated[str, Field(pattern=r"^[TE][A-Z0-9]{2,}$")]
Access = Literal["coach", "lead", "content-owner", "hr", "none"]


class Place(BaseModel):
    """One entry of the workspaces file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: TeamId  # a team (T…), or an organisation of an Enterprise Grid (E…) in which the app is installed as a whole
    content: Path
    coach_channel: str = ""
    roster: Path | None = None  # the file or folder that `trellis roster` takes when none is named
    enterprise: TeamId | None = None  # the organisation that this team belongs to
    teams: tuple[TeamId, ...] = ()  # the organisation's teams, whose coaches may sign in to the console
    console_access: dict[str, Access] = {}


def read_places(file: Path) -> tuple[Place, ...]:
    """The entries of WORKSPACES_FILE. Raises WorkspacesFileError with everything that is wrong at once."""
    try:
        given = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeError) as error:
        raise WorkspacesFileError(f"{file}: can't be read: {error}") from error
    entries = given.get("workspaces") if isinstance(given, dict) else None
    if not isinstance(entries, list) or not entries:
        raise WorkspacesFileError(f"{file}: needs a list `workspaces:` with at least one entry; see docs/workspaces.md")
    places, problems = [], []
    for number, entry in enumerate(entries, 1):
        try:
            places.append(Place.model_validate(entry))
        except ValidationError as error:
            problems += [
                f"{file}: entry {number}: {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()
            ]
    problems += [f"{file}: {problem}" for problem in _contradictions(places)]
    if problems:
        raise WorkspacesFileError("\n".join(problems))
    return tuple(places)


def _contradictions(places: Sequence[Place]) -> list[str]:
    ids = [each for place in places for each in (place.id, *place.teams)]
    problems = [f"{each} stands there twice" for each in sorted({each for each in ids if ids.count(each) > 1})]
    problems += [f"{place.id}: there is no folder {place.content}" for place in places if not place.content.is_dir()]
    problems += [
        f"{place.id}: teams belong to an organisation (E…)" for place in places if place.teams and place.id[0] == "T"
    ]
    return problems


def place_of(settings: Settings, workspace: str) -> Place | None:
    """The file's entry for a workspace. None where there is no file, or no such entry."""
    places = read_places(Path(settings.workspaces_file)) if settings.workspaces_file else ()
    return next((place for place in places if workspace in (place.id, *place.teams)), None)


def content_of(settings: Settings, workspace: str) -> Path:
    """The content that people of this workspace get."""
    place = place_of(settings, workspace)
    return place.content if place else settings.content_dir


def contents_of(settings: Settings) -> dict[str, Path]:
    """Workspace → its content; one entry, under "", where there is no workspaces file."""
    if not settings.workspaces_file:
        return {"": settings.content_dir}
    return {place.id: place.content for place in read_places(Path(settings.workspaces_file))}


# --- at work -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Employer:
    """One workspace at work. While the app is not `installed` there, nothing is planned or sent."""

    desk: Desk
    reading: Sessions  # can't write
    place: Place | None = None  # None: the one workspace of SLACK_BOT_TOKEN
    installed: Callable[[], bool] = lambda: True

    @property
    def id(self) -> str:
        return self.place.id if self.place else ""


@dataclass(frozen=True)
class Workspaces:
    """All employers, and what belongs to none of them alone."""

    employers: tuple[Employer, ...]
    installations: Installations | None = None  # None: one workspace, with a token from the settings

    @property
    def desks(self) -> list[Desk]:
        """Of the employers where the app is installed."""
        return [employer.desk for employer in self.employers if employer.installed()]

    def find(self, team: str, enterprise: str) -> str | None:
        """The id under which a team's rows are kept; None when nobody set it up."""
        if self.installations is None:
            return ""
        for wanted in (team, enterprise):
            for employer in self.employers:
                if employer.place and wanted and wanted in (employer.place.id, *employer.place.teams):
                    return employer.id
        return None


def open_workspaces(settings: Settings, clock: Clock = now, stopping: Callable[[], bool] = never) -> Workspaces:
    """Content read, database at hand. Raises ContentError or WorkspacesFileError when something can't be trusted."""
    if not settings.workspaces_file:
        return one_workspace(settings, build_desk(settings, build_answering(settings), clock, stopping))
    places = read_places(Path(settings.workspaces_file))
    answerings = _read_contents(settings, places)
    migrate(settings.database_url)
    engine = open_database(settings.database_url, limits=limits_of(settings))
    readers = open_database(settings.database_url, read_only=True, limits=limits_of(settings))
    installations = Installations(engine, settings.slack_client_id)
    employers = []
    for place in places:
        token = partial(_token_at, installations, place)
        desk = desk_of(
            settings.model_copy(update={"coach_channel": place.coach_channel}),
            answerings[place.content],
            make_sessions(engine, place.id),
            SlackSender(token, settings.slack_api_url),
            clock,
            stopping,
            {email.lower(): role for email, role in place.console_access.items()},  # an address may stand on several rosters
        )
        employers.append(Employer(desk, make_sessions(readers, place.id), place, lambda token=token: bool(token())))
    return Workspaces(tuple(employers), installations)


def one_workspace(settings: Settings, desk: Desk) -> Workspaces:
    """The simple case: one workspace, by its bot token."""
    readers = open_database(settings.database_url, read_only=True, limits=limits_of(settings))
    return Workspaces((Employer(desk, make_sessions(readers)),))


def _read_contents(settings: Settings, places: Sequence[Place]) -> dict[Path, Answering]:
    """Each folder once, however many workspaces share it; what the matcher learnt from each stands in a folder of its own."""
    contents: dict[Path, Answering] = {}
    for place in places:
        if place.content not in contents:
            own = {"content_dir": place.content, "model_dir": settings.model_dir / place.id}
            contents[place.content] = build_answering(settings.model_copy(update=own))
    return contents


def _token_at(installations: Installations, place: Place) -> str:
    if place.id.startswith("E"):
        return installations.token_of("", place.id)
    return installations.token_of(place.id, place.enterprise or "")


def build_front(settings: Settings, workspaces: Workspaces) -> Front:
    """What Slack talks to: an app for each workspace."""
    if workspaces.installations is None:
        return Front({"": build_slack_app(settings, workspaces.employers[0].desk)}, workspaces.find)
    apps = {employer.id: _app_of(settings, employer, workspaces.installations) for employer in workspaces.employers}
    return Front(apps, workspaces.find)


def _app_of(settings: Settings, employer: Employer, installations: Installations) -> App:
    with without_bolts_own_settings():
        app = App(
            client=WebClient(base_url=settings.slack_api_url),
            signing_secret=settings.slack_signing_secret or None,
            authorize=lambda context, enterprise_id, team_id: installations.authorize(context, enterprise_id, team_id),
        )

    def leave(team: str | None, enterprise: str | None) -> None:
        installations.remove(team, enterprise)
        workspace_left(employer.desk.sessions, employer.id, employer.desk.clock())

    register_leaving(app, leave)
    register_listeners(app, settings, employer.desk, employer.id)
    return app


def build_install_flow(settings: Settings, workspaces: Workspaces) -> OAuthFlow | None:
    """The pages on which the app is installed; None for one workspace, which is installed on Slack's own pages."""
    if workspaces.installations is None or not settings.public_url:
        return None
    credentials = (settings.slack_client_id, settings.slack_client_secret)
    places = (settings.slack_api_url, settings.slack_web_url, settings.public_url)
    return install_flow(workspaces.installations, *credentials, *places, lambda *ids: workspaces.find(*ids) is not None)


def build_consoles(settings: Settings, workspaces: Workspaces) -> FastAPI:
    """The coaches' console. Who signs in works in their own workspace; nothing else can be reached from there."""
    from bot.console.app import create_console

    if workspaces.installations is None:
        return build_console(settings, workspaces.employers[0].desk)
    secret = settings.model_copy(update={"console_secret": settings.console_secret or secrets.token_urlsafe(32)})
    by_team = {}
    for employer in workspaces.employers:
        if place := employer.place:
            parts = console_parts(secret, employer.desk, employer.reading, place.id)
            by_team |= dict.fromkeys((place.id, *place.teams), parts)
    return create_console(next(iter(by_team.values())), by_team)
