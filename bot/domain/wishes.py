"""What a message asks of a route: without quitting, no more than a year, only evenings, no degree, no patients …"""

import re
from dataclasses import dataclass
from typing import Literal

from bot.domain.safety import plain

Hours = Literal["evenings", "mornings", "weekends", "online"]
_NUMBER_WORDS = {
    "a": 1, "an": 1, "one": 1, "un": 1, "una": 1, "uno": 1, "two": 2, "dos": 2, "three": 3, "tres": 3, "four": 4, "cuatro": 4,
    "five": 5, "cinco": 5, "six": 6, "seis": 6, "nine": 9, "nueve": 9, "twelve": 12, "doce": 12, "eighteen": 18,
}  # fmt: skip


@dataclass(frozen=True)
class Wishes:
    """What every step of a route must respect. Nothing is set: no wish."""

    months_max: int | None = None
    cost_max: int | None = None
    keep_working: bool = False  # no step whose classes leave no room for a job
    hours: Hours | None = None  # when classes may be
    no_degree: bool = False
    no_patients: bool = False
    no_blood: bool = False
    paid: bool = False  # only steps that pay while one learns

    def __bool__(self) -> bool:
        return self != Wishes()

    def names(self) -> list[str]:
        """The wishes that are set, for wording: "months_max", "no_degree" …"""
        return [name for name, value in vars(self).items() if value is not None and value is not False]


_SAYS: dict[str, str] = {
    "keep_working": r"without (?:quitting|leaving|stopping|giving up) (?:my |work|the )?|cant quit|can not quit|cannot quit|keep (?:my |on )?(?:job|working)|"
    r"while (?:i |still )?work(?:ing)?|still (?:work|working)|and work full time|"
    r"sin (?:dejar|renunciar|parar)|no puedo (?:dejar|renunciar)|mientras (?:sigo )?trabaj|seguir trabajando|sin perder (?:mi|el) trabajo",
    "no_degree": r"(?:no|without(?: a| any| getting a)?|dont want(?: a)?|not a|skip the) (?:college )?(?:degree|college)|no college|"
    r"sin (?:titulo|universidad|carrera|ir a la universidad|colegio)|no quiero (?:titulo|universidad|ir a la universidad)",
    "no_patients": r"(?:no|without|away from|not (?:with|around|touching)|dont want(?: to (?:see|touch|work with))?) patients|"
    r"sin (?:tocar |ver |atender )?pacientes|lejos de (?:los )?pacientes|no (?:quiero )?(?:tocar|atender|tratar|ver) (?:a )?pacientes",
    "no_blood": r"(?:no|without|hate|cant stand|afraid of|scared of|faint at|dont like)(?: seeing| the sight of)? blood|"
    r"sin (?:ver )?sangre|(?:miedo|asco) (?:a|de) la sangre|no (?:soporto|aguanto) (?:ver )?(?:la )?sangre|me desmayo con la sangre",
    "paid": r"get(?:ting)? paid (?:while|to) (?:i )?learn\w*|earn (?:while|and) (?:i |you )?learn|paid training|paid while|"
    r"me paguen (?:mientras|por) (?:aprend|estudi)|ganar mientras|pagad[oa] mientras|que paguen mientras",
    "evenings": r"(?:only|just)(?: do| take| go)? (?:evenings?|nights?|at night|after work)|evenings? only|nights? only|evening classes|after (?:my )?work|"
    r"solo (?:de |por las |en las )?(?:tardes?|noches?)|clases de (?:noche|tarde)|despues del? trabajo|por las (?:tardes|noches)",
    "mornings": r"(?:only|just)(?: do| take| go)?(?: in the)? mornings?|mornings? only|morning classes|after my night shift|"
    r"solo (?:de |por las |en las )?mananas?|clases (?:de|por) la manana",
    "weekends": r"(?:only|just)(?: do| take| go)?(?: on)? weekends?|weekends? only|saturdays? only|only saturdays?|"
    r"solo (?:los )?(?:fines de semana|sabados)",
    "online": r"(?:only|all|just) online|online only|from home|solo (?:en linea|por internet|online)|desde (?:mi )?casa",
    "free": r"(?:for|is) free|no cost|without paying|cant pay|cannot pay|no money|dont have money|free way|cheapest|sin pagar|gratis|sin dinero|no tengo dinero",
}  # fmt: skip
_COMPILED = {name: re.compile(rf"\b(?:{pattern})") for name, pattern in _SAYS.items()}
_LENGTH = re.compile(
    r"\b(?:(?:no more|not more|no longer|less|under|within|in|max|maximum|at most) ?(?:than|of)?|up to|"
    r"menos de|no mas de|maximo|en menos de|en|dentro de) (\d{1,2}|" + "|".join(_NUMBER_WORDS) + r") (years?|months?|anos?|mes(?:es)?)\b"
)  # fmt: skip


def read_wishes(text: str) -> Wishes:
    """The wishes in a message; English and Spanish, with or without accents and apostrophes."""
    said = plain(text)
    found = {name for name, pattern in _COMPILED.items() if pattern.search(said)}
    hours: tuple[Hours, ...] = ("evenings", "mornings", "weekends", "online")
    return Wishes(
        months_max=_months(said),
        cost_max=0 if "free" in found else None,
        keep_working="keep_working" in found,
        hours=next((each for each in hours if each in found), None),
        no_degree="no_degree" in found,
        no_patients="no_patients" in found,
        no_blood="no_blood" in found,
        paid="paid" in found,
    )


def _months(said: str) -> int | None:
    match = _LENGTH.search(said)
    if match is None:
        return None
    number = int(match[1]) if match[1].isdigit() else _NUMBER_WORDS[match[1]]
    return number * (12 if match[2].startswith(("year", "ano")) else 1)
