"""The settings of a company, on the pages of staff."""

from __future__ import annotations

from sqlalchemy import select

from synkro.models import AuditLog, Tenant
from synkro.services.connections import integrations
from synkro.services.connections.secrets import open_secrets
from synkro.tenancy import db, tenant_scope

PAGES = "company_settings."
TYPED = {"api_key": "typed-by-staff"}


def home(tenant: Tenant, *words: str) -> str:
    return "/".join([f"/admin/companies/{tenant.id}/settings", *words])


def stored(tenant: Tenant, kind: str) -> dict[str, str]:
    """Everything that is saved, opened."""
    with tenant_scope(tenant.id):
        config = integrations.find(kind)
        return {**config.settings, **open_secrets(config)} if config else {}


def acts(tenant: Tenant) -> list[tuple[str, str, str]]:
    """(act, actor, thing) in the company's own audit."""
    with tenant_scope(tenant.id):
        rows = db.session.execute(select(AuditLog).where(AuditLog.tenant_id == tenant.id).order_by(AuditLog.seq))
        return [(row.act, row.actor, row.object_id) for row in rows.scalars()]


def save(tenant: Tenant, kind: str, **values: str) -> None:
    with tenant_scope(tenant.id):
        integrations.save(kind, values, actor="test")
