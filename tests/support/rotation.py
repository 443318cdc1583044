"""An installation whose sealing key is changed: restarts with other settings, and what can be seen afterwards."""

from __future__ import annotations

from flask import Flask

from synkro.crypto import Vault
from synkro.extensions import redis, remember, settings
from synkro.models import Tenant
from synkro.services.connections import integrations
from synkro.services.connections.secrets import open_secrets
from synkro.services.operations import keys
from synkro.services.operations.keys import Moved
from synkro.tenancy import tenant_scope

NEW = "ab" * 32
REGISTERED = (*keys.SEALED, keys.LAST)


def configure(app: Flask, key: str, *older: str) -> None:
    """What a restart with these settings does."""
    remember(app, settings(), Vault(key, older), redis())


def quiet(_name: str, _done: int, _of: int) -> None:
    """Tells nobody."""


def rotate() -> dict[str, Moved]:
    """Outcome by column, as table.column."""
    done = {one.name: one for one in keys.rotate(quiet, actor="test")}
    return {f"{it.table.name}.{it.column.key}": done[it.name] for it in REGISTERED if it.name in done}


def unopened() -> int:
    return sum(one.unopened.total() for one in keys.survey())


def keys_in_use() -> set[str]:
    return {key for one in keys.survey() for key in (*one.opened, *one.unopened)}


def save(tenant: Tenant, value: str) -> None:
    with tenant_scope(tenant.id):
        integrations.save("radist", {"api_key": value, "company_id": "1"}, actor="test")


def saved(tenant: Tenant) -> dict[str, str]:
    with tenant_scope(tenant.id):
        config = integrations.find("radist")
        assert config is not None
        return open_secrets(config)
