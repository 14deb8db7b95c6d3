"""The only place that knows all parts: builds them from the settings."""

from bot.config import Settings
from bot.domain.cards import LANGUAGES, Language
from bot.domain.matching import Example, Matcher
from bot.domain.role_mentions import RoleReader
from bot.domain.understanding import Understanding
from bot.knowledge_base import KnowledgeBase, load
from bot.services.answering import Answering
from bot.services.pathways import Pathways


def build_answering(settings: Settings) -> Answering:
    """Content, matcher and career map, ready to answer. Raises ContentError when the content can't be trusted."""
    kb = load(settings.content_dir)
    return Answering(kb, understanding_of(kb), Pathways(kb))


def understanding_of(kb: KnowledgeBase) -> Understanding:
    examples = [Example(text, card) for text, card, _ in (*kb.examples(), *kb.outside_examples())]
    titles: dict[Language, dict[str, str]] = {
        language: {card: entry.title.in_(language) for card, entry in kb.entries()} for language in LANGUAGES
    }
    return Understanding(Matcher.train(examples).rank, role_reader(kb), kb.safety_rules, kb.other_languages, titles)


def role_reader(kb: KnowledgeBase) -> RoleReader:
    """Knows every role by its slug, titles and lay titles in both languages."""
    names = {
        slug: [slug.replace("-", " "), role.title.en, role.title.es, *(name for names in role.lay_titles.values() for name in names)]
        for slug, role in kb.roles.items()
    }
    return RoleReader(names, kb.ambiguous_titles)
