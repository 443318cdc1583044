"""How people come in, apart from who they are; an audit that is chained and only grows; companies on their way out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
PHASE = "contract"
SERVES = "0003"

NOW = sa.text("now()")
ENTRY_TABLES = ("credentials", "sessions", "recovery_codes", "one_time_links", "letters")
"""For synkro_system alone: no page of a company, and no mistake in one, reads a hash of a password."""
PERSONAL = "actor_id, actor, object_id, address, request_id, details"

ONLY_GROWS = """
create function audit_only_grows() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    if new.seq is null or new.mac is null or new.digest is null then
      raise exception 'an audit row needs its place in the chain';
    end if;
    return new;
  end if;
  if tg_op = 'UPDATE'
    and new.actor_id is null and new.actor = '' and new.object_id = '' and new.address = '' and new.request_id = ''
    and new.details = '{}'::jsonb
    and not exists (select 1 from tenants where id = old.tenant_id)
    and (new.id, new.tenant_id, new.seq, new.mac, new.digest, new.at, new.act, new.object_type)
      is not distinct from (old.id, old.tenant_id, old.seq, old.mac, old.digest, old.at, old.act, old.object_type)
    and old.tenant_id is not null
  then
    return new;
  end if;
  raise exception 'the audit log only grows';
end $$
"""


def upgrade() -> None:
    _entry_tables()
    _leave_users_bare()
    for table in ENTRY_TABLES:
        op.execute(f"grant select, insert, update, delete on {table} to synkro_system")
    _audit()
    op.add_column("tenants", sa.Column("delete_at", sa.DateTime(timezone=True)))
    _statuses("'active', 'paused', 'deleting'")
    # a company goes with all that it has, and a person with all that is his: not from a page's own role
    op.execute("revoke delete on tenants, users from synkro_app")


def downgrade() -> None:
    op.execute("grant delete on tenants, users to synkro_app")
    op.execute("update tenants set status = 'paused' where status = 'deleting'")
    _statuses("'active', 'paused'")
    op.drop_column("tenants", "delete_at")
    _audit_as_before()
    op.add_column("users", sa.Column("password_hash", sa.Text(), server_default="", nullable=False))
    op.execute("update users set password_hash = c.password_hash from credentials c where c.user_id = users.id")
    op.alter_column("users", "password_hash", server_default=None)
    for table in reversed(ENTRY_TABLES):
        op.drop_table(table)


def _entry_tables() -> None:
    op.create_table(
        "credentials",
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("password_changed_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("totp_secret", sa.String()),
        sa.Column("totp_confirmed_at", sa.DateTime(timezone=True)),
        sa.Column("totp_last_step", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "sessions",
        *_of_a_person("token_hash"),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("factor_at", sa.DateTime(timezone=True)),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
    )
    op.create_table("recovery_codes", *_of_a_person("code_hash"), sa.Column("used_at", sa.DateTime(timezone=True)))
    op.create_table(
        "one_time_links",
        *_of_a_person("token_hash"),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("purpose in ('invitation', 'reset')", name=op.f("ck_one_time_links_purpose")),
    )
    op.create_table(
        "letters",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE")),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=NOW, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True)),
        sa.Column("rung_at", sa.DateTime(timezone=True)),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
    )
    op.create_index("ix_letters_next_at", "letters", ["next_at"])
    for table in ENTRY_TABLES[1:]:
        op.create_index(f"ix_{table}_user_id", table, ["user_id"])


def _of_a_person(hashed: str) -> list[sa.Column[object]]:
    return [
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        sa.Column(hashed, sa.Text(), nullable=False, unique=True),
    ]


def _leave_users_bare() -> None:
    op.execute(
        "insert into credentials (user_id, password_hash, totp_last_step) select id, password_hash, 0 from users"
    )
    op.drop_column("users", "password_hash")


def _audit() -> None:
    op.drop_constraint(op.f("fk_audit_log_tenant_id"), "audit_log", type_="foreignkey")
    op.add_column("audit_log", sa.Column("seq", sa.BigInteger()))
    op.add_column("audit_log", sa.Column("mac", sa.String()))
    op.add_column("audit_log", sa.Column("digest", sa.String()))
    op.alter_column("audit_log", "at", server_default=None)
    nobody = sa.text("coalesce(tenant_id, '00000000-0000-0000-0000-000000000000'::uuid)")
    op.create_index("uq_audit_log_chain", "audit_log", [nobody, "seq"], unique=True)
    op.create_index("ix_audit_log_at", "audit_log", ["at"])
    op.execute(ONLY_GROWS)
    op.execute(
        "create trigger only_grows before insert or update or delete on audit_log"
        " for each row execute function audit_only_grows()"
    )
    op.execute(
        "create trigger never_emptied before truncate on audit_log"
        " for each statement execute function audit_only_grows()"
    )
    op.execute(f"grant update ({PERSONAL}) on audit_log to synkro_system")


def _audit_as_before() -> None:
    op.execute("drop trigger only_grows on audit_log")
    op.execute("drop trigger never_emptied on audit_log")
    op.execute("drop function audit_only_grows()")
    op.execute(f"revoke update ({PERSONAL}) on audit_log from synkro_system")
    op.drop_index("ix_audit_log_at", "audit_log")
    op.drop_index("uq_audit_log_chain", "audit_log")
    op.alter_column("audit_log", "at", server_default=NOW)
    for column in ("digest", "mac", "seq"):
        op.drop_column("audit_log", column)
    op.execute("alter table audit_log no force row level security")
    op.execute("delete from audit_log where tenant_id is not null and tenant_id not in (select id from tenants)")
    op.create_foreign_key(
        "fk_audit_log_tenant_id", "audit_log", "tenants", ["tenant_id"], ["id"], ondelete="CASCADE"
    )
    op.execute("alter table audit_log force row level security")


def _statuses(words: str) -> None:
    op.drop_constraint(op.f("ck_tenants_status"), "tenants", type_="check")
    op.create_check_constraint(op.f("ck_tenants_status"), "tenants", f"status in ({words})")
