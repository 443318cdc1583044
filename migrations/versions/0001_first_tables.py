"""first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '0001'
down_revision = None
branch_labels = None
depends_on = None
PHASE = 'expand'
SERVES = '0001'


TENANT_TABLES = (
    "artifacts",
    "ai_calls",
    "audit_log",
    "automations",
    "deliveries",
    "integration_configs",
    "job_runs",
    "job_steps",
    "prompts",
    "report_comments",
    "report_messages",
    "reports",
)
OPEN_TABLES = ("tenants", "users", "system_marks")
"""Read before a tenant is known. They hold no tenant's data."""
OWN = "tenant_id = current_setting('app.tenant_id')::uuid"
"""Without a scope the setting is missing or empty, and the query fails: nothing is seen by mistake."""


def upgrade() -> None:
    _tables()
    for table in TENANT_TABLES:
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(f"create policy own_tenant on {table} to synkro_app using ({OWN}) with check ({OWN})")
        op.execute(f"create policy every_tenant on {table} to synkro_system using (true) with check (true)")
    op.execute("grant usage on schema public to synkro_app, synkro_system")
    for table in (*OPEN_TABLES, *TENANT_TABLES):
        rights = "select, insert" if table == "audit_log" else "select, insert, update, delete"
        op.execute(f"grant {rights} on {table} to synkro_app, synkro_system")
    op.execute("grant select on alembic_version to synkro_app")


def _tables() -> None:
    op.create_table('system_marks',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_system_marks'))
    )
    op.create_table('tenants',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('slug', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('timezone', sa.Text(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'", name=op.f('ck_tenants_slug')),
    sa.CheckConstraint("status in ('active', 'paused')", name=op.f('ck_tenants_status')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tenants')),
    sa.UniqueConstraint('slug', name=op.f('uq_tenants_slug'))
    )
    op.create_table('audit_log',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('actor_id', sa.Uuid(), nullable=True),
    sa.Column('actor', sa.Text(), nullable=False),
    sa.Column('act', sa.Text(), nullable=False),
    sa.Column('object_type', sa.Text(), nullable=False),
    sa.Column('object_id', sa.Text(), nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('request_id', sa.Text(), nullable=False),
    sa.Column('details', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_audit_log_tenant_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_log'))
    )
    op.create_index('ix_audit_log_tenant_id_at', 'audit_log', ['tenant_id', 'at'], unique=False)
    op.create_table('automations',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('at', sa.Time(), nullable=False),
    sa.Column('weekday', sa.Integer(), nullable=False),
    sa.Column('boundary_hour', sa.Integer(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.CheckConstraint("kind in ('daily', 'weekly', 'monthly', 'manual')", name=op.f('ck_automations_kind')),
    sa.CheckConstraint('boundary_hour between 0 and 23', name=op.f('ck_automations_boundary_hour')),
    sa.CheckConstraint('weekday between 0 and 6', name=op.f('ck_automations_weekday')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_automations_tenant_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_automations')),
    sa.UniqueConstraint('tenant_id', name=op.f('uq_automations_tenant_id'))
    )
    op.create_table('integration_configs',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('settings', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('secrets', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('check_colour', sa.String(), nullable=True),
    sa.Column('check_code', sa.String(), nullable=True),
    sa.Column('check_params', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('check_requested_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('checked_seconds', sa.Double(), nullable=True),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.CheckConstraint("check_colour in ('green', 'yellow', 'red')", name=op.f('ck_integration_configs_check_colour')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_integration_configs_tenant_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_integration_configs')),
    sa.UniqueConstraint('tenant_id', 'id', name=op.f('uq_integration_configs_tenant_id_id')),
    sa.UniqueConstraint('tenant_id', 'kind', name=op.f('uq_integration_configs_tenant_id_kind'))
    )
    op.create_table('users',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('email', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('password_hash', sa.Text(), nullable=False),
    sa.Column('role', sa.Text(), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=True),
    sa.Column('can_manage_settings', sa.Boolean(), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('theme', sa.Text(), nullable=False),
    sa.Column('last_sign_in_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.CheckConstraint("(role = 'user') = (tenant_id is not null)", name=op.f('ck_users_tenant_by_role')),
    sa.CheckConstraint("role in ('super_admin', 'admin_lite', 'user')", name=op.f('ck_users_role')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_users_tenant_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_users'))
    )
    op.create_index('ix_users_tenant_id', 'users', ['tenant_id'], unique=False)
    op.create_index('uq_users_email_lower', 'users', [sa.literal_column('lower(email)')], unique=True)
    op.create_table('job_runs',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('window_start', sa.DateTime(timezone=True), nullable=False),
    sa.Column('window_end', sa.DateTime(timezone=True), nullable=False),
    sa.Column('timezone', sa.Text(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('sandbox', sa.Boolean(), nullable=False),
    sa.Column('started_by', sa.Uuid(), nullable=True),
    sa.Column('code', sa.String(), nullable=True),
    sa.Column('cancel_requested_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.CheckConstraint("kind in ('daily', 'weekly', 'monthly', 'manual')", name=op.f('ck_job_runs_kind')),
    sa.CheckConstraint("status in ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'skipped')", name=op.f('ck_job_runs_status')),
    sa.ForeignKeyConstraint(['started_by'], ['users.id'], name=op.f('fk_job_runs_started_by'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_job_runs_tenant_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_job_runs')),
    sa.UniqueConstraint('number', name=op.f('uq_job_runs_number')),
    sa.UniqueConstraint('tenant_id', 'id', name=op.f('uq_job_runs_tenant_id_id'))
    )
    op.create_index('ix_job_runs_active', 'job_runs', ['status'], unique=False, postgresql_where=sa.text("status in ('queued', 'running')"))
    op.create_index('ix_job_runs_recent', 'job_runs', ['tenant_id', 'created_at'], unique=False)
    op.create_index('uq_job_runs_active', 'job_runs', ['tenant_id'], unique=True, postgresql_where=sa.text("status in ('queued', 'running')"))
    op.create_index('uq_job_runs_window', 'job_runs', ['tenant_id', 'kind', 'window_start', 'window_end'], unique=True, postgresql_where=sa.text("kind <> 'manual'"))
    op.create_table('prompts',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('created_by', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['created_by'], ['users.id'], name=op.f('fk_prompts_created_by'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_prompts_tenant_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_prompts')),
    sa.UniqueConstraint('tenant_id', 'version', name=op.f('uq_prompts_tenant_id_version'))
    )
    op.create_table('ai_calls',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('run_id', sa.Uuid(), nullable=False),
    sa.Column('purpose', sa.Text(), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('provider', sa.Text(), nullable=False),
    sa.Column('model', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('prompt_hash', sa.Text(), nullable=False),
    sa.Column('tokens_in', sa.Integer(), nullable=False),
    sa.Column('tokens_out', sa.Integer(), nullable=False),
    sa.Column('cost', sa.Numeric(precision=12, scale=6), nullable=True),
    sa.Column('usage', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'run_id'], ['job_runs.tenant_id', 'job_runs.id'], name=op.f('fk_ai_calls_tenant_id_run_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_ai_calls_tenant_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ai_calls'))
    )
    op.create_index('ix_ai_calls_tenant_id_created_at', 'ai_calls', ['tenant_id', 'created_at'], unique=False)
    op.create_table('artifacts',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('run_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('payload', sa.LargeBinary(), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('meta', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'run_id'], ['job_runs.tenant_id', 'job_runs.id'], name=op.f('fk_artifacts_tenant_id_run_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_artifacts_tenant_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_artifacts')),
    sa.UniqueConstraint('run_id', 'name', 'seq', name=op.f('uq_artifacts_run_id_name_seq'))
    )
    op.create_index('ix_artifacts_tenant_id_created_at', 'artifacts', ['tenant_id', 'created_at'], unique=False)
    op.create_table('job_steps',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('run_id', sa.Uuid(), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('colour', sa.String(), nullable=True),
    sa.Column('code', sa.String(), nullable=True),
    sa.Column('params', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('done', sa.Integer(), nullable=False),
    sa.Column('total', sa.Integer(), nullable=True),
    sa.Column('cursor', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('fence', sa.BigInteger(), nullable=False),
    sa.Column('ready_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('rung_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.CheckConstraint("colour in ('green', 'yellow', 'red')", name=op.f('ck_job_steps_colour')),
    sa.CheckConstraint("status in ('pending', 'ready', 'running', 'done', 'failed', 'skipped', 'cancelled')", name=op.f('ck_job_steps_status')),
    sa.ForeignKeyConstraint(['tenant_id', 'run_id'], ['job_runs.tenant_id', 'job_runs.id'], name=op.f('fk_job_steps_tenant_id_run_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_job_steps_tenant_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_job_steps')),
    sa.UniqueConstraint('run_id', 'key', name=op.f('uq_job_steps_run_id_key')),
    sa.UniqueConstraint('run_id', 'n', name=op.f('uq_job_steps_run_id_n'))
    )
    op.create_index('ix_job_steps_due', 'job_steps', ['status', 'ready_at'], unique=False, postgresql_where=sa.text("status in ('ready', 'running')"))
    op.create_index('ix_job_steps_tenant_id', 'job_steps', ['tenant_id'], unique=False)
    op.create_table('reports',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('run_id', sa.Uuid(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('window_start', sa.DateTime(timezone=True), nullable=False),
    sa.Column('window_end', sa.DateTime(timezone=True), nullable=False),
    sa.Column('timezone', sa.Text(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('sandbox', sa.Boolean(), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('figures', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('coverage', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.CheckConstraint("kind in ('daily', 'weekly', 'monthly', 'manual')", name=op.f('ck_reports_kind')),
    sa.CheckConstraint("status in ('ready', 'figures_only')", name=op.f('ck_reports_status')),
    sa.ForeignKeyConstraint(['tenant_id', 'run_id'], ['job_runs.tenant_id', 'job_runs.id'], name=op.f('fk_reports_tenant_id_run_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_reports_tenant_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reports')),
    sa.UniqueConstraint('run_id', name=op.f('uq_reports_run_id')),
    sa.UniqueConstraint('tenant_id', 'id', name=op.f('uq_reports_tenant_id_id'))
    )
    op.create_index('ix_reports_recent', 'reports', ['tenant_id', 'window_end', 'id'], unique=False)
    op.create_table('deliveries',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('report_id', sa.Uuid(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('target', sa.Text(), nullable=False),
    sa.Column('part', sa.Integer(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('message_id', sa.BigInteger(), nullable=True),
    sa.Column('code', sa.String(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.CheckConstraint("status in ('planned', 'sending', 'sent', 'failed', 'unknown')", name=op.f('ck_deliveries_status')),
    sa.ForeignKeyConstraint(['tenant_id', 'report_id'], ['reports.tenant_id', 'reports.id'], name=op.f('fk_deliveries_tenant_id_report_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_deliveries_tenant_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_deliveries')),
    sa.UniqueConstraint('report_id', 'channel', 'target', 'part', name=op.f('uq_deliveries_report_id_channel_target_part'))
    )
    op.create_index('ix_deliveries_tenant_id', 'deliveries', ['tenant_id'], unique=False)
    op.create_table('report_comments',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('report_id', sa.Uuid(), nullable=False),
    sa.Column('author_id', sa.Uuid(), nullable=True),
    sa.Column('author', sa.Text(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.CheckConstraint('length(body) between 1 and 4000', name=op.f('ck_report_comments_body')),
    sa.ForeignKeyConstraint(['author_id'], ['users.id'], name=op.f('fk_report_comments_author_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['tenant_id', 'report_id'], ['reports.tenant_id', 'reports.id'], name=op.f('fk_report_comments_tenant_id_report_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_report_comments_tenant_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_comments'))
    )
    op.create_index('ix_report_comments_report_id_created_at', 'report_comments', ['report_id', 'created_at'], unique=False)
    op.create_index('ix_report_comments_tenant_id', 'report_comments', ['tenant_id'], unique=False)
    op.create_table('report_messages',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('report_id', sa.Uuid(), nullable=False),
    sa.Column('n', sa.Integer(), nullable=False),
    sa.Column('asked_by', sa.Uuid(), nullable=True),
    sa.Column('question', sa.Text(), nullable=False),
    sa.Column('answer', sa.String(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.CheckConstraint('n between 1 and 2', name=op.f('ck_report_messages_n')),
    sa.ForeignKeyConstraint(['asked_by'], ['users.id'], name=op.f('fk_report_messages_asked_by'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['tenant_id', 'report_id'], ['reports.tenant_id', 'reports.id'], name=op.f('fk_report_messages_tenant_id_report_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenants.id'], name=op.f('fk_report_messages_tenant_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_report_messages')),
    sa.UniqueConstraint('report_id', 'n', name=op.f('uq_report_messages_report_id_n'))
    )
    op.create_index('ix_report_messages_tenant_id', 'report_messages', ['tenant_id'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_report_messages_tenant_id', table_name='report_messages')
    op.drop_table('report_messages')
    op.drop_index('ix_report_comments_tenant_id', table_name='report_comments')
    op.drop_index('ix_report_comments_report_id_created_at', table_name='report_comments')
    op.drop_table('report_comments')
    op.drop_index('ix_deliveries_tenant_id', table_name='deliveries')
    op.drop_table('deliveries')
    op.drop_index('ix_reports_recent', table_name='reports')
    op.drop_table('reports')
    op.drop_index('ix_job_steps_tenant_id', table_name='job_steps')
    op.drop_index('ix_job_steps_due', table_name='job_steps', postgresql_where=sa.text("status in ('ready', 'running')"))
    op.drop_table('job_steps')
    op.drop_index('ix_artifacts_tenant_id_created_at', table_name='artifacts')
    op.drop_table('artifacts')
    op.drop_index('ix_ai_calls_tenant_id_created_at', table_name='ai_calls')
    op.drop_table('ai_calls')
    op.drop_table('prompts')
    op.drop_index('uq_job_runs_window', table_name='job_runs', postgresql_where=sa.text("kind <> 'manual'"))
    op.drop_index('uq_job_runs_active', table_name='job_runs', postgresql_where=sa.text("status in ('queued', 'running')"))
    op.drop_index('ix_job_runs_recent', table_name='job_runs')
    op.drop_index('ix_job_runs_active', table_name='job_runs', postgresql_where=sa.text("status in ('queued', 'running')"))
    op.drop_table('job_runs')
    op.drop_index('uq_users_email_lower', table_name='users')
    op.drop_index('ix_users_tenant_id', table_name='users')
    op.drop_table('users')
    op.drop_table('integration_configs')
    op.drop_table('automations')
    op.drop_index('ix_audit_log_tenant_id_at', table_name='audit_log')
    op.drop_table('audit_log')
    op.drop_table('tenants')
    op.drop_table('system_marks')
