"""Several workspaces in one database: sessions that see one workspace's rows and no other's, whatever the query."""

from typing import Any

from sqlalchemy import column, event
from sqlalchemy.orm import ORMExecuteState, sessionmaker, with_loader_criteria
from sqlmodel import Session

WORKSPACE = "workspace"  # in a session's info: the one that it is kept to


class OfWorkspace:
    """Every table with a `workspace`: the Slack team, or the organisation of an Enterprise Grid, that its rows belong to."""

    @classmethod
    def lies_in(cls, workspace: str) -> Any:
        return getattr(cls, "workspace", column("workspace")) == workspace


class CrossedOver(Exception):
    """A row of another workspace was about to be written. A mistake in the code; nothing is written."""


def keep_to(sessions: "sessionmaker[Session]", workspace: str) -> None:
    """From now on these sessions read and write rows of this workspace alone.

    A second net under the conditions that queries state themselves. It holds for everything that goes through the ORM,
    joins, sub-queries and look-ups by id too; statements on bare tables must say their workspace themselves.
    """
    sessions.configure(info={WORKSPACE: workspace})
    here = with_loader_criteria(OfWorkspace, lambda cls: cls.lies_in(workspace), include_aliases=True)

    @event.listens_for(sessions, "do_orm_execute")
    def only_here(state: ORMExecuteState) -> None:
        if state.is_select or state.is_update or state.is_delete:
            state.statement = state.statement.options(here)

    @event.listens_for(sessions, "before_flush")
    def nothing_elsewhere(session: Session, *_: object) -> None:
        for row in (*session.new, *session.dirty, *session.deleted):
            must_lie_in(session, row)


def must_lie_in(session: Session, row: object) -> None:
    """Raises CrossedOver when the session is kept to another workspace than the row's."""
    workspace = session.info.get(WORKSPACE)
    if workspace and isinstance(row, OfWorkspace) and row.workspace != workspace:  # type: ignore[attr-defined]
        raise CrossedOver(f"a row of {type(row).__name__} belongs to another workspace than {workspace}")
