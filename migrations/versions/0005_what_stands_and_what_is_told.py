"""How a connection stands and what has still to be told of it, whose set-up a second factor is, who acted as an outsider."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
PHASE = "expand"
SERVES = "0005"

CONNECTIONS = {
    "check_stands": "check_stands in ('', 'idle', 'choice', 'unsure')",
    "news": "news in ('', 'broken', 'mended', 'remark')",
    "told_remark": "",
}


def upgrade() -> None:
    for column, rule in CONNECTIONS.items():
        op.add_column("integration_configs", sa.Column(column, sa.Text(), server_default="", nullable=False))
        if rule:
            op.create_check_constraint(op.f(f"ck_integration_configs_{column}"), "integration_configs", rule)
    op.add_column("credentials", sa.Column("totp_begun_by", sa.Uuid()))
    op.add_column("credentials", sa.Column("totp_begun_at", sa.DateTime(timezone=True)))
    op.execute("alter table audit_log add column if not exists outsider boolean")


def downgrade() -> None:
    # audit_log.outsider stays: the chain is computed over it, and without it every later proof would find an edit
    for column in ("totp_begun_at", "totp_begun_by"):
        op.drop_column("credentials", column)
    for column in reversed(CONNECTIONS):
        op.drop_column("integration_configs", column)
