"""What a super_admin does for a company that asks for help: sees how far it is, saves keys, has them checked. Blind."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from synkro.errors import AppError
from synkro.i18n import _l
from synkro.infra import clock
from synkro.integrations import INTEGRATIONS
from synkro.integrations.base import Field
from synkro.models import AuditLog, IntegrationConfig, User
from synkro.models.states import TenantStatus
from synkro.services import audit
from synkro.services.companies import staff, tenants
from synkro.services.connections import checks, integrations, setup
from synkro.services.mail import company_notices
from synkro.services.shared.wording import is_known, outline
from synkro.tenancy import db, tenant_scope

OPENED = "settings_opened"
VISIT = timedelta(hours=1)
"""Looking again within it is the same visit."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A step of the set-up as staff see it. says: of the last check, without anything that was found out."""

    kind: str
    n: int
    title: str
    state: setup.State
    colour: str
    check_colour: str
    code: str
    says: str
    at: datetime | None

    @property
    def left(self) -> str:
        return setup.left(self.kind)


def visit(by: User, tenant_id: uuid.UUID) -> list[Seen]:
    """The steps of the company, which finds in its audit that somebody came to look. Raises AppError."""
    with _company(by, tenant_id, OPENED):
        here = (AuditLog.tenant_id == tenant_id, AuditLog.act == OPENED, AuditLog.actor_id == by.id)
        lately = select(AuditLog.id).where(*here, AuditLog.at > clock.now() - VISIT).limit(1)
        if db.session.execute(lately).first() is None:
            audit.record("settings_opened", "tenant", tenant_id)
            db.session.commit()
        return _steps()


def save(by: User, tenant_id: uuid.UUID, kind: str, values: Mapping[str, str]) -> None:
    """Store what was typed and have it checked; what was left empty stays as it is. Raises AppError."""
    given = {name: value for name, value in values.items() if value.strip()}
    with _company(by, tenant_id, "integration_saved"):
        if not given:
            raise AppError(422, "nothing_given", _l("Fill in at least one field"))
        _keep_keys_where_they_are(kind, given)
        integrations.save(kind, given)
        if not INTEGRATIONS[kind].secret_names() & given.keys():
            company_notices.settings_changed_by_staff(tenant_id, kind)  # of a key they are told anyway
        if integrations.is_connected(kind):
            checks.request(kind)


def check(by: User, tenant_id: uuid.UUID, kind: str) -> None:
    """Ask a worker to check. Raises AppError."""
    with _company(by, tenant_id, "check_asked"):
        if integrations.find(kind):
            audit.record("check_asked", "integration", kind)  # the request commits
        checks.request(kind)


@contextmanager
def _company(by: User, tenant_id: uuid.UUID, act: str) -> Iterator[None]:
    """In its scope, unless it is being deleted."""
    staff.must_be_chief(by, act, "tenant", tenant_id)
    with tenant_scope(tenant_id):
        if tenants.get(tenant_id).status == TenantStatus.DELETING:
            raise AppError(409, "tenant_deleting", _l("The company is being deleted. Take the deletion back first."))
        yield


def _keep_keys_where_they_are(kind: str, given: Mapping[str, str]) -> None:
    """A kept key never goes to an address of somebody who has not seen it: with the address all keys are typed anew."""
    config = integrations.find(kind)
    kept = set(config.secrets) - given.keys() if config else set()
    if kept and any(field.name in given and _says_where(field) for field in INTEGRATIONS[kind].fields):
        raise AppError(422, "keys_with_address", _l("Together with the address, enter all keys of the service anew."))


def _says_where(field: Field) -> bool:
    return field.host or field.destination


def _steps() -> list[Seen]:
    configs = {config.kind: config for config in db.session.execute(select(IntegrationConfig)).scalars()}
    return [_seen(step, configs.get(step.kind)) for step in setup.steps()]


def _seen(step: setup.SetupStep, config: IntegrationConfig | None) -> Seen:
    colour, code, at = "", "", None
    if config and config.check_colour and config.check_code and step.state not in ("saved", "checking"):
        colour, at = config.check_colour, config.checked_at
        code = config.check_code if is_known(config.check_code) else ""
    says = outline(code, step.title) if code else ""
    return Seen(step.kind, step.n, step.title, step.state, step.colour, colour, code, says, at)
