"""Companies."""

from __future__ import annotations

import re
import uuid
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from synkro.errors import AppError
from synkro.i18n import _l
from synkro.models import Automation, Tenant, User
from synkro.services import audit
from synkro.tenancy import db, system_scope, tenant_scope

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def create(slug: str, name: str, timezone: str = "Asia/Almaty", *, actor: str = "") -> Tenant:
    """A new company, with reports by hand only. Raises AppError with what is wrong."""
    if not SLUG.fullmatch(slug):
        raise AppError(422, "bad_slug", _l("The short name has lower-case Latin letters, digits and hyphens"))
    if not name.strip():
        raise AppError(422, "no_name", _l("The company needs a name"))
    zone(timezone)
    tenant = Tenant(id=uuid.uuid4(), slug=slug, name=name.strip()[:200], timezone=timezone)
    try:
        db.session.add(tenant)
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        raise AppError(409, "slug_taken", _l("There is already a company with this short name")) from None
    with tenant_scope(tenant.id):
        db.session.add(Automation(tenant_id=tenant.id))
        audit.record("tenant_created", "tenant", tenant.id, actor=actor, slug=slug)
        db.session.commit()
    return tenant


def zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise AppError(422, "bad_timezone", _l("This time zone is not known")) from None


def by_slug(slug: str) -> Tenant | None:
    return db.session.execute(select(Tenant).where(Tenant.slug == slug)).scalar_one_or_none()


def get(tenant_id: uuid.UUID) -> Tenant:
    tenant = db.session.get(Tenant, tenant_id)
    if tenant is None:
        raise AppError(404, "no_tenant", _l("There is no such company"))
    return tenant


def listed() -> list[Tenant]:
    return list(db.session.execute(select(Tenant).order_by(Tenant.name)).scalars())


def counts() -> dict[str, int]:
    """For staff: how many, never what is in them."""
    with system_scope("staff audit: counts only"):
        return {
            "tenants": db.session.execute(select(func.count()).select_from(Tenant)).scalar_one(),
            "users": db.session.execute(select(func.count()).select_from(User)).scalar_one(),
        }
