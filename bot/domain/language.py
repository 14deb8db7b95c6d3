"""Which language is a message in? Trellis answers in that one, else in the profile's."""

import re
import unicodedata
from collections.abc import Mapping

from bot.domain.cards import Language
from bot.domain.outside import OtherLanguage

# Frequent words that belong to one of the two languages only; chat spellings included.
ENGLISH = frozenset(
    [
        "the",
        "i",
        "im",
        "is",
        "are",
        "was",
        "do",
        "does",
        "did",
        "dont",
        "how",
        "what",
        "whats",
        "where",
        "when",
        "who",
        "why",
        "can",
        "could",
        "would",
        "should",
        "my",
        "me",
        "you",
        "your",
        "u",
        "ur",
        "to",
        "of",
        "for",
        "and",
        "in",
        "on",
        "at",
        "with",
        "have",
        "has",
        "get",
        "got",
        "want",
        "need",
        "if",
        "it",
        "its",
        "this",
        "that",
        "there",
        "be",
        "not",
        "no",
        "any",
        "im",
        "ive",
        "ill",
        "need",
        "pay",
        "job",
        "class",
        "school",
        "help",
        "they",
        "them",
        "we",
        "us",
        "from",
        "after",
        "a",
        "an",
        "am",
        "or",
        "so",
        "but",
        "as",
        "about",
        "more",
        "much",
        "many",
        "ok",
        "hi",
        "hello",
        "thanks",
    ]
)
SPANISH = frozenset(
    [
        "el",
        "la",
        "los",
        "las",
        "un",
        "una",
        "de",
        "del",
        "que",
        "q",
        "k",
        "como",
        "cuanto",
        "cuando",
        "donde",
        "quien",
        "por",
        "porque",
        "para",
        "pa",
        "con",
        "sin",
        "y",
        "o",
        "es",
        "son",
        "soy",
        "esta",
        "estoy",
        "tengo",
        "tiene",
        "hay",
        "me",
        "mi",
        "mis",
        "te",
        "tu",
        "su",
        "se",
        "lo",
        "le",
        "les",
        "yo",
        "usted",
        "uno",
        "ya",
        "no",
        "si",
        "muy",
        "mas",
        "pero",
        "ser",
        "hacer",
        "puedo",
        "puede",
        "quiero",
        "kiero",
        "necesito",
        "trabajo",
        "trabajar",
        "cual",
        "aqui",
        "aca",
        "al",
        "en",
        "a",
        "ke",
        "gracias",
        "hola",
        "ayuda",
        "dinero",
        "escuela",
        "estudiar",
        "ayudan",
        "pagan",
        "paga",
        "gano",
        "gana",
        "nada",
        "todo",
        "cosa",
        "algo",
        "ni",
        "fue",
        "era",
        "voy",
        "va",
        "hacen",
        "dan",
    ]
)
SHARED = ENGLISH & SPANISH | {"no", "me", "a", "ok"}
ENOUGH = 2_000  # characters in which the language of a message shows
ENDINGS = re.compile(r"(?:ción|ciones|mente|ando|iendo|ito|ita|ería|ado|ados|adas|ar|er|ir|ía|os|as)$")


def words_of(text: str) -> list[str]:
    text = unicodedata.normalize("NFC", text[:ENOUGH].lower()).replace("’", "'")
    return re.findall(r"[^\W\d_]+", text)


def language_of(text: str, others: Mapping[str, OtherLanguage]) -> Language | str | None:
    """ "en", "es", the id of another language that we know of, or None when the words don't tell."""
    words = words_of(text)
    for language in others.values():
        if language.script and any(_in_script(character, language.script) for character in text):
            return language.id
    bare = [_bare(word) for word in words]
    english = sum(word in ENGLISH and word not in SHARED for word in bare)
    spanish = sum(word in SPANISH and word not in SHARED for word in bare)
    spanish += sum(word in SHARED for word in bare) * 0.1
    if re.search(r"[¿¡ñ]", text.lower()):
        spanish += 2
    spanish += 0.5 * sum(any(c in "áéíóú" for c in word) for word in words)
    other, telling = _other_language(words, others)
    if other and telling >= 2 and telling > max(english, spanish):
        return other
    if max(english, spanish) < 0.5:
        return None
    return "es" if spanish > english else "en" if english > spanish else None


def _other_language(words: list[str], others: Mapping[str, OtherLanguage]) -> tuple[str | None, int]:
    found = [(sum(word in language.telltale for word in words), language.id) for language in others.values()]
    count, name = max(found, default=(0, None))
    return (name, count) if count else (None, 0)


def _bare(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))


def _in_script(character: str, script: str) -> bool:
    return ord(character) > 0x24F and unicodedata.name(character, "").startswith(script)
