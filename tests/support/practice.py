"""A tenant in the practice world, and what a test does with it: turn faults on, run the pipeline, look around."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

import requests
from flask import Flask

from synkro.analysis.figures.window import Window, day_window
from synkro.extensions import redis, remember, settings, vault
from synkro.infra import queue
from synkro.infra.queue import JSONSerializer
from synkro.integrations.supabase.client import schema_sql
from synkro.jobs.engine.worker import Worker
from synkro.models import JobRun, JobStep, Tenant
from synkro.models.states import RunKind
from synkro.sandbox.amocrm.oauth import long_lived_token
from synkro.sandbox.world import World
from synkro.services.connections import integrations
from synkro.services.reports import runs
from synkro.tenancy import db, tenant_scope


def connection_settings(world: World, token: str, urls: dict[str, str]) -> dict[str, dict[str, str]]:
    """What a person types into the five forms."""
    keys = world.keys
    return {
        "supabase": {
            "url": urls["supabase"],
            "publishable_key": keys.supabase_publishable_key,
            "secret_key": keys.supabase_secret_key,
        },
        "amocrm": {"subdomain": world.subdomain, "token": token},
        "radist": {"api_key": world.radist_key, "company_id": str(world.radist_company_id)},
        "ai": {"provider": "gemini", "api_key": keys.gemini_key, "model": "gemini-3.8-flash"},
        "telegram": {"bot_token": keys.telegram_token, "chat_id": str(keys.telegram_chat_id)},
    }


@dataclass
class Practice:
    app: Flask
    tenant: Tenant
    world: World
    urls: dict[str, str]

    @property
    def yesterday(self) -> Window:
        """The full day before the world's now, in the tenant's zone."""
        zone = ZoneInfo(self.tenant.timezone)
        return day_window(self.world.now.astimezone(zone).date() - timedelta(days=1), zone)

    def reach(self) -> Self:
        """The program reaches the stand-ins."""
        hosts = frozenset(url.removeprefix("http://") for url in self.urls.values())
        stand_ins = {kind: url for kind, url in self.urls.items() if kind not in ("supabase", "openai")}
        stand_ins["amocrm_oauth"] = self.urls["amocrm"]
        remember(self.app, replace(settings(), stand_ins=stand_ins, outbound_allow_hosts=hosts), vault(), redis())
        return self

    def connect(self) -> Self:
        """The program reaches the stand-ins, the SQL block was run, the tenant has typed its keys in."""
        self.reach()
        self.control("supabase", fault="run_sql", value=schema_sql())
        self.control("amocrm", set={"rps": 0, "account_rps": 0})
        self.control("radist", set={"strict_rate": False})
        with tenant_scope(self.tenant.id):
            for kind in ("supabase", "amocrm", "radist", "ai", "telegram"):
                integrations.save(kind, self.typed(kind), actor="test")
        return self

    def typed(self, kind: str) -> dict[str, str]:
        """What the tenant has typed into the form of a service."""
        return connection_settings(self.world, long_lived_token(self.world), self.urls)[kind]

    def allow(self, url: str) -> None:
        """One more address that the program may reach."""
        config = settings()
        hosts = config.outbound_allow_hosts | {url.removeprefix("http://")}
        remember(self.app, replace(config, outbound_allow_hosts=hosts), vault(), redis())

    def control(self, vendor: str, **order: Any) -> None:
        """Queue a fault: fault=, path=, times=, after=, seconds=, value=; or turn knobs: set={name: value}."""
        answer = requests.post(f"{self.urls[vendor]}/__control", json=order, timeout=60)
        answer.raise_for_status()

    def clear(self, vendor: str) -> None:
        """Take the faults back and restore the knobs."""
        requests.delete(f"{self.urls[vendor]}/__control", timeout=60).raise_for_status()

    def look(self, vendor: str, path: str) -> Any:
        answer = requests.get(f"{self.urls[vendor]}{path}", timeout=60)
        answer.raise_for_status()
        return answer.json()

    def rows(self, table: str) -> list[dict[str, Any]]:
        """What lies in a table of the client's Supabase."""
        found = self.look("supabase", f"/__rows/{table}")
        return list(found)

    def sent(self) -> list[dict[str, Any]]:
        """What has arrived in the group."""
        return list(self.look("telegram", "/__sent"))

    def start(self, window: Window | None = None) -> uuid.UUID:
        window = window or self.yesterday
        with tenant_scope(self.tenant.id):
            run, _ = runs.start(self.tenant, RunKind.MANUAL, window.start, window.end, actor="test")
            return run.id

    def drain(self, most: int | None = None) -> None:
        """Work the queue of steps until it is empty, or `most` of it, with the worker of the product."""
        worker = Worker(
            [queue.queue(queue.STEPS, redis())],
            connection=redis(),
            serializer=JSONSerializer,
            log_job_description=False,
        )
        worker.work(burst=True, max_jobs=most, logging_level="ERROR")

    def run(self, window: Window | None = None) -> JobRun:
        """A run from its start to the empty queue."""
        run_id = self.start(window)
        self.drain()
        return self.state(run_id)[0]

    def state(self, run_id: uuid.UUID) -> tuple[JobRun, list[JobStep]]:
        with tenant_scope(self.tenant.id):
            run = runs.find(run_id)
            assert run is not None
            return run, runs.steps_of(run_id)

    def hurry(self, run_id: uuid.UUID) -> None:
        """Let a step that waits be due now, and ring for it."""
        with tenant_scope(self.tenant.id):
            waiting = [step for step in runs.steps_of(run_id) if step.status == "ready"]
            for step in waiting:
                step.ready_at = datetime.now(UTC) - timedelta(seconds=1)
            db.session.commit()
            for step in waiting:
                runs.enqueue(self.tenant.id, run_id, step.key)  # type: ignore[arg-type]
