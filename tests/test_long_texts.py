"""However long and odd a text is, reading it takes time that grows with its length, and no message holds up the others."""

import random
import string
import time
from collections.abc import Callable
from datetime import date

import pytest
from sqlmodel import select

from bot.app import role_reader
from bot.domain.context import Neighbours, likelier, programs_meant, spelled_out, with_the_job
from bot.domain.dialogue import Dialogue, chosen, follow_up, leads_on
from bot.domain.language import language_of
from bot.domain.privacy import LONGEST, redact, shortened
from bot.domain.role_mentions import RolesAsked
from bot.domain.safety import plain, safety_card
from bot.domain.said import amounts_said, date_said, experience_said, school_said
from bot.domain.understanding import two_halves
from bot.domain.wishes import read_wishes
from storage.models import CoachMessage, Exchange, Handoff, InboxItem, Note
from tests.console_world import console_of  # noqa: F401  console_of is the fixture

SLACKS_LONGEST = 40_000  # characters of a message; Slack cuts longer ones
A_MOMENT = 0.25  # seconds of computing; a text read in less of them can hold nobody up
GROWTH = 9  # of the time for four times the length: 4 would be in step with it, 16 its square

REPEATED = [
    *("a", "1", "1-", "1 ", "1,", "$1,", "1.", "1/", "(", "+1 ", "a.", "a@", "a@a-", "a@a.", "-", "'", "a'", "\n", "\t"),
    *("mrn ", "mrn", "pt ", "patient ", "patient, ", "Aa ", "ssn ", "dob 1/", "chart 1-", "4 ", "4-4", "social 1"),
    *("and ", "y ", "? ", "cna ", "nurse or ", "I ", "it ", "not ", "no ", "i ", "end my ", "january ", "en 1 ", "or that "),
    *("\u0301\u0316", "á", "ﷺ", "🧹", "\u200b", "\u00a0", "１"),
]


def texts_of(length: int) -> dict[str, str]:
    letters = random.Random(length)
    texts = {repr(part): (part * (length // len(part) + 1))[:length] for part in REPEATED}
    for word in ("hi", "mrn", "patient", "ssn", "Patient Aa", "1", "what is cna and"):
        texts[f"{word} and blanks"] = (word + " " * length)[: length - 1] + "x"
    texts["patient and names"] = ("patient " + "Aa " * length)[:length]
    texts["one address"] = ("a@" + "a-" * length)[:length]
    texts["accents in the wrong order"] = "a" + "\u0301" * (length // 2) + "\u0316" * (length // 2)
    texts["words that nobody knows"] = " ".join(
        "".join(letters.choices(string.ascii_lowercase, k=7)) for _ in range(length // 8)
    )
    return texts


@pytest.fixture(scope="module")
def readers(answering) -> dict[str, Callable[[str], object]]:
    """Everything that reads a text as somebody wrote it."""
    understanding, roles = answering.understanding, role_reader(answering.kb)
    before = Dialogue(cards=("pathways/path-to",), offered=("roles/cook",), roles=("cook", "registered-nurse"), to="cook")
    asked, near = RolesAsked(named=("cook",)), Neighbours(programs={"cook": ("programs/x",)})
    return {
        "redact": redact,
        "shortened": lambda text: shortened(text, lambda part: safety_card(part, understanding.safety_rules), 2_000),
        "plain": plain,
        "safety_card": lambda text: safety_card(text, understanding.safety_rules),
        "language_of": lambda text: language_of(text, understanding.other_languages),
        "roles": roles.read,
        "two_halves": two_halves,
        "chosen": lambda text: chosen(text, before, {"roles/cook": "Cook"}),
        "leads_on": leads_on,
        "follow_up": lambda text: follow_up(text, before, asked),
        "follow_up without roles": lambda text: follow_up(text, before, RolesAsked()),
        "spelled_out": lambda text: spelled_out(text, before, str),
        "with_the_job": lambda text: with_the_job(text, before, asked, str),
        "programs_meant": lambda text: programs_meant(text, before, asked, near),
        "likelier": lambda text: likelier(text, before, near),
        "wishes": read_wishes,
        "amounts": amounts_said,
        "dates": lambda text: date_said(text, date(2026, 11, 23)),
        "experience": experience_said,
        "school": lambda text: school_said(text, ["Lakeside College"]),
    }


def seconds(read: Callable[[str], object], text: str) -> float:
    """Of computing in this thread alone: what else runs on the machine does not count."""
    begun = time.thread_time()
    read(text)
    return time.thread_time() - begun


def out_of_step(read: Callable[[str], object]) -> dict[str, str]:
    """The texts for which four times the length takes far more than four times as long."""
    short, long = texts_of(SLACKS_LONGEST // 4), texts_of(SLACKS_LONGEST)
    found = {}
    for name, text in long.items():
        taken = seconds(read, text)
        if taken > A_MOMENT and taken > GROWTH * seconds(read, short[name]) and seconds(read, text) > A_MOMENT:
            found[name] = f"{taken:.2f} s"
    return found


READERS = [
    *(
        "redact",
        "shortened",
        "plain",
        "safety_card",
        "language_of",
        "roles",
        "two_halves",
        "chosen",
        "leads_on",
        "follow_up",
    ),
    *("follow_up without roles", "spelled_out", "with_the_job", "programs_meant", "likelier", "wishes", "amounts", "dates"),
    *("experience", "school"),
]


@pytest.mark.parametrize("name", READERS)
def test_time_to_read_a_text_grows_with_its_length_and_not_with_its_square(readers, name):
    assert set(readers) == set(READERS)
    assert out_of_step(readers[name]) == {}


@pytest.mark.parametrize("text", ["words that nobody knows", '"a\'"', "accents in the wrong order", "'1-'"])
def test_time_to_mend_a_text_grows_with_its_length(answering, text):
    mend = answering.understanding.mend
    short, long = seconds(mend, texts_of(4_000)[text]), seconds(mend, texts_of(16_000)[text])
    assert long < A_MOMENT or long < GROWTH * short


# --- the limit -----------------------------------------------------------------------------------------------------


def test_an_ordinary_text_is_kept_as_it_is():
    text = "I clean rooms  on nights.\n" * 400
    assert len(text) < LONGEST
    assert shortened(text, lambda part: True) == text


def test_of_a_very_long_text_beginning_and_end_stay_and_no_word_is_halved():
    text = "first " + "word " * 8_000 + "last"
    kept = shortened(text, lambda part: False)
    assert len(kept) <= LONGEST
    assert kept.startswith("first word")
    assert kept.endswith("word last")
    assert set(kept.split()) == {"first", "word", "…", "last"}
    assert len(shortened("x" * 40_000, lambda part: False)) <= LONGEST
    assert len(shortened(" " * 40_000, lambda part: True)) <= LONGEST


@pytest.mark.parametrize("at", range(0, 39_000, 1_300))
def test_a_passage_that_matters_stays_wherever_it_stands(at):
    filler = "word " * 8_000
    text = filler[:at] + " I want to kill myself " + filler[at:]
    kept = shortened(text, lambda part: "I want to kill myself" in part)
    assert "I want to kill myself" in kept
    assert len(kept) <= LONGEST


def test_a_message_as_long_as_slack_allows_is_answered_like_any_other_and_kept_in_part(world):
    world.say("UDWAYNE", "how much does a cook make? " + "I ask because of my rent. " * 1_500)
    assert "$" in world.last["text"]
    with world.desk.sessions() as session:
        assert len(session.exec(select(Exchange)).one().question) <= LONGEST


def test_who_is_in_danger_is_noticed_in_the_middle_of_the_longest_message(world):
    world.say("UDWAYNE", "my day was long. " * 1_000 + "I want to kill myself. " + "my day was long. " * 1_000)
    assert any("988" in message["text"] for message in world.posted)
    with world.desk.sessions() as session:
        assert session.exec(select(Handoff)).one().urgent


@pytest.mark.parametrize("text", ["a", "1-", "mrn" + " " * 11_000, "1,", "hi" + " " * 11_000])
def test_a_message_that_is_made_to_be_slow_holds_nobody_up(world, text):
    text = text if len(text) > 100 else text * (SLACKS_LONGEST // len(text))
    assert seconds(lambda words: world.say("UDWAYNE", words), text + "x") < 5
    assert len(world.posted) == 1


def test_a_command_and_the_form_have_the_same_limit_as_a_message(world, monkeypatch):
    monkeypatch.setattr("bot.slack.listeners.work_through", lambda *_: None)
    world.slack.as_user("UDWAYNE").command("/career", "who pays for school " * 1_000)
    with world.desk.sessions() as session:
        assert len(session.exec(select(InboxItem)).one().body["text"]) <= LONGEST


def test_a_coachs_words_are_measured_before_they_are_read(console, monkeypatch):
    """Their forms take more than may be kept, and a form that is too long is refused without work."""
    console.world.say("UDWAYNE", "please, I want to talk to a real person")
    browser = console.as_("carmen")
    browser.post("/conversations/1/claim")
    read: list[int] = []
    for place in ("bot.services.notes.redact", "bot.services.stepping_in.redact"):
        monkeypatch.setattr(place, lambda text: read.append(len(text)) or text)
    browser.post("/conversations/1/notes", words="a" * 20_000)
    browser.post("/conversations/1/write", words="a" * 20_000)
    assert read == []
    assert console.rows(Note) == []
    assert console.rows(CoachMessage) == []
