"""My plan: goals, interests in programs, what people told us about themselves"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "class_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace", sqltypes.AutoString(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("manager_id", sa.Integer(), nullable=False),
        sa.Column("program", sqltypes.AutoString(), nullable=False),
        sa.Column("cohort", sqltypes.AutoString(), nullable=False),
        sa.Column("text", sqltypes.AutoString(), nullable=False),
        sa.Column("sent_at", sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["manager_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("class_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_class_request_manager_id"), ["manager_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_class_request_person_id"), ["person_id"], unique=False)

    op.create_table(
        "goal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace", sqltypes.AutoString(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("card", sqltypes.AutoString(), nullable=False),
        sa.Column("chosen_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("state", sqltypes.AutoString(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("person_id", "card"),
    )
    with op.batch_alter_table("goal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_goal_person_id"), ["person_id"], unique=False)

    op.create_table(
        "interest",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace", sqltypes.AutoString(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("program", sqltypes.AutoString(), nullable=False),
        sa.Column("cohort", sqltypes.AutoString(), nullable=False),
        sa.Column("stage", sqltypes.AutoString(), nullable=False),
        sa.Column("since", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("remind_at", sqltypes.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("person_id", "program", "cohort"),
    )
    with op.batch_alter_table("interest", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_interest_person_id"), ["person_id"], unique=False)
        batch_op.create_index("ix_interest_program", ["workspace", "program", "cohort", "stage"], unique=False)
        batch_op.create_index(
            "ix_interest_remind",
            ["remind_at"],
            unique=False,
            sqlite_where=sa.text("remind_at IS NOT NULL"),
            postgresql_where=sa.text("remind_at IS NOT NULL"),
        )

    op.create_table(
        "support_offer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace", sqltypes.AutoString(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("support", sqltypes.AutoString(), nullable=False),
        sa.Column("program", sqltypes.AutoString(), nullable=False),
        sa.Column("offered_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("ask_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("outcome", sqltypes.AutoString(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("person_id", "support"),
    )
    with op.batch_alter_table("support_offer", schema=None) as batch_op:
        batch_op.create_index(
            "ix_support_offer_ask",
            ["ask_at"],
            unique=False,
            sqlite_where=sa.text("ask_at IS NOT NULL"),
            postgresql_where=sa.text("ask_at IS NOT NULL"),
        )
        batch_op.create_index("ix_support_offer_outcome", ["workspace", "support", "outcome"], unique=False)
        batch_op.create_index(batch_op.f("ix_support_offer_person_id"), ["person_id"], unique=False)

    op.create_table(
        "told",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace", sqltypes.AutoString(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("kind", sqltypes.AutoString(), nullable=False),
        sa.Column("value", sqltypes.AutoString(), nullable=False),
        sa.Column("detail", sqltypes.AutoString(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("person_id", "kind", "value"),
    )
    with op.batch_alter_table("told", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_told_person_id"), ["person_id"], unique=False)

    op.create_table(
        "interest_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace", sqltypes.AutoString(), nullable=False),
        sa.Column("interest_id", sa.Integer(), nullable=False),
        sa.Column("stage", sqltypes.AutoString(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["by_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["interest_id"],
            ["interest.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("interest_change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_interest_change_interest_id"), ["interest_id"], unique=False)

    op.create_table(
        "plan_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace", sqltypes.AutoString(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("goal_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sqltypes.AutoString(), nullable=False),
        sa.Column("ref", sqltypes.AutoString(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("state", sqltypes.AutoString(), nullable=False),
        sa.Column("reason", sqltypes.AutoString(), nullable=False),
        sa.Column("snoozed_until", sa.Date(), nullable=True),
        sa.Column("done_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("remind_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["goal_id"],
            ["goal.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("goal_id", "kind", "ref"),
    )
    with op.batch_alter_table("plan_step", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_step_goal_id"), ["goal_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_plan_step_person_id"), ["person_id"], unique=False)
        batch_op.create_index(
            "ix_plan_step_remind",
            ["remind_at"],
            unique=False,
            sqlite_where=sa.text("remind_at IS NOT NULL"),
            postgresql_where=sa.text("remind_at IS NOT NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("plan_step", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_plan_step_remind",
            sqlite_where=sa.text("remind_at IS NOT NULL"),
            postgresql_where=sa.text("remind_at IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_plan_step_person_id"))
        batch_op.drop_index(batch_op.f("ix_plan_step_goal_id"))

    op.drop_table("plan_step")
    with op.batch_alter_table("interest_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_interest_change_interest_id"))

    op.drop_table("interest_change")
    with op.batch_alter_table("told", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_told_person_id"))

    op.drop_table("told")
    with op.batch_alter_table("support_offer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_support_offer_person_id"))
        batch_op.drop_index("ix_support_offer_outcome")
        batch_op.drop_index(
            "ix_support_offer_ask",
            sqlite_where=sa.text("ask_at IS NOT NULL"),
            postgresql_where=sa.text("ask_at IS NOT NULL"),
        )

    op.drop_table("support_offer")
    with op.batch_alter_table("interest", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_interest_remind",
            sqlite_where=sa.text("remind_at IS NOT NULL"),
            postgresql_where=sa.text("remind_at IS NOT NULL"),
        )
        batch_op.drop_index("ix_interest_program")
        batch_op.drop_index(batch_op.f("ix_interest_person_id"))

    op.drop_table("interest")
    with op.batch_alter_table("goal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_goal_person_id"))

    op.drop_table("goal")
    with op.batch_alter_table("class_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_class_request_person_id"))
        batch_op.drop_index(batch_op.f("ix_class_request_manager_id"))

    op.drop_table("class_request")
