"""Waiting for a run while the database is restarted under it."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import psycopg
from flask import Flask

from synkro.cli.runs import wait
from synkro.models import Tenant
from synkro.models.states import RunKind
from synkro.services.reports import runs
from synkro.tenancy import db, tenant_scope


def test_waiting_outlives_a_restart_of_the_database(app: Flask, tenant: Tenant, postgres_superuser_url: str) -> None:
    end = datetime.now(UTC)
    with tenant_scope(tenant.id):
        run, _ = runs.start(tenant, RunKind.MANUAL, end - timedelta(days=1), end, actor="test")

    def restart() -> None:
        time.sleep(0.7)
        with psycopg.connect(postgres_superuser_url, dbname="synkro", autocommit=True) as connection:
            connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'synkro_app'")
            time.sleep(0.7)
            connection.execute("set role synkro_system")
            connection.execute("update job_runs set status = 'succeeded'")

    other = threading.Thread(target=restart)
    other.start()
    with tenant_scope(tenant.id):
        ended = wait(run.id)
    other.join()
    db.session.remove()
    assert ended == "succeeded"
