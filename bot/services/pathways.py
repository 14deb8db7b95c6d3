"""Answers worked out from the career map for one employee: next roles, routes, gaps, comparisons, lists."""

from datetime import date
from typing import Any

from bot.domain.cards import Language
from bot.domain.lattice import Lattice, Route
from bot.domain.people import Employee
from bot.domain.role_mentions import RolesAsked
from bot.domain.roles import Role, Step
from bot.knowledge_base import KnowledgeBase, Page

MOST_LISTED = 6


class Pathways:
    """Calls like `answering.WorkOut`: a page for the cards that are worked out, None for the rest."""

    def __init__(self, kb: KnowledgeBase) -> None:
        self._kb = kb
        pay = {slug: wage.hourly_median for slug in kb.roles if (wage := kb.wage(slug))}
        self.lattice = Lattice(kb.steps, pay)

    def __call__(
        self, card: str, roles: RolesAsked, employee: Employee, language: Language, today: date, text: str = ""
    ) -> Page | None:
        lines = self._lines(card, roles, employee, language, today)
        if not lines:
            return None
        source = self._say(
            "pathway_source",
            language,
            employer=self._kb.employer["name"],
            year=today.year,
            source=self._kb.datasets["wages"].source.in_(language),
        )
        following = {
            "pathways/next-roles": ("pathways/map", "programs/overview", "tuition/overview"),
            "pathways/path-to": ("pathways/gap", "tuition/overview", "supports/overview"),
        }.get(card, ("pathways/path-to", "pathways/next-roles"))
        kept = tuple(each for each in following if self._kb.has(each))
        return Page(card, self._kb.title(card, language), "\n".join(lines), source, kept)

    def _lines(self, card: str, roles: RolesAsked, employee: Employee, language: Language, today: date) -> list[str]:
        start, goal = roles.from_ or employee.role, roles.to or (roles.named[-1] if roles.named else None)
        match card:
            case "pathways/next-roles":
                origin = roles.from_ or (roles.named[0] if roles.named else employee.role)
                return self._next(origin, language, today) if origin else [self._say("which_role_now", language)]
            case "pathways/path-to":
                if goal is None:
                    return [self._say("which_role_wanted", language)]
                return self._way(start, goal, language, today)
            case "pathways/gap":
                return self._gap(goal, language) if goal else [self._say("which_role_wanted", language)]
            case "pathways/compare":
                return self._compare(roles.compare or roles.named[:3], language, today)
            case "pathways/growing":
                return self._growing(language, today)
            case "pathways/no-degree":
                return self._listed(lambda role: role.education in ("none", "high-school", "certificate"), language, today)
            case "pathways/non-clinical":
                return self._listed(lambda role: role.patient_contact == "none" and not role.blood, language, today)
        return []

    def _next(self, role: str, language: Language, today: date) -> list[str]:
        steps = self.lattice.next_steps(role)[:4]
        if not steps:
            return [self._say("next_none", language, role=self._title(role, language))]
        head = self._say("next_from", language, role=self._title(role, language))
        first = self._say("first_action", language, action=steps[0].first_action.in_(language))
        return [head, *(self._step(step, language, today) for step in steps), first]

    def _way(self, start: str | None, goal: str, language: Language, today: date) -> list[str]:
        if start == goal:
            return [self._say("already_there", language), *self._next(goal, language, today)]
        if start is None:
            return [*self._gap(goal, language), self._say("which_role_now", language)]
        routes = self.lattice.routes(start, goal)
        names = {"from_": self._title(start, language), "to": self._title(goal, language)}
        if not routes:
            return [self._say("route_none", language, **names), *self._gap(goal, language)]
        lines = [self._say("route_head", language, **names), *self._route(routes[0], language, today)]
        if len(routes) > 1 and routes[1].cost < routes[0].cost:
            lines += [self._say("route_cheaper", language), *self._route(routes[1], language, today)]
        return [*lines, self._say("first_action", language, action=routes[0].steps[0].first_action.in_(language))]

    def _route(self, route: Route, language: Language, today: date) -> list[str]:
        lines = [self._step(step, language, today) for step in route.steps]
        if len(route.steps) > 1:
            lines.append(self._say("route_total", language, months=route.months, cost=f"{route.cost:,}"))
        return lines

    def _step(self, step: Step, language: Language, today: date) -> str:
        months = self._say("step_months", language, months=step.months) if step.months else self._say("step_now", language)
        cost = self._say("step_cost", language, cost=f"{step.cost:,}") if step.cost else self._say("step_free", language)
        closes = step.closes.in_(language)
        if step.pay_note:
            closes += " " + step.pay_note.in_(language)
        pay = self._pay_change(step, language, today)
        return self._say(
            "step_line", language, to=self._title(step.to, language), months=months, cost=cost, pay=pay, closes=closes
        )

    def _pay_change(self, step: Step, language: Language, today: date) -> str:
        now, then, dataset = self._kb.wage(step.from_), self._kb.wage(step.to), self._kb.datasets["wages"]
        if now is None or then is None or today > dataset.review_by:
            return ""
        figures = {"now": f"{now.hourly_median:.2f}", "then": f"{then.hourly_median:.2f}", "year": dataset.year}
        return self._say("step_pay", language, **figures)

    def _gap(self, goal: str, language: Language) -> list[str]:
        role = self._kb.roles[goal]
        lines = [
            self._say("gap_head", language, to=self._title(goal, language)),
            self._say("gap_needs", language, needs=role.needs.in_(language)),
        ]
        for credential in (self._kb.credentials[name] for name in role.credentials_required):
            name, needs = credential.name.in_(language), credential.needs.in_(language)
            lines.append(self._say("gap_credential", language, name=name, needs=needs))
        return [*lines, self._say("gap_ask", language)]

    def _compare(self, roles: tuple[str, ...], language: Language, today: date) -> list[str]:
        known = [role for role in roles if self._kb.wage(role)]
        dataset = self._kb.datasets["wages"]
        if len(known) < 2 or today > dataset.review_by:
            return []
        pay = {role: wage.hourly_median for role in known if (wage := self._kb.wage(role))}
        lines = []
        for role in known:
            values = {"pay": f"{pay[role]:.2f}", "year": dataset.year, "needs": self._kb.roles[role].needs.in_(language)}
            lines.append(self._say("compare_line", language, role=self._title(role, language), **values))
        best = max(known, key=lambda role: pay[role])
        if len(set(pay.values())) > 1:
            lines.append(self._say("compare_more", language, role=self._title(best, language)))
        return lines

    def _growing(self, language: Language, today: date) -> list[str]:
        if today > self._kb.datasets["outlook"].review_by:
            return []
        known = [
            (self._kb.outlooks[role.soc].change_pct, slug)
            for slug, role in self._kb.roles.items()
            if role.soc in self._kb.outlooks
        ]
        return [
            self._say("grows_line", language, role=self._title(slug, language), percent=f"{change:g}%")
            for change, slug in sorted(known, reverse=True)[:MOST_LISTED]
            if change > 0
        ]

    def _listed(self, fits: Any, language: Language, today: date) -> list[str]:
        dataset = self._kb.datasets["wages"]
        if today > dataset.review_by:
            return []
        fitting = [
            (wage.hourly_median, role)
            for role in self._kb.roles.values()
            if fits(role) and (wage := self._kb.wage(role.slug))
        ]
        best: list[tuple[float, Role]] = sorted(fitting, key=lambda pair: (-pair[0], pair[1].slug))[:MOST_LISTED]
        return [
            self._say("list_line", language, role=self._title(role.slug, language), pay=f"{pay:.2f}", year=dataset.year)
            for pay, role in best
        ]

    def _title(self, role: str, language: Language) -> str:
        return self._kb.roles[role].title.in_(language)

    def _say(self, message: str, language: Language, **values: Any) -> str:
        return self._kb.say(message, language, **values)
