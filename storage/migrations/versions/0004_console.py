"""The coach's console: audit log, notes, labels, reviews, claims"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql import sqltypes

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Only added to, never changed: the database itself says no, whoever asks.
AUDIT_IS_APPEND_ONLY = {
    "sqlite": [
        "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END",
    ],
    "postgresql": [
        "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$",
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    ],
}

# Full-text search over questions and replies. SQLite keeps the index beside the table, by trigger.
SEARCH = {
    "sqlite": [
        "CREATE VIRTUAL TABLE exchange_search USING fts5(question, reply_text, content='exchange', content_rowid='id', "
        "tokenize='unicode61 remove_diacritics 2')",
        "CREATE TRIGGER exchange_search_insert AFTER INSERT ON exchange BEGIN "
        "INSERT INTO exchange_search(rowid, question, reply_text) VALUES (new.id, new.question, new.reply_text); END",
        "CREATE TRIGGER exchange_search_delete AFTER DELETE ON exchange BEGIN "
        "INSERT INTO exchange_search(exchange_search, rowid, question, reply_text) "
        "VALUES ('delete', old.id, old.question, old.reply_text); END",
        "CREATE TRIGGER exchange_search_update AFTER UPDATE OF question, reply_text ON exchange BEGIN "
        "INSERT INTO exchange_search(exchange_search, rowid, question, reply_text) "
        "VALUES ('delete', old.id, old.question, old.reply_text); "
        "INSERT INTO exchange_search(rowid, question, reply_text) VALUES (new.id, new.question, new.reply_text); END",
        "INSERT INTO exchange_search(exchange_search) VALUES ('rebuild')",
    ],
    "postgresql": [
        # As with SQLite, letters lose their accents; the extension unaccent may be missing, and is not immutable.
        "CREATE INDEX ix_exchange_search ON exchange USING gin (to_tsvector('simple', "
        "translate(lower(question || ' ' || reply_text), 'áàâäãéèêëíìîïóòôöõúùûüñç', 'aaaaaeeeeiiiiooooouuuunc')))",
    ],
}
TAKEN_AWAY = {
    "sqlite": [
        "DROP TRIGGER exchange_search_insert",
        "DROP TRIGGER exchange_search_delete",
        "DROP TRIGGER exchange_search_update",
        "DROP TABLE exchange_search",
        "DROP TRIGGER audit_no_update",
        "DROP TRIGGER audit_no_delete",
    ],
    "postgresql": [
        "DROP INDEX ix_exchange_search",
        "DROP TRIGGER audit_no_change ON audit",
        "DROP FUNCTION audit_refuse()",
    ],
}


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace", sqltypes.AutoString(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("act", sqltypes.AutoString(), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=True),
        sa.Column("conversation_id", sa.Integer(), nullable=True),
        sa.Column("reason", sqltypes.AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index("ix_audit_subject", ["workspace", "subject_id", "id"], unique=False)
        batch_op.create_index("ix_audit_time", ["workspace", "id"], unique=False)

    op.create_table(
        "tally",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace", sqltypes.AutoString(), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("outcome", sqltypes.AutoString(), nullable=False),
        sa.Column("card", sqltypes.AutoString(), nullable=False),
        sa.Column("language", sqltypes.AutoString(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("workspace", "week", "outcome", "card", "language"),
    )
    op.create_table(
        "saved_filter",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace", sqltypes.AutoString(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("name", sqltypes.AutoString(), nullable=False),
        sa.Column("query", sqltypes.AutoString(), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("owner_id", "name"),
    )
    op.create_table(
        "saved_reply",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace", sqltypes.AutoString(), nullable=False),
        sa.Column("title", sqltypes.AutoString(), nullable=False),
        sa.Column("language", sqltypes.AutoString(), nullable=False),
        sa.Column("text", sqltypes.AutoString(), nullable=False),
        sa.Column("added_by", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["added_by"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("saved_reply", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_saved_reply_workspace"), ["workspace"], unique=False)

    op.create_table(
        "attention",
        sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("workspace", sqltypes.AutoString(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("reason", sqltypes.AutoString(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("turn", sa.Float(), nullable=False),
        sa.Column("since", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("last_at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("handled_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("snoozed_until", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("assigned_to", sa.Integer(), nullable=True),
        sa.Column("language", sqltypes.AutoString(), nullable=False),
        sa.Column("site", sqltypes.AutoString(), nullable=False),
        sa.Column("topic", sqltypes.AutoString(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assigned_to"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("conversation_id"),
    )
    with op.batch_alter_table("attention", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attention_assigned_to"), ["assigned_to"], unique=False)
        batch_op.create_index("ix_attention_latest", ["workspace", "last_at", "conversation_id"], unique=False)
        batch_op.create_index("ix_attention_order", ["workspace", "level", "turn", "conversation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_attention_person_id"), ["person_id"], unique=False)

    op.create_table(
        "label",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace", sqltypes.AutoString(), nullable=False),
        sa.Column("name", sqltypes.AutoString(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("exchange_id", sa.Integer(), nullable=True),
        sa.Column("added_by", sa.Integer(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["added_by"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["exchange_id"],
            ["exchange.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("label", schema=None) as batch_op:
        batch_op.create_index("ix_label_name", ["workspace", "name", "person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_label_person_id"), ["person_id"], unique=False)

    op.create_table(
        "note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace", sqltypes.AutoString(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("exchange_id", sa.Integer(), nullable=True),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("text", sqltypes.AutoString(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["exchange_id"],
            ["exchange.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("note", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_note_person_id"), ["person_id"], unique=False)

    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace", sqltypes.AutoString(), nullable=False),
        sa.Column("exchange_id", sa.Integer(), nullable=True),
        sa.Column("reviewer_id", sa.Integer(), nullable=False),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("verdict", sqltypes.AutoString(), nullable=False),
        sa.Column("given_card", sqltypes.AutoString(), nullable=False),
        sa.Column("right_card", sqltypes.AutoString(), nullable=False),
        sa.Column("question", sqltypes.AutoString(), nullable=False),
        sa.Column("language", sqltypes.AutoString(), nullable=False),
        sa.Column("comment", sqltypes.AutoString(), nullable=False),
        sa.Column("state", sqltypes.AutoString(), nullable=False),
        sa.Column("closed_at", sqltypes.UTCDateTime(), nullable=True),
        sa.Column("closed_by_revision", sqltypes.AutoString(), nullable=False),
        sa.ForeignKeyConstraint(
            ["exchange_id"],
            ["exchange.id"],
        ),
        sa.ForeignKeyConstraint(
            ["reviewer_id"],
            ["person.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_review_exchange_id"), ["exchange_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_review_state"), ["state"], unique=False)

    op.create_table(
        "coach_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("workspace", sqltypes.AutoString(), nullable=False),
        sa.Column("conversation_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("at", sqltypes.UTCDateTime(), nullable=False),
        sa.Column("text", sqltypes.AutoString(), nullable=False),
        sa.Column("slack_ts", sqltypes.AutoString(), nullable=False),
        sa.Column("outbox_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["person.id"],
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
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
    )
    with op.batch_alter_table("coach_message", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_coach_message_conversation_id"), ["conversation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_coach_message_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_coach_message_slack_ts"), ["slack_ts"], unique=False)

    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outbox_dead",
            ["id"],
            unique=False,
            sqlite_where=sa.text("state = 'dead'"),
            postgresql_where=sa.text("state = 'dead'"),
        )
    database = op.get_bind().dialect.name
    for statement in (*AUDIT_IS_APPEND_ONLY[database], *SEARCH[database]):
        op.execute(statement)


def downgrade() -> None:
    for statement in TAKEN_AWAY[op.get_bind().dialect.name]:
        op.execute(statement)
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_outbox_dead", sqlite_where=sa.text("state = 'dead'"), postgresql_where=sa.text("state = 'dead'")
        )

    with op.batch_alter_table("coach_message", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_coach_message_slack_ts"))
        batch_op.drop_index(batch_op.f("ix_coach_message_person_id"))
        batch_op.drop_index(batch_op.f("ix_coach_message_conversation_id"))

    op.drop_table("coach_message")
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_review_state"))
        batch_op.drop_index(batch_op.f("ix_review_exchange_id"))

    op.drop_table("review")
    with op.batch_alter_table("note", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_note_person_id"))

    op.drop_table("note")
    with op.batch_alter_table("label", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_label_person_id"))
        batch_op.drop_index("ix_label_name")

    op.drop_table("label")
    with op.batch_alter_table("attention", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attention_person_id"))
        batch_op.drop_index("ix_attention_order")
        batch_op.drop_index("ix_attention_latest")
        batch_op.drop_index(batch_op.f("ix_attention_assigned_to"))

    op.drop_table("attention")
    with op.batch_alter_table("saved_reply", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_saved_reply_workspace"))

    op.drop_table("saved_reply")
    op.drop_table("saved_filter")
    op.drop_table("tally")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_time")
        batch_op.drop_index("ix_audit_subject")

    op.drop_table("audit")
