"""Safety rules: however they are made quick, no pattern is passed over that a message meets."""

import re
from pathlib import Path

import pytest

from bot.domain import safety
from bot.knowledge_base import load

RULES = load(Path("content")).safety_rules


def met_by(pattern: str) -> str:
    """A message that the pattern is meant for: the last of each choice, the words that may be left out left out."""
    said = []
    for part in re.findall(r"\([^)]*\)[~?]?|\S+", pattern):
        if part != "*" and not part.endswith("?"):
            said.append(part.strip("()~").split("|")[-1].rstrip("~)").replace("#", "3"))
    return " ".join(said)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.card)
def test_every_pattern_is_met_by_a_message_made_of_its_own_words(rule):
    for pattern in rule.when:
        alone = safety.SafetyRule(card=rule.card, when=(pattern,))
        assert safety.safety_card(f"Well, {met_by(pattern)}!", [alone]) == rule.card, pattern


def test_a_pattern_without_its_words_is_not_met():
    rule = safety.SafetyRule(card="safety/crisis", when=("(kill|hurt) myself", "no (want|wish) * live~"))
    assert safety.safety_card("I hurt myself", [rule])
    assert safety.safety_card("I have no wish to go on living", [rule]) is None
    assert safety.safety_card("no wish at all to live", [rule])
    assert safety.safety_card("my self respect is hurt", [rule]) is None


@pytest.mark.parametrize("pattern", ["bull(y|ied) me", "walk * (into the (lake|river)|away)", "years? ago", "paid (less|#)"])
def test_an_author_is_told_of_a_pattern_that_could_never_be_met(pattern):
    with pytest.raises(ValueError, match="can't be read: “"):
        safety.SafetyRule(card="safety/crisis", when=("kill myself", pattern))
