"""Which answers are worked out for one employee, and by what."""

from datetime import date

from bot.domain.cards import Language
from bot.domain.lattice import Lattice
from bot.domain.people import Employee
from bot.domain.role_mentions import RolesAsked
from bot.knowledge_base import KnowledgeBase, Page
from bot.services.eligibility import program_page
from bot.services.pathways import Pathways
from bot.services.tuition import tuition_page


class WorkingOut:
    """Calls like `answering.WorkOut`: pathways, programs and tuition for this employee; None for the rest."""

    def __init__(self, kb: KnowledgeBase) -> None:
        self._kb = kb
        self._pathways = Pathways(kb)

    @property
    def lattice(self) -> Lattice:
        return self._pathways.lattice

    def __call__(
        self, card: str, roles: RolesAsked, employee: Employee, language: Language, today: date, text: str = ""
    ) -> Page | None:
        kind, _, slug = card.partition("/")
        if kind == "pathways":
            return self._pathways(card, roles, employee, language, today, text)
        if kind == "programs" and slug in self._kb.programs:
            return program_page(self._kb, self._kb.programs[slug], employee, language, today)
        if kind == "tuition":
            return tuition_page(self._kb, card, employee, language, today, text)
        return None
