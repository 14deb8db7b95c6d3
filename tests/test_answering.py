"""What people ask and what they get, through the service, with the real content."""

import json
import re
from datetime import date
from pathlib import Path

import pytest

from bot.domain.dialogue import Dialogue
from bot.domain.people import Employee
from bot.domain.privacy import redact

TODAY = date(2026, 11, 23)


def ask(answering, text, employee=None, dialogue=None, today=TODAY):
    return answering.reply(text, employee or Employee(), dialogue or Dialogue(), today)


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_card_reads_well_for_everyone_within_slacks_limits(answering, language):
    from bot.slack.blocks import SECTION_TEXT, draw_reply

    people = [
        Employee(),
        Employee(first_name="Ana", hours_per_week=24, shift="nights"),
        Employee(hours_per_week=40, is_manager=True),
    ]
    for card, _ in answering.kb.entries():
        for person in people:
            reply, _ = answering.reply_with_card(card, person, Dialogue(), TODAY, language)
            payload = draw_reply(answering.kb, reply, 1, language)
            assert 0 < len(payload["text"]) < 4000, card
            assert len(payload["blocks"]) <= 50
            for block in payload["blocks"]:
                if block["type"] == "section":
                    assert 0 < len(block["text"]["text"]) <= SECTION_TEXT, card
                if block["type"] == "actions":
                    assert all(len(element["text"]["text"]) <= 75 for element in block["elements"])
                    assert len({element["action_id"] for element in block["elements"]}) == len(block["elements"])


def test_a_figure_past_its_review_date_is_left_out_and_the_office_is_named(answering):
    fresh, _ = answering.reply_with_card("tuition/amount", Employee(hours_per_week=40), Dialogue(), TODAY, "en")
    late, _ = answering.reply_with_card("tuition/amount", Employee(hours_per_week=40), Dialogue(), date(2031, 1, 1), "en")
    assert "$5,250" in fresh.text
    assert "$5,250" not in late.text
    assert "Education Assistance desk" in late.text


def test_a_part_timer_is_never_promised_the_full_time_amount(answering):
    reply, _ = answering.reply_with_card("tuition/amount", Employee(hours_per_week=24), Dialogue(), TODAY, "en")
    assert "$2,625" in reply.text
    assert "Full time, you" not in reply.text


def test_a_route_is_the_sum_of_its_steps_and_invents_none(answering):
    lattice, steps = answering.work_out.lattice, set(map(id, answering.kb.steps))
    roles = list(answering.kb.roles)
    for start in roles:
        for goal in roles:
            for route in lattice.routes(start, goal):
                assert all(id(step) in steps for step in route.steps)
                assert route.months == sum(step.months for step in route.steps)
                assert (route.steps[0].from_, route.steps[-1].to) == (start, goal)


def test_every_role_has_next_steps(answering):
    assert all(answering.work_out.lattice.next_steps(role) for role in answering.kb.roles)


def test_from_and_to_are_read_in_both_languages(answering):
    for text in ("how do I get from housekeeping to nurse", "estoy en limpieza y quiero ser enfermera"):
        reply, _ = ask(answering, text)
        roles = reply.decision.roles
        assert (roles.from_, roles.to) == ("environmental-services-technician", "registered-nurse"), text


def test_a_second_question_leans_on_the_first(answering):
    first, dialogue = ask(answering, "how do I get from transport to respiratory therapist")
    assert first.decision.cards[0] == "pathways/path-to"
    second, dialogue = ask(answering, "what about xray instead", dialogue=dialogue)
    assert second.decision.roles.to == "radiologic-technologist"
    third, _ = ask(answering, "which of those two makes more", dialogue=dialogue)
    assert third.decision.cards[0] == "pathways/compare"


def test_a_choice_can_be_typed(answering):
    dialogue = Dialogue(offered=("tuition/amount", "tuition/deadlines"))
    reply, _ = ask(answering, "the second one", dialogue=dialogue)
    assert reply.decision.cards == ("tuition/deadlines",)


@pytest.mark.parametrize(
    "text", ["this schedule is killing me", "me muero por ser enfermera", "whats the drop dead date for school money"]
)
def test_figures_of_speech_are_not_emergencies(answering, text):
    reply, _ = ask(answering, text)
    assert not reply.decision.safety


@pytest.mark.parametrize(
    "text",
    [
        "i want to end my life",
        "mi compañera dice que se quiere quitar la vida",
        "everyone would be better off without me",
        "I want to kill my\u200bself",
        "quiero\u200bmorir",
        "ya no qui\u00adero vi\u2060vir",
        "k i l l myself",
        "i want to kill my self",
        "I w a n t  t o  d i e",
        "me quiero m-a-t-a-r",
        "i s.u.i.c.i.d.e tonight",
    ],
)
def test_a_crisis_always_reaches_the_fixed_reply(answering, text):
    reply, _ = ask(answering, text)
    assert reply.decision.cards == ("safety/crisis",)
    assert "988" in reply.text


@pytest.mark.parametrize(
    "text", ["Tôi muốn học làm y tá, bao nhiêu tiền", "jak mogę dostać lepszą pracę dla mnie", "أريد أن أصبح ممرضة"]
)
def test_other_languages_get_an_honest_reply_in_that_language_and_a_person(answering, text):
    reply, _ = ask(answering, text)
    assert reply.decision.outcome == "abstain"
    assert reply.decision.other_language
    assert reply.coach_label


def test_who_writes_in_a_language_that_trellis_can_not_read_is_told_where_help_is(answering):
    for language in answering.kb.other_languages.values():
        assert "988" in language.reply, language.id
        assert "911" in language.reply, language.id


@pytest.mark.parametrize("text", ["c n a class", "a b c d", "what does an r n make", "q u e es una c n a"])
def test_letters_that_stand_alone_are_no_danger(answering, text):
    reply, _ = ask(answering, text)
    assert not reply.decision.safety


def test_what_trellis_is_not_for_is_not_answered_and_names_who_can_help(answering):
    reply, _ = ask(answering, "i forgot my password and cant log in to the computer")
    assert reply.decision.outcome == "abstain"
    assert "555-0170" in reply.text


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("call me at 312-555-0188", "call me at [phone]"),
        ("ssn 123-45-6789", "ssn [ssn]"),
        ("card 4111 1111 1111 1111", "card [card]"),
        ("4111 1111 1111 1111 123 exp 12/26", "[card] 123 exp 12/26"),
        ("312 4111 1111 1111 1111", "312 [card]"),
        ("mail rosa@x.org", "mail [email]"),
        ("MRN: 00481234 in 12", "[record] in 12"),
        ("patient Maria Lopez yelled", "[patient] yelled"),
        ("up to $5,250 in 2026, call 988", "up to $5,250 in 2026, call 988"),
    ],
)
def test_redaction_takes_out_what_must_not_be_stored_and_leaves_the_rest(said, kept):
    assert redact(said) == kept


@pytest.mark.parametrize(
    ("word", "ways"),
    {
        "ssn": (
            "123–45–6789",
            "123\u00a045\u00a06789",
            "１２３-４５-６７８９",
            "123 - 45 - 6789",
            "my ssn, I think, is 123456789",
            "123456789 is my social",
            "SS# 123456789",
            "numero de seguro social: 123 456 789",
            "SSN-123-45-6789",
        ),
        "card": (
            "4111.1111.1111.1111",
            "4111  1111  1111  1111",
            "4111\u00a01111\u00a01111\u00a01111",
            "4111–1111–1111–1111",
            "3782 822463 10005",
        ),
        "phone": ("312/555/0199", "312 - 555 - 0199", "312–555–0199", "(312)  555-0199", "+52 55 1234 5678", "+44 20 7946 0958"),
        "record": ("MRN# 00-123-45", "mrn12345", "chart 123456", "historia clínica 12345", "historia clinica numero 12-345-678"),
        "birth date": ("DOB 03/04/1961", "born on 3-4-61", "fecha de nacimiento: 3/4/1961", "date of birth 1961-03-04"),
        "patient": (
            "patient john smith",
            "patient JOHN SMITH",
            "PATIENT JOHN SMITH",
            "pt. Smith",
            "my patient, John Smith",
            "the patient is John Smith",
            "patient's name is John Smith",
            "patient’s name is smith",
            "patient O'Brien",
            "patient O’Brien",
            "patient McDonald",
            "patient Mr. Jones",
            "el paciente Juan de la Cruz",
            "un paciente llamado juan perez",
        ),
    }.items(),
)  # fmt: skip
def test_redaction_knows_the_ways_in_which_people_write_them(word, ways):
    for way in ways:
        kept = redact(f"well: {way}, ok?")
        assert f"[{word}]" in kept, way
        told = re.findall(r"\d{3,}|smith|john|juan|perez|cruz|brien|donald|jones", way.lower())
        assert [each for each in told if each in kept.lower()] == [], kept
        assert kept.startswith("well: ")
        assert kept.endswith(", ok?")


@pytest.mark.parametrize(
    "said",
    [
        "I am a Patient Transporter",
        "PATIENT TRANSPORTER JOBS PLEASE",
        "How Do I Become A Patient Care Technician",
        "PT Aide or OT Aide?",
        "can I work pt Monday to Friday",
        "my patient is Spanish speaking",
        "please be patient, Rosa said so",
        "la paciente me gritó",
        "$18.50 an hour, 7-3 or 3-11, from 11/12/2026 to 12/30/2026; 911 and 988",
        "2024-01-15 - 2024-05-20 – 2025-09-01",
        "cost $4,111 – or 60 111 in 2026…",
    ],
)
def test_redaction_leaves_ordinary_words_and_numbers_sign_for_sign(said):
    assert redact(said) == said


def test_nothing_that_people_ask_here_is_taken_for_a_number_or_a_name(answering):
    asked = [text for text, _, _ in (*answering.kb.examples(), *answering.kb.outside_examples())]
    for file in Path("tests/questions").glob("*.jsonl"):
        for line in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
            asked += [turn["text"] for turn in line.get("turns", [line])]
    assert len(asked) > 20_000
    assert [text for text in asked if redact(text) != text] == []
