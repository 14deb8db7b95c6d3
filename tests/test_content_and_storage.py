"""The content checker tells authors what is wrong; migrations and models agree."""

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlmodel import select

from bot.domain.problems import ContentError
from bot.knowledge_base import load
from bot.knowledge_base.base import read
from bot.knowledge_base.checking import check
from storage.database import alembic_config, migrate, reading
from storage.models import Person


@pytest.fixture
def content(tmp_path: Path) -> Path:
    shutil.copytree("content", tmp_path / "content")
    return tmp_path / "content"


def test_all_problems_are_shown_at_once_as_sentences_with_their_place(content):
    card = content / "cards/tuition/amount.yaml"
    card.write_text(card.read_text().replace("owner: education", "owner: nobody\ncolour: red"))
    (content / "cards/privacy/who-can-see.yaml").write_text("title: {en: x}\n  bad")
    with pytest.raises(ContentError) as error:
        load(content)
    sentences = str(error.value)
    assert "cards/tuition/amount.yaml: colour: is not a word that this file knows" in sentences
    assert "cards/privacy/who-can-see.yaml: line 2: not readable as YAML" in sentences


def test_an_utterance_under_two_cards_is_an_error(content):
    for slug in ("thanks", "goodbye"):
        card = content / f"cards/assistant/{slug}.yaml"
        card.write_text(card.read_text().replace("utterances:\n  en:\n", 'utterances:\n  en:\n  - "Very same words!"\n'))
    kb, _ = read(content)
    assert any("“very same words” also stands under" in str(problem) for problem in check(kb, date(2026, 11, 23)))


def test_falling_pay_that_does_not_say_so_is_an_error(content):
    steps = content / "steps/steps.yaml"
    text = steps.read_text()
    start = text.index("  pay_note:")
    steps.write_text(text[:start] + text[text.index("  source:", start) :])
    kb, _ = read(content)
    assert any("the usual pay falls" in str(problem) for problem in check(kb, date(2026, 11, 23)))


def test_every_id_that_the_sample_employer_must_ship_is_there():
    kb = load(Path("content"))
    ids = Path("tests/card_ids.txt").read_text().split()
    assert [card for card in ids if not kb.has(card)] == []


def test_migrations_and_models_agree(tmp_path):
    url = f"sqlite:///{tmp_path / 'fresh.db'}"
    migrate(url)
    command.check(alembic_config(url))


def test_every_setting_is_explained_in_the_example_file():
    from bot.config import Settings

    explained = Path(".env.example").read_text()
    assert [name for name in Settings.model_fields if f"{name.upper()}=" not in explained] == []


def test_who_could_not_write_keeps_nobody_else_from_it(sessions, database_url):
    """On SQLite threads take turns to write: a turn that ends badly is over all the same."""
    with sessions() as session:
        session.connection().execute(text("UPDATE person SET unit = 'elsewhere'"))  # and then not committed
    with sessions.kw["bind"].connect() as connection:
        for _ in range(2):
            with connection.begin():
                connection.execute(text("UPDATE person SET unit = unit"))
    if database_url.startswith("sqlite"):
        engine = sessions.kw["bind"]
        with closing(sqlite3.connect(engine.url.database, isolation_level=None)) as other, engine.connect() as connection:
            other.execute("BEGIN IMMEDIATE")
            connection.connection.execute("PRAGMA busy_timeout=0")
            with pytest.raises(OperationalError):
                connection.begin()
            other.execute("ROLLBACK")
    with ThreadPoolExecutor(4) as pool:
        written = [pool.submit(_write_and_read, sessions) for _ in range(40)]
        assert all(each.result(timeout=20) for each in written)


def _write_and_read(sessions) -> bool:
    with sessions() as session:
        session.connection().execute(text("UPDATE person SET unit = unit"))
        session.commit()
    with reading(sessions) as session:
        return bool(session.exec(select(Person)).first())
