"""Where a company is and what it has set; a person's picture and invitation; when either was changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
PHASE = "expand"
SERVES = "0002"

NOW = sa.text("now()")


def upgrade() -> None:
    op.add_column("tenants", sa.Column("country", sa.Text(), server_default="", nullable=False))
    op.add_column("tenants", sa.Column("settings", postgresql.JSONB(), server_default="{}", nullable=False))
    op.add_column("tenants", sa.Column("updated_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False))
    op.add_column("users", sa.Column("avatar", sa.Text(), server_default="", nullable=False))
    op.add_column("users", sa.Column("invited_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("updated_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False))
    op.create_index("ix_artifacts_created_at", "artifacts", ["created_at"])


def downgrade() -> None:
    op.drop_index("ix_artifacts_created_at", "artifacts")
    for table, column in (
        ("users", "updated_at"),
        ("users", "invited_at"),
        ("users", "avatar"),
        ("tenants", "updated_at"),
        ("tenants", "settings"),
        ("tenants", "country"),
    ):
        op.drop_column(table, column)
