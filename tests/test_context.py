"""What a message means in the middle of a conversation."""

import pytest

from bot.domain.context import Neighbours, likelier, programs_meant, spelled_out, with_the_job
from bot.domain.dialogue import Dialogue, follow_up
from bot.domain.role_mentions import RolesAsked

NEIGHBOURS = Neighbours(
    related={"tuition/overview": frozenset({"supports/books"})},
    programs={"phlebotomist": ("programs/phlebotomy-course",), "cook": ("programs/kitchen-class",)},
)
TITLES = {"phlebotomist": "Phlebotomist", "cook": "Cook", "registered-nurse": "Registered nurse"}
BOTH = Dialogue(cards=("pathways/compare",), roles=("phlebotomist", "cook"))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("is there a training for the first one", "is there a training for Phlebotomist"),
        ("and the other one?", "and Cook"),
        ("¿y la segunda?", "y Cook"),
        ("my first class was hard", "my first class was hard"),
        ("es la primera vez que pregunto", "es la primera vez que pregunto"),
    ],
)
def test_the_first_and_the_other_one_are_the_two_jobs_talked_about(said, meant):
    assert spelled_out(said, BOTH, TITLES.__getitem__) == meant


def test_the_other_one_is_the_job_that_was_not_just_talked_about():
    after_the_class = Dialogue(cards=("programs/phlebotomy-course",), roles=("cook", "phlebotomist"))
    assert spelled_out("and for the other one", after_the_class, TITLES.__getitem__) == "and for Cook"


def test_nothing_is_replaced_when_only_one_job_was_talked_about():
    one = Dialogue(cards=("roles/cook",), roles=("cook",))
    assert spelled_out("and the other one?", one, TITLES.__getitem__) == "and the other one?"


def test_that_or_another_job_compares_it_with_the_one_before():
    roles = RolesAsked(named=("cook",))
    before = Dialogue(cards=("roles/phlebotomist",), roles=("phlebotomist",))
    assert with_the_job("that or cook, which pays more", before, roles, TITLES.__getitem__) == (
        "Phlebotomist or cook which pays more"
    )


@pytest.mark.parametrize(
    "said", ["is there a class for it", "where do i learn that", "¿hay algún curso?", "dónde estudio eso"]
)
def test_a_class_for_it_is_the_class_for_the_job_before(said):
    before = Dialogue(cards=("roles/phlebotomist",), roles=("phlebotomist",))
    assert programs_meant(said, before, RolesAsked(), NEIGHBOURS) == ("programs/phlebotomy-course",)


@pytest.mark.parametrize(
    "said", ["when does the class start", "my hours are weird, can i still do a class", "is the class full", "who pays"]
)
def test_when_or_whether_is_not_which_class(said):
    before = Dialogue(cards=("roles/phlebotomist",), roles=("phlebotomist",))
    assert programs_meant(said, before, RolesAsked(), NEIGHBOURS) == ()


def test_and_for_another_job_asks_for_its_class_after_a_class():
    before = Dialogue(cards=("programs/phlebotomy-course",), roles=("phlebotomist",))
    assert programs_meant("and for cook", before, RolesAsked(named=("cook",)), NEIGHBOURS) == ("programs/kitchen-class",)


def test_cards_that_go_on_from_the_last_answer_are_likelier_unless_the_message_says_it_all():
    after_tuition = Dialogue(cards=("tuition/overview",), offered=("tuition/amount",))
    factor = likelier("and books?", after_tuition, NEIGHBOURS)
    assert factor("supports/books") > factor("tuition/grades") > factor("supports/food") == 1.0
    assert likelier(" ".join(["word"] * 20), after_tuition, NEIGHBOURS)("supports/books") == 1.0


def test_part_time_is_not_about_how_long_the_way_takes():
    on_the_way = Dialogue(cards=("pathways/path-to",), to="registered-nurse", roles=("registered-nurse",))
    assert follow_up("what if im only part time", on_the_way, RolesAsked()) is None
    assert follow_up("how much time is that", on_the_way, RolesAsked()) is not None


def test_another_job_after_a_job_is_the_same_question_only_when_nothing_else_is_asked():
    before = Dialogue(cards=("roles/registered-nurse",), roles=("registered-nurse",))
    cook = RolesAsked(named=("cook",))
    assert follow_up("and cook?", before, cook)[0] == "roles/cook"
    assert follow_up("can i learn that for cook", before, cook) is None


def test_how_do_i_get_in_after_a_job_is_the_way_from_mine_to_it():
    before = Dialogue(cards=("roles/registered-nurse",), roles=("registered-nurse",))
    card, roles = follow_up("i work as cook, how do i get in", before, RolesAsked(from_="cook", named=("cook",)))
    assert (card, roles.from_, roles.to) == ("pathways/path-to", "cook", "registered-nurse")
