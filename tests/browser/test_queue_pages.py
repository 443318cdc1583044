"""The pages of rq-dashboard in a browser: they work under their policy, and what they send carries our token."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from werkzeug.serving import make_server

from config import load
from synkro import create_app, queue
from synkro.models import Tenant, User
from synkro.tenancy import db
from tests.browser.conftest import Opener, Window
from tests.services import begin


@pytest.fixture
def site(app: Flask, var_dir: Any) -> Iterator[str]:
    """With RQ_DASHBOARD_ACTIONS on."""
    values = {"APP_ENV": "test", "VAR_DIR": str(var_dir), "LOG_LEVEL": "WARNING", "RQ_DASHBOARD_ACTIONS": "on"}
    whole = create_app(load(values))
    server = make_server("127.0.0.1", 0, whole, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    with whole.app_context():
        db.engine.dispose()


@pytest.fixture
def opened(app: Flask, window: Opener, site: str, cast: dict[str, User], sign_in: Any) -> Window:
    client = sign_in(app.test_client(), cast["admin"])
    cookie = client.get_cookie("session")
    here = window()
    here.page.context.add_cookies([{"name": "session", "value": cookie.value, "url": site}])
    return here


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
