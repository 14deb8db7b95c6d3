"""The content checker tells authors what is wrong; migrations and models agree."""

import shutil
from datetime import date
from pathlib import Path

import pytest
from alembic import command

from bot.domain.problems import ContentError
from bot.knowledge_base import load
from bot.knowledge_base.base import read
from bot.knowledge_base.checking import check
from storage.database import alembic_config, migrate


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
