"""Programs: who is interested, who waits, who is in, moved on by a coach or the program lead; and do the supports work?"""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from bot.console.access import COACHES, HR, Staff
from bot.console.parts import parts_of
from bot.console.views import flash, render
from bot.domain.plans import STAGES
from bot.services.program_board import groups_of, move_on, support_outcomes
from bot.services.stepping_in import policy_of

router = APIRouter()


@router.get("/programs")
def programs(request: Request, staff: Staff) -> Response:
    """Names are for coaches and the program lead; content owners see how supports work."""
    parts = parts_of(request)
    kb = parts.desk.answering.kb
    smallest = policy_of(kb).smallest_group
    with parts.reading() as session:
        groups = groups_of(session, kb, staff.workspace) if staff.access in COACHES | {HR} else None
        supports = support_outcomes(session, kb, staff.workspace, smallest)
    stages = {stage: kb.say(f"stage_{stage}", "en") for stage in STAGES}
    return render(request, "programs.html", staff=staff, groups=groups, supports=supports, smallest=smallest, stages=stages)


@router.post("/programs/interests/{interest_id}")
def move_interest(
    request: Request, staff: Staff, interest_id: int, stage: Annotated[str, Form(max_length=20)] = ""
) -> Response:
    parts = parts_of(request)
    try:
        with parts.desk.sessions() as session:
            _, outgoing = move_on(session, parts.desk.answering.kb, interest_id, stage, staff, parts.desk.clock())
            session.commit()
    except ValueError as why:
        flash(request, str(why))
    else:
        parts.send([outgoing] if outgoing else [])
        flash(request, "Moved on; the employee hears of it in Slack." if outgoing else "Moved on.")
    return RedirectResponse("/programs", 303)
