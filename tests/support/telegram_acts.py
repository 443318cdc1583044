"""What the tests of Telegram in the wizard do: try an act out as a worker does, and play people in groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synkro.jobs.connections.trials import try_out
from synkro.models import Tenant, Trial
from synkro.services.connections import integrations, telegram_code, trials
from synkro.tenancy import db, tenant_scope
from tests.support.practice import Practice


def tried(practice: Practice, act: str, tenant: Tenant | None = None) -> tuple[Trial, dict[str, Any]]:
    """The trial when it is over, and its result."""
    with tenant_scope((tenant or practice.tenant).id):
        trial = trials.request("telegram", act)
        try_out(str(trial.tenant_id), str(trial.id))
        db.session.expire_all()
        done = trials.latest("telegram", act)
        assert done is not None
        return done, trials.result(done) or {}


def outcome(practice: Practice, act: str, tenant: Tenant | None = None) -> Trial:
    return tried(practice, act, tenant)[0]


def code(tenant: Tenant) -> str:
    """As the page of the company shows it."""
    with tenant_scope(tenant.id):
        config = integrations.find("telegram")
        assert config is not None
        return telegram_code.shown(config)


def say(practice: Practice, text: str, **where: Any) -> None:
    practice.control("telegram", fault="say", value={"text": f"/start@synkro_practice_bot {text}", **where})


def saved(practice: Practice, values: Mapping[str, str | None]) -> None:
    with tenant_scope(practice.tenant.id):
        integrations.save("telegram", values, actor="test")


def chosen(practice: Practice) -> str:
    with tenant_scope(practice.tenant.id):
        config = integrations.find("telegram")
        assert config is not None
        return str(config.settings.get("chat_id", ""))
