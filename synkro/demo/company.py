"""The demo's company and people, and its connections to the stand-ins."""

from __future__ import annotations

import json
import secrets
import urllib.request
from collections.abc import Mapping
from datetime import time

from sqlalchemy import select

from synkro.integrations import INTEGRATIONS
from synkro.integrations.supabase.client import schema_sql
from synkro.models import Automation, Tenant, User
from synkro.models.states import Role, RunKind
from synkro.sandbox.amocrm.oauth import long_lived_token
from synkro.sandbox.keys import Keys
from synkro.sandbox.world import World
from synkro.services.auth import accounts
from synkro.services.companies import tenants
from synkro.services.connections import checks, integrations
from synkro.services.reports import schedules
from synkro.tenancy import db, tenant_scope

SLUG, NAME = "demo", "Demo"
PEOPLE = (
    ("admin@demo.kz", Role.SUPER_ADMIN),
    ("helper@demo.kz", Role.ADMIN_LITE),
    ("head@demo.kz", Role.USER),
)


def check_all(tenant: Tenant) -> None:
    """Ask the worker to check every connection, so that the lights of the overview are on."""
    with tenant_scope(tenant.id):
        for kind in INTEGRATIONS:
            checks.request(kind)


def plan_reports(tenant: Tenant) -> None:
    """Every morning, as most companies choose; a schedule that somebody has chosen since stays."""
    with tenant_scope(tenant.id):
        if schedules.of_tenant() is None:
            db.session.add(Automation(tenant_id=tenant.id, kind=RunKind.DAILY, at=time(9)))
            db.session.commit()


def company() -> tuple[Tenant, dict[str, str]]:
    """The company, and the passwords of the people that were made now. They are shown once and kept nowhere."""
    tenant = tenants.by_slug(SLUG) or tenants.create(SLUG, NAME, actor="demo")
    known = set(db.session.execute(select(User.email)).scalars())
    made = {}
    for email, role in PEOPLE:
        if email not in known:
            made[email] = secrets.token_urlsafe(12)
            own = tenant if role == Role.USER else None
            accounts.create(email, made[email], role, own, can_manage_settings=role == Role.USER, actor="demo")
    return tenant, made


def connect(tenant: Tenant, world: World, urls: Mapping[str, str]) -> None:
    """Type the practice keys into the settings, as a person would, and run the SQL block in the practice Supabase."""
    keys: Keys = world.keys
    settings: dict[str, dict[str, str]] = {
        "supabase": {
            "url": urls["supabase"],
            "publishable_key": keys.supabase_publishable_key,
            "secret_key": keys.supabase_secret_key,
        },
        "amocrm": {"subdomain": world.subdomain, "token": long_lived_token(world)},
        "radist": {"api_key": world.radist_key, "company_id": str(world.radist_company_id)},
        "ai": {"provider": "gemini", "api_key": keys.gemini_key, "model": "gemini-3.8-flash"},
        "telegram": {"bot_token": keys.telegram_token, "chat_id": str(keys.telegram_chat_id)},
    }
    with tenant_scope(tenant.id):
        for kind, values in settings.items():
            integrations.save(kind, values, actor="demo")
    order = json.dumps({"fault": "run_sql", "value": schema_sql()}).encode()
    request = urllib.request.Request(  # noqa: S310 (a loopback address of our own)
        f"{urls['supabase']}/__control", order, {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310
