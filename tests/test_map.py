"""The career map: every role on it, nothing about people, filters, cards, routes, keys, and the picture for Slack."""

import dataclasses
import re
from io import BytesIO

import pytest
from PIL import Image

from bot.domain.map_layout import PHONE, WIDE
from bot.localslack.state import element_with
from bot.services.career_map import career_map
from bot.services.map_picture import map_picture
from bot.slack.plans import register_plans
from tests.conftest import NOW, WORKSPACE
from tests.console_world import console_of  # noqa: F401  the fixture `console`

TODAY = NOW.date()


def test_rosa_presses_see_the_map_and_gets_the_picture_with_her_job_marked(world):
    register_plans(world.app, world.desk, WORKSPACE, "http://console.test/map")
    rosa = world.slack.as_user("UROSA")
    rosa.say("¿qué sigue para mí?")
    rosa.click("Ver el mapa")
    (file,) = world.slack.workspace.files.values()
    assert file.name == "mapa-de-carreras.png"
    assert file.content.startswith(b"\x89PNG")
    assert "Marcado: Técnico de Servicios Ambientales (limpieza) y los puestos a un paso" in file.alt_text
    assert "http://console.test/map?language=es&from=environmental-services-technician" in rosa.last["text"]
    rosa.say("¿cómo llego a enfermera?")
    rosa.click("Ver el mapa")
    assert "El camino a Enfermera registrada (RN) está marcado" in rosa.last["text"]
    rosa.open_home()
    rosa.act(rosa.home, *element_with(rosa.home["blocks"], "show_map:home"))
    assert len(world.slack.workspace.files) == 3


def page(console, address=""):
    answer = console.browser().get(f"/map{address}")
    assert answer.status_code == 200
    return answer.text


def role_of(text, slug):
    """The class names of a role's box in the wide drawing."""
    return re.search(rf'<a class="role ([^"]*)" href="[^"]*" data-role="{slug}"', text)[1].split()


@pytest.mark.parametrize("shape", [WIDE, PHONE])
@pytest.mark.parametrize("language", ["en", "es"])
def test_every_role_has_a_box_of_its_own_with_its_whole_title_or_a_shortened_one_and_none_overlap(
    answering, shape, language
):
    drawn = career_map(answering.kb, language, TODAY, shape)
    boxes = drawn.drawing.boxes
    assert set(boxes) == set(answering.kb.roles)
    for slug, box in boxes.items():
        assert 0 <= box.x <= drawn.drawing.width - shape.width
        assert 1 <= len(box.lines) <= 2, slug
        assert "…" not in "".join(box.lines), slug
        for other, there in boxes.items():
            apart = abs(box.x - there.x) >= shape.width or abs(box.y - there.y) >= shape.height
            assert other == slug or apart, (slug, other)


@pytest.mark.parametrize("language", ["en", "es"])
def test_anybody_can_open_the_map_and_it_says_nothing_about_employees(console, language):
    text = page(console, f"?language={language}")
    for role in console.parts.desk.answering.kb.roles.values():
        assert role.title.in_(language) in text.replace("&#39;", "'")
    assert text.count("<path") == 2 * len(console.parts.desk.answering.kb.steps)
    assert "Rosa" not in text
    assert "@" not in text
    assert f'<html lang="{language}"' in text


def test_the_browsers_language_decides_when_none_is_asked_for(console):
    answer = console.browser().get("/map", headers={"Accept-Language": "es-MX,es;q=0.9"})
    assert "Mapa de carreras" in answer.text


def test_the_page_needs_no_script_or_style_in_the_page(console):
    text = page(console, "?role=phlebotomist")
    assert not re.search(r"<script(?![^>]*src=)| style=|\son\w+=", text)


def test_filters_dim_what_does_not_fit(console):
    kb = console.parts.desk.answering.kb
    text = page(console, "?no_patients=1&no_degree=1")
    for slug, role in kb.roles.items():
        fits = role.patient_contact == "none" and role.education not in ("associate", "bachelor")
        assert ("off" in role_of(text, slug)) != fits, slug
    text = page(console, "?family=nursing")
    assert "off" not in role_of(text, "registered-nurse")
    assert "off" in role_of(text, "cook")
    assert "7 of 48" not in text or "6 of 48" in text


def test_a_role_opens_its_card_with_the_steps_from_it_and_to_it(console):
    text = page(console, "?role=phlebotomist")
    sheet = text.split('<aside id="sheet"')[1]
    assert "You draw blood from patients" in sheet
    assert "Steps from here" in sheet
    assert "Medical laboratory technician" in sheet
    assert "People come from" in sheet
    assert "picked" in role_of(text, "phlebotomist")


def test_the_way_from_one_job_to_another_is_marked_with_numbers_and_told(console):
    text = page(console, "?from=environmental-services-technician&to=registered-nurse")
    for slug in ("environmental-services-technician", "certified-nursing-assistant", "registered-nurse"):
        assert "way" in role_of(text, slug)
    assert "From Environmental Services Technician to Registered nurse (RN)" in text
    assert "Fastest" in text
    assert "leg1" in text
    assert "No steps on the map lead" in page(console, "?from=registered-nurse&to=cook")


@pytest.mark.parametrize("odd", ["?role=nobody", "?from=x&to=y", "?family=<script>", "?language=fr", "?role=" + "x" * 80])
def test_odd_addresses_show_the_plain_map(console, odd):
    assert "<script>" not in page(console, odd)
    assert console.browser().get("/map?role=" + "x" * 81).status_code == 422


def test_once_the_pay_figures_are_too_old_the_map_leaves_them_out(answering):
    late = answering.kb.datasets["wages"].review_by.replace(year=2099)
    assert not any(role.pay for role in career_map(answering.kb, "en", late, WIDE).roles.values())


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_picture_has_a_description_with_what_is_marked(answering, language):
    kb, lattice = answering.kb, answering.work_out.lattice
    picture = map_picture(kb, lattice, language, TODAY, "environmental-services-technician", "registered-nurse")
    image = Image.open(BytesIO(picture.png))
    assert image.format == "PNG"
    assert image.width > 2000
    assert len(picture.png) < 1_000_000
    for slug in ("environmental-services-technician", "certified-nursing-assistant", "registered-nurse"):
        assert kb.roles[slug].title.in_(language) in picture.alt


def test_who_presses_again_gets_the_same_picture_without_drawing_until_the_content_changes(answering, monkeypatch):
    drawn = []
    monkeypatch.setattr("bot.services.map_picture._drawn", lambda *_: drawn.append(1) or b"png")
    monkeypatch.setattr("bot.services.map_picture._kept", {})
    for kb, times in ((answering.kb, 1), (answering.kb, 1), (dataclasses.replace(answering.kb, revision="another"), 2)):
        assert map_picture(kb, answering.work_out.lattice, "en", TODAY, "cook").png == b"png"
        assert len(drawn) == times


def test_the_description_stays_within_slacks_limit_for_every_role(answering, monkeypatch):
    monkeypatch.setattr("bot.services.map_picture._drawn", lambda *_: b"")
    for slug in answering.kb.roles:
        for language in ("en", "es"):
            alt = map_picture(answering.kb, answering.work_out.lattice, language, TODAY, slug).alt
            assert alt.endswith("."), (slug, len(alt))
