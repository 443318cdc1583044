"""Companies: create, rename, pause, delete, look up."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import delete as sql_delete
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from synkro.errors import AppError
from synkro.i18n import LANGUAGES, _l
from synkro.infra import clock
from synkro.models import AuditLog, Tenant, User
from synkro.models.audit import PERSONAL
from synkro.models.states import TenantStatus
from synkro.services import audit
from synkro.services.companies import staff
from synkro.services.reports import runs
from synkro.services.shared.names import valid_name
from synkro.tenancy import db, system_scope, tenant_scope

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
GRACE = timedelta(days=7)
"""How long a deletion can be taken back."""


def create(slug: str, name: str, timezone: str = "Asia/Almaty", *, by: User | None = None, actor: str = "") -> Tenant:
    """A new company, without a schedule: reports by hand only. by None: the command line. Raises AppError."""
    staff.must_be_chief(by, "tenant_created", "tenant")
    if not SLUG.fullmatch(slug):
        raise AppError(422, "bad_slug", _l("The short name has lower-case Latin letters, digits and hyphens"))
    name = _name(name)
    zone(timezone)
    tenant = Tenant(id=uuid.uuid4(), slug=slug, name=name, timezone=timezone)
    with tenant_scope(tenant.id):
        db.session.add(tenant)
        audit.record("tenant_created", "tenant", tenant.id, actor=by.email if by else actor, slug=slug)
        try:
            db.session.commit()
        except IntegrityError:
            raise AppError(409, "slug_taken", _l("There is already a company with this short name")) from None
    return tenant


def _name(text: str) -> str:
    name = valid_name(text)
    if not name:
        raise AppError(422, "no_name", _l("The company needs a name"))
    return name


def zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise AppError(422, "bad_timezone", _l("This time zone is not known")) from None


def settle(tenant_id: uuid.UUID, timezone: str, language: str) -> list[str]:
    """Where the company is and what its reports are written in; the names of what has changed. A run keeps its own.

    Part of an act of its people, which holds the company. The caller commits. Raises AppError.
    """
    zone(timezone)
    if language not in LANGUAGES:
        raise AppError(422, "bad_language", _l("This value is not possible"))
    tenant = db.session.get(Tenant, tenant_id, populate_existing=True, with_for_update={"key_share": True})
    if tenant is None:
        _no_such()
    chosen = {"timezone": timezone, "language": language}
    changed = [name for name, value in chosen.items() if getattr(tenant, name) != value]
    for name in changed:
        setattr(tenant, name, chosen[name])
    return changed


def by_slug(slug: str) -> Tenant | None:
    return db.session.execute(select(Tenant).where(Tenant.slug == slug)).scalar_one_or_none()


def get(tenant_id: uuid.UUID) -> Tenant:
    tenant = db.session.get(Tenant, tenant_id)
    if tenant is None:
        _no_such()
    return tenant


def _no_such() -> NoReturn:
    raise AppError(404, "no_tenant", _l("There is no such company"))


def listed() -> list[Tenant]:
    return list(db.session.execute(select(Tenant).order_by(Tenant.name)).scalars())


def counts() -> dict[str, int]:
    """For staff: how many, never what is in them."""
    with system_scope("staff audit: counts only"):
        return {
            "tenants": db.session.execute(select(func.count()).select_from(Tenant)).scalar_one(),
            "users": db.session.execute(select(func.count()).select_from(User)).scalar_one(),
        }


@contextmanager
def _changing(by: User | None, tenant_id: uuid.UUID, act: str) -> Iterator[Tenant]:
    """The company, held against other acts until the block ends and all is committed."""
    staff.must_be_chief(by, act, "tenant", tenant_id)
    with tenant_scope(tenant_id):
        tenant = db.session.get(Tenant, tenant_id, with_for_update={"key_share": True})
        if tenant is None:
            _no_such()
        yield tenant
        db.session.commit()


def _note(by: User | None, act: str, tenant: Tenant, **details: Any) -> None:
    audit.record(act, "tenant", tenant.id, actor=by.email if by else audit.OPERATOR, **details)


def rename(by: User | None, tenant_id: uuid.UUID, name: str) -> None:
    """Raises AppError."""
    name = _name(name)
    with _changing(by, tenant_id, "tenant_renamed") as tenant:
        if name != tenant.name:
            _note(by, "tenant_renamed", tenant, before=tenant.name, after=name)
            tenant.name = name


def pause(by: User | None, tenant_id: uuid.UUID) -> None:
    """No new reports; people may still read. Twice is once. Raises AppError."""
    _set_status(by, tenant_id, "tenant_paused", TenantStatus.PAUSED)


def resume(by: User | None, tenant_id: uuid.UUID) -> None:
    """Reports as before. Twice is once. Raises AppError."""
    _set_status(by, tenant_id, "tenant_resumed", TenantStatus.ACTIVE)


def _set_status(by: User | None, tenant_id: uuid.UUID, act: str, status: TenantStatus) -> None:
    with _changing(by, tenant_id, act) as tenant:
        if tenant.status == TenantStatus.DELETING:
            raise AppError(409, "tenant_deleting", _l("The company is being deleted. Take the deletion back first."))
        if tenant.status != status:
            _note(by, act, tenant, before=tenant.status, after=str(status))
            tenant.status = status


def delete(by: User | None, tenant_id: uuid.UUID, typed: str) -> None:
    """Shut the company at once and erase it after GRACE. typed: its short name, as a proof of meaning it.

    Its people are out with their next request, no run starts, the active one is stopped. Raises AppError.
    """
    with _changing(by, tenant_id, "tenant_deletion_asked") as tenant:
        if typed.strip() != tenant.slug:
            raise AppError(422, "slug_differs", _l("This is not the short name of the company"))
        if tenant.status != TenantStatus.DELETING:
            _note(by, "tenant_deletion_asked", tenant, before=tenant.status)
            tenant.status, tenant.delete_at = TenantStatus.DELETING, clock.now() + GRACE
    with tenant_scope(tenant_id):
        if run := runs.active():
            runs.stop(run, actor=by.email if by else audit.OPERATOR)


def keep(by: User | None, tenant_id: uuid.UUID) -> None:
    """Take the deletion back. The company comes back paused: no report goes out by surprise. Raises AppError."""
    with _changing(by, tenant_id, "tenant_deletion_taken_back") as tenant:
        if tenant.status == TenantStatus.DELETING:
            _note(by, "tenant_deletion_taken_back", tenant)
            tenant.status, tenant.delete_at = TenantStatus.PAUSED, None


def delete_due() -> None:
    """Erase companies whose time of grace is over, each in a transaction of its own. Needs the system scope."""
    due = select(Tenant).where(Tenant.status == TenantStatus.DELETING, Tenant.delete_at <= clock.now())
    while tenant := db.session.execute(due.limit(1).with_for_update(skip_locked=True)).scalar_one_or_none():
        _erase(tenant)


def _erase(tenant: Tenant) -> None:
    """All rows go by cascade. Its audit keeps the chain and what was done, but not who and what (see PERSONAL)."""
    db.session.execute(sql_delete(Tenant).where(Tenant.id == tenant.id))
    db.session.execute(update(AuditLog).where(AuditLog.tenant_id == tenant.id).values(**PERSONAL))
    audit.record("tenant_erased", "tenant", tenant.id)
    db.session.commit()
