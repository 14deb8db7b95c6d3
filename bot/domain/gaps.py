"""Have, need, how to close: what a role asks for against what an employee brings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from bot.domain.eligibility import State, credentials_of
from bot.domain.people import Employee
from bot.domain.programs import Program
from bot.domain.roles import EDUCATION_ORDER, Role


@dataclass(frozen=True)
class GapItem:
    """One thing that the role asks for. `ref` is a credential id, an education level, or the competency's English text;
    `closed_by` are slugs of the programs that close it. `helpful`: it helps, but nobody must have it."""

    kind: Literal["education", "credential", "competency"]
    ref: str
    state: State
    closed_by: tuple[str, ...] = ()
    helpful: bool = False


def gap(goal: Role, employee: Employee, roles: Mapping[str, Role], programs: Mapping[str, Program]) -> tuple[GapItem, ...]:
    """Item by item: school, credentials, then competencies."""
    return tuple(_items(goal, employee, roles, programs))


def _items(goal: Role, employee: Employee, roles: Mapping[str, Role], programs: Mapping[str, Program]) -> Iterator[GapItem]:
    here = roles.get(employee.role or "")
    held = credentials_of(employee, roles)
    leading = [program for program in programs.values() if goal.slug in program.leads_to]
    open_to_me = [program for program in leading if held.issuperset(program.eligibility.credentials)]
    if goal.education != "none":
        closing = tuple(program.slug for program in open_to_me)
        by = ("ged",) if goal.education == "high-school" and "ged" in programs else closing
        yield GapItem("education", goal.education, _education(goal, employee, here), by)
    for names, helpful in ((goal.credentials_required, False), (goal.credentials_helpful, True)):
        for credential in names:
            closing = tuple(program.slug for program in open_to_me if credential in program.credentials)
            state: State = "met" if credential in held else "not_met"
            yield GapItem("credential", credential, state, closing, helpful)
    brings = {competency.en for competency in here.competencies} if here else set()
    for competency in goal.competencies:
        yield GapItem("competency", competency.en, "met" if competency.en in brings else "unknown")


def _education(goal: Role, employee: Employee, here: Role | None) -> State:
    """What the employee said; else a job held now that asks for as much says yes. Never a no by guess."""
    order = EDUCATION_ORDER.index
    if employee.education is not None:
        return "met" if order(employee.education) >= order(goal.education) else "not_met"  # type: ignore[arg-type]
    return "met" if here and order(here.education) >= order(goal.education) else "unknown"
