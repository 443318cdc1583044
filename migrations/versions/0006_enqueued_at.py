"""The column says in the field's word when a job was sent: enqueued_at."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
PHASE = "contract"
SERVES = "0006"

TABLES = ("job_steps", "letters")


def upgrade() -> None:
    for table in TABLES:
        op.alter_column(table, "rung_at", new_column_name="enqueued_at")


def downgrade() -> None:
    for table in TABLES:
        op.alter_column(table, "enqueued_at", new_column_name="rung_at")
