"""Who read, changed or took away what. Rows are only ever added: the database itself refuses changes."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from storage.keeping_apart import OfWorkspace


class AuditEntry(OfWorkspace, SQLModel, table=True):
    """One act of one person. Names nobody and quotes nothing: ids stay meaningful after somebody's data is erased."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_subject", "workspace", "subject_id", "id"), Index("ix_audit_time", "workspace", "id"))

    id: int | None = Field(default=None, primary_key=True)
    workspace: str
    at: datetime
    actor_id: int | None = None  # a person; None: Trellis itself (retention)
    act: str  # opened, revealed, claimed, replied, exported, erased, signed in, ...
    subject_id: int | None = None  # the person whom it concerns
    conversation_id: int | None = None
    reason: str = ""  # why, in the words of who did it
