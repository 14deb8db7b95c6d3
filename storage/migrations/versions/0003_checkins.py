"""Check-ins: one for each employee and half-year, preparation, promises, reminders, the manager's weekly digest"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "checkin",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace", sqltypes.AutoString(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("manager_id", sa.Integer(), nullable=True),
        sa.Column("anchor", sa.Date(), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=False),
        sa.Column("state", sqltypes.AutoString(), nullable=False),
        sa.Column("step", sqltypes.AutoString(), nullable=True),
        sa.Column("next_action_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("snoozes", sa.Integer(), nullable=False),
        sa.Column("snoozed_until", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("slot_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("offered", sa.JSON(), nullable=False),
        sa.Column("offered_by", sqltypes.AutoString(), nullable=False),
        sa.Column("employee_said", sqltypes.AutoString(), nullable=False),
        sa.Column("manager_said", sqltypes.AutoString(), nullable=False),
        sa.Column("settled_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("skip_reason", sqltypes.AutoString(), nullable=False),
        sa.Column("skipped_by", sqltypes.AutoString(), nullable=False),
        sa.ForeignKeyConstraint(
            ["manager_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("person_id", "anchor", "cycle"),
    )
    with op.batch_alter_table("checkin", schema=None) as batch_op:
        batch_op.create_index(
            "ix_checkin_due",
            ["next_action_at"],
            unique=False,
            sqlite_where=sa.text("next_action_at IS NOT NULL"),
            postgresql_where=sa.text("next_action_at IS NOT NULL"),
        )
        batch_op.create_index("ix_checkin_manager", ["manager_id", "planned_on"], unique=False)
        batch_op.create_index("ix_checkin_report", ["workspace", "planned_on"], unique=False)

    op.create_table(
        "manager_digest",
        sa.Column("manager_id", sa.Integer(), nullable=False),
        sa.Column("workspace", sqltypes.AutoString(), nullable=False),
        sa.Column("next_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("failed_at", sqltypes.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["manager_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("manager_id"),
    )
    with op.batch_alter_table("manager_digest", schema=None) as batch_op:
        batch_op.create_index(
            "ix_manager_digest_due",
            ["next_at"],
            unique=False,
            sqlite_where=sa.text("next_at IS NOT NULL"),
            postgresql_where=sa.text("next_at IS NOT NULL"),
        )

    op.create_table(
        "checkin_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("checkin_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("topic", sqltypes.AutoString(), nullable=False),
        sa.Column("text", sqltypes.AutoString(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["checkin_id"],
            ["checkin.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("checkin_id", "position"),
    )
    with op.batch_alter_table("checkin_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_checkin_line_person_id"), ["person_id"], unique=False)

    op.create_table(
        "checkin_promise",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace", sqltypes.AutoString(), nullable=False),
        sa.Column("checkin_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("text", sqltypes.AutoString(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("ask_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("outcome", sqltypes.AutoString(), nullable=False),
        sa.ForeignKeyConstraint(
            ["checkin_id"],
            ["checkin.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("checkin_id", "person_id"),
    )
    with op.batch_alter_table("checkin_promise", schema=None) as batch_op:
        batch_op.create_index(
            "ix_checkin_promise_ask",
            ["ask_at"],
            unique=False,
            sqlite_where=sa.text("ask_at IS NOT NULL"),
            postgresql_where=sa.text("ask_at IS NOT NULL"),
        )
        batch_op.create_index(batch_op.f("ix_checkin_promise_person_id"), ["person_id"], unique=False)

    op.create_table(
        "checkin_trouble",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("checkin_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("reason", sqltypes.AutoString(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("settled_at", sqltypes.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["checkin_id"],
            ["checkin.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("checkin_id", "reason"),
    )
    with op.batch_alter_table("checkin_trouble", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_checkin_trouble_person_id"), ["person_id"], unique=False)

    op.create_table(
        "checkin_reminder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("checkin_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("key", sqltypes.AutoString(), nullable=False),
        sa.Column("step", sqltypes.AutoString(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("outcome", sqltypes.AutoString(), nullable=False),
        sa.Column("outbox_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["checkin_id"],
            ["checkin.id"],
        ),
        sa.ForeignKeyConstraint(
            ["outbox_id"],
            ["outbox.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("checkin_id", "key"),
    )
    with op.batch_alter_table("checkin_reminder", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_checkin_reminder_outbox_id"), ["outbox_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_checkin_reminder_person_id"), ["person_id"], unique=False)

    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.add_column(sa.Column("plan_checkin_on", sa.Date(), nullable=True))
        batch_op.create_index(
            "ix_person_plan_checkin",
            ["plan_checkin_on"],
            unique=False,
            sqlite_where=sa.text("plan_checkin_on IS NOT NULL"),
            postgresql_where=sa.text("plan_checkin_on IS NOT NULL"),
        )

    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.add_column(sa.Column("good_until", sqltypes.UTCDateTime(), nullable=True))
        batch_op.add_column(sa.Column("good_again_at", sqltypes.UTCDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_column("good_again_at")
        batch_op.drop_column("good_until")

    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_person_plan_checkin",
            sqlite_where=sa.text("plan_checkin_on IS NOT NULL"),
            postgresql_where=sa.text("plan_checkin_on IS NOT NULL"),
        )
        batch_op.drop_column("plan_checkin_on")

    with op.batch_alter_table("checkin_reminder", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_checkin_reminder_person_id"))
        batch_op.drop_index(batch_op.f("ix_checkin_reminder_outbox_id"))

    op.drop_table("checkin_reminder")
    with op.batch_alter_table("checkin_trouble", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_checkin_trouble_person_id"))

    op.drop_table("checkin_trouble")
    with op.batch_alter_table("checkin_promise", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_checkin_promise_person_id"))
        batch_op.drop_index(
            "ix_checkin_promise_ask",
            sqlite_where=sa.text("ask_at IS NOT NULL"),
            postgresql_where=sa.text("ask_at IS NOT NULL"),
        )

    op.drop_table("checkin_promise")
    with op.batch_alter_table("checkin_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_checkin_line_person_id"))

    op.drop_table("checkin_line")
    with op.batch_alter_table("manager_digest", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_manager_digest_due",
            sqlite_where=sa.text("next_at IS NOT NULL"),
            postgresql_where=sa.text("next_at IS NOT NULL"),
        )

    op.drop_table("manager_digest")
    with op.batch_alter_table("checkin", schema=None) as batch_op:
        batch_op.drop_index("ix_checkin_report")
        batch_op.drop_index("ix_checkin_manager")
        batch_op.drop_index(
            "ix_checkin_due",
            sqlite_where=sa.text("next_action_at IS NOT NULL"),
            postgresql_where=sa.text("next_action_at IS NOT NULL"),
        )

    op.drop_table("checkin")
