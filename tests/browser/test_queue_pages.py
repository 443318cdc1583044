"""The pages of rq-dashboard in a browser: they work under their policy, and what they send carries our token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from redis import Redis

from config import load
from synkro import create_app
from synkro.infra import queue
from synkro.models import Tenant
from synkro.tenancy import db
from tests.support.browser.window import Window
from tests.support.runs_by_hand import begin
from tests.support.serving import served


@pytest.fixture
def site(app: Flask, var_dir: Any) -> Iterator[str]:
    """With RQ_DASHBOARD_ACTIONS on."""
    values = {"APP_ENV": "test", "VAR_DIR": str(var_dir), "LOG_LEVEL": "WARNING", "RQ_DASHBOARD_ACTIONS": "on"}
    whole = create_app(load(values))
    with served(whole) as address:
        yield address
    with whole.app_context():
        db.engine.dispose()


@pytest.fixture
def opened(enter: Callable[..., Window]) -> Window:
    return enter("admin")


def test_pages_fill_and_break_no_rule(opened: Window, tenant: Tenant) -> None:
    begin(tenant)
    for path, seen in (
        ("/admin/rq/", "tr[data-role=queue]"),
        ("/admin/rq/0/view/jobs/steps/queued/8/asc/1", "tr[data-role=job]"),
        ("/admin/rq/0/view/workers", "text=No workers."),
    ):
        opened.open(path)
        opened.page.wait_for_selector(seen)
    assert opened.said == []


def test_job_is_deleted_by_its_button(opened: Window, tenant: Tenant, store: Redis) -> None:
    begin(tenant)
    opened.open("/admin/rq/0/view/jobs/steps/queued/8/asc/1")
    opened.page.click("[data-role=delete-job-btn]")
    opened.page.click("#confirmation-modal-yes")
    opened.page.wait_for_selector("text=No jobs.")
    assert queue.queue(queue.STEPS, store).job_ids == []
    assert opened.said == []


def test_text_of_a_job_is_not_run(opened: Window, tenant: Tenant, store: Redis) -> None:
    """rq-dashboard puts the description into the page as it is: the policy is what stops it."""
    begin(tenant)
    (job,) = queue.queue(queue.STEPS, store).job_ids
    hostile = "<img src=x onerror='document.title=1'><script>document.title=2</script><b id=planted>there</b>"
    store.hset(f"rq:job:{job}", "description", hostile)
    opened.open(f"/admin/rq/0/view/job/{job}")
    opened.page.wait_for_selector("#planted")
    assert opened.page.title() == "RQ · Synkro"
