"""The doctor looks at how settings are given: names that nobody reads, and files that others may read."""

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from dotenv import dotenv_values
from rapidfuzz.distance import OSA
from sqlalchemy.engine import make_url

from bot.config import Settings
from bot.operations.findings import Finding, warning, wrong
from bot.operations.settings_faults import problem_with_database

OF_OTHERS = ("POSTGRES_", "OTEL_", "PYTHON", "UV_", "TZ", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_")


def examine_settings(settings: Settings, env_file: Path, environment: Mapping[str, str]) -> Iterator[Finding]:
    """`env_file` is Trellis's own: a name in it that is no setting is a mistake. The environment is everybody's."""
    for name in _names_in(env_file):
        if meant := nearest_setting(name):
            yield wrong("settings", f"{name} in {env_file} is no setting: nobody reads it.", f"Do you mean {meant}?")
        elif not _is_known(name):
            yield warning(
                "settings", f"{name} in {env_file} is no setting: nobody reads it.", "Every one is in .env.example."
            )
    for name in sorted(environment):
        if meant := nearest_setting(name):
            yield warning("settings", f"{name} in the environment is no setting of Trellis.", f"Do you mean {meant}?")
    yield from _open_to_others(settings, env_file)


def nearest_setting(name: str) -> str:
    """The setting that a name looks like without being one; "" when it is a setting, or looks like none."""
    if _is_known(name):
        return ""
    allowed = 2 if len(name) >= 8 else 1
    near = {known: OSA.distance(name.upper(), known) for known in _settings()}
    meant = min(near, key=lambda known: near[known])
    return meant if near[meant] <= allowed else ""


def _is_known(name: str) -> bool:
    return name.upper() in _settings() or name.upper().startswith(OF_OTHERS)


def _settings() -> list[str]:
    return [name.upper() for name in Settings.model_fields]


def _names_in(file: Path) -> list[str]:
    try:
        return sorted(dotenv_values(file)) if file.is_file() else []
    except OSError:
        return []


def _open_to_others(settings: Settings, env_file: Path) -> Iterator[Finding]:
    """The database and its log of writes hold conversations, the settings tokens."""
    files = [env_file, Path(settings.workspaces_file)] if settings.workspaces_file else [env_file]
    if not problem_with_database(settings.database_url) and settings.database_url.startswith("sqlite"):
        database = make_url(settings.database_url).database or ""
        files += [Path(f"{database}{more}") for more in ("", "-wal")]
    for file in files:
        if _anybody_may_read(file):
            yield warning("file modes", f"Everybody on this machine may read {file}.", f"chmod 600 {file}")


def _anybody_may_read(file: Path) -> bool:
    """Also by the folders above it."""
    try:
        modes = [each.stat().st_mode for each in (file, *file.absolute().parents)]
    except OSError:
        return False
    return stat.S_ISREG(modes[0]) and bool(modes[0] & stat.S_IROTH) and all(mode & stat.S_IXOTH for mode in modes[1:])
