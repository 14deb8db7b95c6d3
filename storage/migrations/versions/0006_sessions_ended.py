"""Signing out ends the console's sessions on the server"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("sessions_ended", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("person", "sessions_ended")
