"""Answers worked out from the career map for one employee: next roles, routes, gaps, comparisons, lists."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from bot.domain.cards import Language
from bot.domain.lattice import Lattice
from bot.domain.people import Employee
from bot.domain.role_mentions import RolesAsked
from bot.domain.roles import Role
from bot.domain.said import experience_said
from bot.domain.wishes import Wishes, read_wishes
from bot.knowledge_base import KnowledgeBase, Page
from bot.knowledge_base.base import Offer
from bot.services.gaps import compare_lines, gap_lines
from bot.services.map_words import MapWords
from bot.services.next_roles import chosen_steps, next_lines, ranked_steps
from bot.services.routes import way_lines

MOST_LISTED = 6
MOST_OFFERS = 3
CHOOSE_GOAL, ABOUT_ME, SHOW_MAP = "choose_goal", "about_me", "show_map"
FOLLOWING = {
    "pathways/next-roles": ("programs/overview", "tuition/overview", "careers/transferable-skills"),
    "pathways/path-to": ("pathways/gap", "tuition/overview", "supports/overview"),
    "pathways/gap": ("pathways/path-to", "careers/transferable-skills", "supports/foreign-credentials"),
}


class Pathways:
    """Calls like `answering.WorkOut` for pathways/* cards; None for one that stands as it is."""

    def __init__(self, kb: KnowledgeBase) -> None:
        self._kb = kb
        pay = {slug: wage.hourly_median for slug in kb.roles if (wage := kb.wage(slug))}
        self.lattice = Lattice(kb.steps, pay)

    def __call__(
        self, card: str, roles: RolesAsked, employee: Employee, language: Language, today: date, text: str = ""
    ) -> Page | None:
        employee = replace(employee, experience=employee.experience | experience_said(text))
        words = MapWords(self._kb, self.lattice, employee, language, today)
        lines, offers = self._answer(card, roles, words, read_wishes(text))
        if not lines:
            return None
        source = words.say(
            "pathway_source",
            employer=self._kb.employer["name"],
            year=self._kb.cards[card].reviewed.year,
            source=self._kb.datasets["wages"].source.in_(language),
        )
        following = FOLLOWING.get(card, ("pathways/path-to", "pathways/next-roles"))
        kept = tuple(each for each in following if self._kb.has(each))
        return Page(card, self._kb.title(card, language), "\n".join(lines), source, kept, offers)

    def _answer(self, card: str, roles: RolesAsked, words: MapWords, wishes: Wishes) -> tuple[list[str], tuple[Offer, ...]]:
        start, goal = roles.from_ or words.employee.role, roles.to or (roles.named[-1] if roles.named else None)
        match card:
            case "pathways/next-roles":
                origin = roles.from_ or (roles.named[0] if roles.named else words.employee.role)
                if origin is None:
                    return [_which_role(words, roles, "which_role_now")], ()
                ranked = ranked_steps(words, origin)
                goals = _goals(words, [step.to for step in chosen_steps(ranked)])
                return next_lines(words, origin, ranked), (*goals, _map(words, origin))
            case "pathways/path-to":
                if goal is None:
                    return [_which_role(words, roles, "which_role_wanted")], ()
                goals = _goals(words, [goal] if goal != start else [])
                return way_lines(words, start, goal, wishes), (*goals, _map(words, start or "", goal))
            case "pathways/gap":
                if goal is None:
                    return [_which_role(words, roles, "which_role_wanted")], ()
                correct = Offer(ABOUT_ME, words.say("offer_about_me"), "pathways/gap")
                return gap_lines(words, goal), (*_goals(words, [goal] if goal != start else []), correct)
            case "pathways/compare":
                asked = roles.compare or roles.named[:3]
                return compare_lines(words, asked), _goals(words, [role for role in asked if role != words.employee.role])
            case "pathways/map":
                return self._map_lines(words), (_map(words, start or ""),)
            case "pathways/growing":
                return self._growing(words, wishes), ()
            case "pathways/no-degree":
                return self._listed(words, lambda role: role.education in ("none", "high-school", "certificate")), ()
            case "pathways/non-clinical":
                return self._listed(words, lambda role: role.patient_contact == "none" and not role.blood), ()
        return [], ()

    def _map_lines(self, words: MapWords) -> list[str]:
        families = list(dict.fromkeys(role.family for role in self._kb.roles.values()))
        named = ", ".join(words.say(f"family_{family}") for family in families)
        counts = {"roles": len(self._kb.roles), "steps": len(self._kb.steps), "count": len(families)}
        return [words.say("map_lines", families=named, **counts)]

    def _growing(self, words: MapWords, wishes: Wishes) -> list[str]:
        if words.today > self._kb.datasets["outlook"].review_by:
            return []
        known = [
            (self._kb.outlooks[role.soc].change_pct, slug)
            for slug, role in self._kb.roles.items()
            if role.soc in self._kb.outlooks
            and not (wishes.no_degree and role.education in ("associate", "bachelor"))
            and not (wishes.no_patients and role.patient_contact != "none")
        ]
        return [
            words.say("grows_line", role=words.title(slug), percent=f"{change:g}%")
            for change, slug in sorted(known, reverse=True)[:MOST_LISTED]
            if change > 0
        ]

    def _listed(self, words: MapWords, fits: Callable[[Role], bool]) -> list[str]:
        if not words.pay_is_current:
            return []
        fitting = [
            (wage.hourly_median, slug)
            for slug, role in self._kb.roles.items()
            if fits(role) and (wage := self._kb.wage(slug))
        ]
        best = sorted(fitting, key=lambda pair: (-pair[0], pair[1]))[:MOST_LISTED]
        return [words.say("list_line", role=words.title(slug), pay=f"{pay:.2f}", year=words.pay_year) for pay, slug in best]


def _which_role(words: MapWords, roles: RolesAsked, question: str) -> str:
    """Asks back: among the roles that "tech" or "aide" may mean, or openly."""
    if not roles.ambiguous:
        return words.say(question)
    said = roles.ambiguous[-1]
    return words.say("which_of_these_roles", word=said.words, roles=", ".join(words.title(role) for role in said.roles))


def _map(words: MapWords, start: str, goal: str = "") -> Offer:
    """The button that posts the map, with what is to be marked on it: "from>to", each may be empty."""
    return Offer(SHOW_MAP, words.say("offer_map"), f"{start}>{goal}")


def _goals(words: MapWords, roles: list[str]) -> tuple[Offer, ...]:
    """Buttons that make a role the employee's goal."""
    return tuple(
        Offer(CHOOSE_GOAL, words.say("offer_goal", name=words.title(role)), f"roles/{role}")
        for role in list(dict.fromkeys(roles))[:MOST_OFFERS]
    )
