"""What a person tries out while connecting services, approved hosts, the CRM's names, more of the schedule."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
PHASE = "contract"
SERVES = "0004"

TENANT_TABLES = ("trials", "approved_hosts", "crm_pipelines", "crm_stages", "crm_loss_reasons")
OWN = "tenant_id = current_setting('app.tenant_id')::uuid"
COLOURS = "colour in ('green', 'yellow', 'red')"


def upgrade() -> None:
    _trials()
    _approved_hosts()
    _crm()
    for table in TENANT_TABLES:
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy own_tenant on {table} to synkro_app using ({OWN}) with check ({OWN})")
        op.execute(f"create policy every_tenant on {table} to synkro_system using (true) with check (true)")
        op.execute(f"grant select, insert, update, delete on {table} to synkro_app, synkro_system")
    _states_of_connections()
    _topics()
    _schedules()
    _calls_of_trials()


def downgrade() -> None:
    op.execute("delete from ai_calls where run_id is null")
    op.drop_constraint(op.f("ck_ai_calls_one_cause"), "ai_calls")
    op.alter_column("ai_calls", "run_id", nullable=False)
    op.drop_column("ai_calls", "trial_id")
    op.drop_index("ix_reports_held", "reports")
    for column in ("released_by", "released_at", "goes_at", "held_at"):
        op.drop_column("reports", column)
    for column in ("not_later_than", "is_held", "working_hours"):
        op.drop_column("automations", column)
    op.execute("delete from prompts where topic <> 'task'")
    op.drop_constraint(op.f("uq_prompts_tenant_id_topic_version"), "prompts")
    op.drop_column("prompts", "topic")
    op.create_unique_constraint(op.f("uq_prompts_tenant_id_version"), "prompts", ["tenant_id", "version"])
    for column in ("told_broken_at", "failures", "worked_at", "saved_at", "offers"):
        op.drop_column("integration_configs", column)
    for table in reversed(TENANT_TABLES):
        op.drop_table(table)


def _trials() -> None:
    op.create_table(
        "trials",
        *_of_a_tenant(),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("asked", postgresql.JSONB(), nullable=False),
        _person("asked_by"),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("colour", sa.String()),
        sa.Column("code", sa.String()),
        sa.Column("params", postgresql.JSONB(), nullable=False),
        sa.Column("result", sa.Text(), server_default="", nullable=False),
        sa.UniqueConstraint("tenant_id", "id"),
        sa.CheckConstraint(COLOURS, name=op.f("ck_trials_colour")),
    )
    is_open = sa.text("finished_at is null")
    op.create_index("uq_trials_open", "trials", ["tenant_id", "kind", "act"], unique=True, postgresql_where=is_open)
    op.create_index("ix_trials_tenant_id_kind_act_asked_at", "trials", ["tenant_id", "kind", "act", "asked_at"])
    op.create_index("ix_trials_finished_at", "trials", ["finished_at"])


def _approved_hosts() -> None:
    op.create_table(
        "approved_hosts",
        *_of_a_tenant(),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        _person("asked_by"),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        _person("approved_by"),
        sa.Column("approved_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("tenant_id", "kind", "host"),
    )


def _crm() -> None:
    op.create_table(
        "crm_pipelines",
        *_of_a_tenant(),
        *_mirrored(),
        sa.Column("sort", sa.Integer(), nullable=False),
        sa.UniqueConstraint("tenant_id", "account_id", "external_id"),
    )
    op.create_table(
        "crm_stages",
        *_of_a_tenant(),
        *_mirrored(),
        sa.Column("pipeline_id", sa.BigInteger(), nullable=False),
        sa.Column("sort", sa.Integer(), nullable=False),
        sa.Column("type", sa.Integer(), nullable=False),
        sa.UniqueConstraint("tenant_id", "account_id", "pipeline_id", "external_id"),
    )
    op.create_table(
        "crm_loss_reasons",
        *_of_a_tenant(),
        *_mirrored(),
        sa.UniqueConstraint("tenant_id", "account_id", "external_id"),
    )


def _of_a_tenant() -> list[sa.Column[object]]:
    return [
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("tenant_id", sa.Uuid(), sa.ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    ]


def _person(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid(), sa.ForeignKey("users.id", ondelete="SET NULL"))


def _mirrored() -> list[sa.Column[object]]:
    return [
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("external_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("refreshed_at", sa.DateTime(timezone=True), nullable=False),
    ]


def _states_of_connections() -> None:
    op.add_column(
        "integration_configs", sa.Column("offers", postgresql.JSONB(), server_default="{}", nullable=False)
    )
    op.add_column("integration_configs", sa.Column("failures", sa.Integer(), server_default="0", nullable=False))
    for column in ("saved_at", "worked_at", "told_broken_at"):
        op.add_column("integration_configs", sa.Column(column, sa.DateTime(timezone=True)))
    op.execute("update integration_configs set worked_at = checked_at where check_colour in ('green', 'yellow')")


def _topics() -> None:
    op.add_column("prompts", sa.Column("topic", sa.Text(), server_default="task", nullable=False))
    op.create_check_constraint(op.f("ck_prompts_topic"), "prompts", "topic in ('task', 'knowledge')")
    op.drop_constraint(op.f("uq_prompts_tenant_id_version"), "prompts")
    op.create_unique_constraint(
        op.f("uq_prompts_tenant_id_topic_version"), "prompts", ["tenant_id", "topic", "version"]
    )


def _schedules() -> None:
    # every company had got one when it was made; from now on a schedule is what a person has chosen
    op.execute("delete from automations where kind = 'manual' and boundary_hour = 0")
    op.add_column("automations", sa.Column("working_hours", postgresql.JSONB(), server_default="{}", nullable=False))
    op.add_column("automations", sa.Column("is_held", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("automations", sa.Column("not_later_than", sa.Time()))
    for column in ("held_at", "goes_at", "released_at"):
        op.add_column("reports", sa.Column(column, sa.DateTime(timezone=True)))
    op.add_column("reports", _person("released_by"))
    is_held = sa.text("held_at is not null and released_at is null")
    op.create_index("ix_reports_held", "reports", ["goes_at"], postgresql_where=is_held)


def _calls_of_trials() -> None:
    op.alter_column("ai_calls", "run_id", nullable=True)
    op.add_column("ai_calls", sa.Column("trial_id", sa.Uuid()))
    op.create_foreign_key(
        op.f("fk_ai_calls_tenant_id_trial_id"),
        "ai_calls",
        "trials",
        ["tenant_id", "trial_id"],
        ["tenant_id", "id"],
        ondelete="CASCADE",
    )
    op.create_check_constraint(
        op.f("ck_ai_calls_one_cause"), "ai_calls", "(run_id is null) <> (trial_id is null)"
    )
