"""Dates, amounts and schools that a message names, in English and Spanish."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Literal

from bot.domain.safety import plain

MONTHS = (
    ("january", "enero", "jan", "ene"),
    ("february", "febrero", "feb"),
    ("march", "marzo", "mar"),
    ("april", "abril", "apr", "abr"),
    ("may", "mayo"),
    ("june", "junio", "jun"),
    ("july", "julio", "jul"),
    ("august", "agosto", "aug", "ago"),
    ("september", "septiembre", "setiembre", "sept", "sep"),
    ("october", "octubre", "oct"),
    ("november", "noviembre", "nov"),
    ("december", "diciembre", "dec", "dic"),
)
_NUMBER_OF = {name: number for number, names in enumerate(MONTHS, 1) for name in names}
_MONTH = "|".join(sorted(_NUMBER_OF, key=len, reverse=True))
_MONTH_DAY = re.compile(rf"\b({_MONTH})\.? (\d{{1,2}})(?:st|nd|rd|th)?(?:,? (20\d\d))?\b")
_DAY_MONTH = re.compile(rf"\b(\d{{1,2}}) (?:de |of )?({_MONTH})\b(?:,? (?:de |del )?(20\d\d))?")
_NUMBERS = re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})(?:/(20\d\d|\d\d))?(?![\d/])")
_AMOUNT = re.compile(
    r"\$\s?(\d[\d,]{0,11}(?:\.\d\d)?)|\b(\d[\d,]{0,11}(?:\.\d\d)?)\s?(?:dollars|dolares|dólares|bucks|usd)\b", re.IGNORECASE
)
_USED = re.compile(
    r"\b(?:used|spent|already (?:got|had|took)|use[ds]? up|gaste|gastado|use|usado|ya me (?:dieron|pagaron)|llevo usado)\b"
)

_EXPERIENCE = {
    "abroad": r"\b(?:in|back in|from) (?:my|another|a different) (?:home ?)?(?:country|homeland)|foreign (?:trained|license|degree|nurse|doctor)|abroad|"
    r"overseas|en (?:mi|otro) pais|de (?:mi|otro) pais|en el extranjero",
    "military": r"\b(?:in the|from the|was) (?:army|navy|military|marines|air force|national guard)|veteran|medic in|"
    r"en el ejercito|en la marina|veterano|servicio militar",
}
_EXPERIENCE_SAID = {kind: re.compile(pattern) for kind, pattern in _EXPERIENCE.items()}


def experience_said(text: str) -> frozenset[str]:
    """Work or school that a message tells of: "abroad", "military"."""
    said = plain(text)
    return frozenset(kind for kind, pattern in _EXPERIENCE_SAID.items() if pattern.search(said))


def date_said(text: str, today: date) -> date | None:
    """The first date named. Without a year it is the next one to come; "1/18" is January 18, as in the U.S."""
    said = " ".join(text.lower().replace(",", " ").split())
    found: list[tuple[int, int, int, str | None]] = []
    for match in _MONTH_DAY.finditer(said):
        found.append((match.start(), _NUMBER_OF[match[1]], int(match[2]), match[3]))
    for match in _DAY_MONTH.finditer(said):
        found.append((match.start(), _NUMBER_OF[match[2]], int(match[1]), match[3]))
    for match in _NUMBERS.finditer(said):
        found.append((match.start(), int(match[1]), int(match[2]), match[3]))
    for _, month, day, year in sorted(found, key=lambda each: each[0]):
        if valid := _date(month, day, year, today):
            return valid
    return None


def _date(month: int, day: int, year: str | None, today: date) -> date | None:
    try:
        if year:
            return date(int(year) if len(year) == 4 else 2000 + int(year), month, day)
        this_year = date(today.year, month, day)
        return this_year if this_year >= today else date(today.year + 1, month, day)
    except ValueError:
        return None


def amounts_said(text: str) -> tuple[float | None, float | None]:
    """(price, already used) in dollars. An amount counts as used when a word for that stands just before it."""
    price = used = None
    before = 0
    for match in _AMOUNT.finditer(text):
        amount = float((match[1] or match[2]).replace(",", ""))
        if _USED.search(plain(text[max(before, match.start() - 28) : match.start()])):
            used = amount if used is None else used
        else:
            price = amount if price is None else price
        before = match.end()
    return price, used


def school_said(text: str, partners: Iterable[str]) -> Literal["partner"] | None:
    """Is a partner school named? By its full name or its first word ("Lakeside")."""
    said = f" {plain(text)} "
    names = [form for name in partners for form in (plain(name), plain(name).split()[0])]
    return "partner" if any(f" {name} " in said for name in names) else None
