"""Checks of connections, made where runs are made: in a worker, with the same keys and calls."""

from __future__ import annotations

import uuid

from synkro import log as logs
from synkro.services import integrations
from synkro.tenancy import tenant_scope


def check(tenant_id: str, kind: str) -> None:
    logs.unbind()
    logs.bind(tenant_id=tenant_id, check=kind)
    with tenant_scope(uuid.UUID(tenant_id)):
        integrations.run_check(kind)
