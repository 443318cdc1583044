"""rq-dashboard inside our application: who sees it, what it shows, what it may do."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from rq import Worker
from rq.job import Job
from sqlalchemy import text

from config import load
from synkro import create_app
from synkro.extensions import remember, settings, vault
from synkro.infra import queue
from synkro.jobs.engine import jobs
from synkro.jobs.engine.worker import work_on
from synkro.models import Tenant, User
from synkro.tenancy import db, system_scope
from tests.conftest import ROOT, redis_away
from tests.support.having import assert_entries
from tests.support.runs_by_hand import begin
from tests.support.web_client import Browser, Enter

JSON = {"Accept": "application/json"}
TEXT_OF_A_CUSTOMER = "my card 4400 1234 and the word Zhanaozen-77"
PAGES = (
    "/admin/rq/",
    "/admin/rq/0/view/workers",
    "/admin/rq/0/view/jobs",
    "/admin/rq/0/view/jobs/steps/failed/8/asc/1",
)
FEEDS = (
    "/admin/rq/0/data/queues.json",
    "/admin/rq/0/data/workers.json",
    "/admin/rq/0/data/jobs/steps/queued/8/asc/1.json",
    "/admin/rq/0/data/jobs/steps/failed/8/dsc/1.json",
)
POSTS = (
    "/admin/rq/requeue/steps",
    "/admin/rq/queue/steps/queued/empty",
    "/admin/rq/queue/steps/compact",
    "/admin/rq/job/{job}/delete",
    "/admin/rq/job/{job}/requeue",
)


def says_what_a_customer_said() -> None:
    raise ValueError(TEXT_OF_A_CUSTOMER)


class Bomb:
    """Unpickled, it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.mkdir, (self.path,)


@pytest.fixture
def admin(enter: Enter) -> Browser:
    return enter("admin")


@pytest.fixture
def job(tenant: Tenant, store: Redis) -> str:
    """A job that waits in the queue of steps."""
    begin(tenant)
    return str(queue.queue(queue.STEPS, store).job_ids[0])


@pytest.fixture
def failed(app: Flask, store: Redis, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(jobs.JOBS, "breaks", says_what_a_customer_said)
    queue.enqueue(store, queue.STEPS, "breaks", seconds=5)
    name = str(queue.queue(queue.STEPS, store).job_ids[0])
    work_on(app, queue.STEPS, burst=True)
    return name


@pytest.fixture
def acting(app: Flask, engines: Any, var_dir: Path, cast: dict[str, User], sign_in: Any) -> Iterator[Browser]:
    """A chief of staff where RQ_DASHBOARD_ACTIONS is on."""
    values = {"APP_ENV": "test", "VAR_DIR": str(var_dir), "LOG_LEVEL": "WARNING", "RQ_DASHBOARD_ACTIONS": "on"}
    whole = create_app(load(values))
    browser = Browser(whole, whole.response_class)
    sign_in(browser, cast["admin"])
    yield browser
    with whole.app_context():
        db.engine.dispose()


# ---- who


@pytest.mark.parametrize("path", [*PAGES, *FEEDS, "/admin/rq/static/css/main.css", "/admin/rq/favicon.ico"])
def test_chief_of_staff_only(enter: Enter, path: str) -> None:
    got = {}
    for name in ("nobody", "user", "settings", "lite", "admin"):
        answer = enter(name).get(path)
        answer.close()
        got[name] = answer.status_code
    assert got == {"nobody": 302, "user": 403, "settings": 403, "lite": 403, "admin": 200}


@pytest.mark.parametrize("path", ["/admin/rq/", FEEDS[0], "/admin/rq/static/css/main.css"])
def test_code_must_have_been_shown_lately(app: Flask, admin: Browser, path: str) -> None:
    with system_scope("test: time passes"):
        db.session.execute(text("update sessions set factor_at = factor_at - interval '1 hour'"))
        db.session.commit()
    answer = admin.get(path)
    with app.test_request_context():
        assert answer.status_code == 303
        assert answer.location.partition("?")[0] == app.url_for("auth.confirm")
    assert admin.get(path, headers=JSON).get_json()["code"] == "confirm_first"


def test_every_view_of_it_has_the_rule(app: Flask) -> None:
    rules = {
        (rule.fresh, rule.public, tuple(rule.roles))
        for name, view in app.view_functions.items()
        if name.startswith("rq_dashboard.")
        for rule in [view.access]  # type: ignore[attr-defined]
    }
    assert rules == {("code", False, ("super_admin",))}


# ---- what is seen


@pytest.mark.parametrize("path", PAGES)
def test_page_loads_nothing_from_elsewhere(admin: Browser, path: str) -> None:
    page = admin.get(path).text
    assert [url for url in re.findall(r'(?:src|href)="([^"]*)"', page) if "//" in url] == []


@pytest.mark.parametrize("path", PAGES)
def test_looser_policy_lets_only_our_own_script_run(admin: Browser, path: str) -> None:
    answer = admin.get(path)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    nonce = re.search(r'<script nonce="([\w-]{20,})">', answer.text)
    assert nonce is not None
    assert policy["script-src"] == f"'self' 'nonce-{nonce[1]}' 'unsafe-eval'"
    assert {policy[name] for name in ("default-src", "object-src", "frame-ancestors")} == {"'none'"}
    assert not [value for value in policy.values() if "http" in value or "*" in value]
    assert [script for script in re.findall(r"<script([^>]*)>", answer.text) if not known(script)] == []


def known(script: str) -> bool:
    return " src=" in script or " nonce=" in script or 'type="text/template"' in script


def test_nonce_is_new_each_time(admin: Browser) -> None:
    first, second = (admin.get("/admin/rq/").headers["Content-Security-Policy"] for _ in range(2))
    assert first != second


@pytest.mark.parametrize("path", ["/admin", FEEDS[0], "/admin/rq/static/css/main.css", "/admin/rq/1/view/queues"])
def test_everything_else_keeps_the_strict_policy(admin: Browser, path: str) -> None:
    answer = admin.get(path)
    answer.close()
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_job_is_shown_with_ids_only(admin: Browser, tenant: Tenant, job: str) -> None:
    told = admin.get(f"/admin/rq/0/data/job/{job}.json").get_json()
    assert_entries(told, id=job, status="queued", origin="steps")
    assert str(tenant.id) in told["description"]
    assert "Alfa" not in str(told)


def test_text_of_an_exception_is_not_kept(admin: Browser, store: Redis, failed: str) -> None:
    told = admin.get(f"/admin/rq/0/data/job/{failed}.json").get_json()
    assert told["status"] == "failed"
    assert told["exc_info"].splitlines()[-1] == "ValueError"
    assert "says_what_a_customer_said" in told["exc_info"]
    seen = "".join(admin.get(path).text for path in (*PAGES, *FEEDS, f"/admin/rq/0/view/job/{failed}"))
    assert "Zhanaozen" not in seen + str(told)
    result = Job.fetch(failed, connection=store).latest_result()
    assert result is not None
    assert "Zhanaozen" not in str(result.exc_string)


def test_address_of_redis_is_not_shown(app: Flask, admin: Browser) -> None:
    pages = "".join(admin.get(path).text for path in PAGES)
    assert "[0] Redis" in pages
    assert not re.search(r"redis://|unix:|\.sock|\*\*\*", pages)


def test_worker_is_shown(app: Flask, admin: Browser, store: Redis) -> None:
    worker = Worker([queue.queue(queue.TICK, store)], connection=store)
    worker.register_birth()
    told = admin.get("/admin/rq/0/data/workers.json").get_json()["workers"]
    assert [one["queues"] for one in told] == [["tick"]]


# ---- nothing is unpickled


@pytest.mark.parametrize("field", ["data", "meta"])
def test_planted_pickle_does_not_run(admin: Browser, store: Redis, job: str, tmp_path: Path, field: str) -> None:
    mark = tmp_path / "run"
    store.hset(f"rq:job:{job}", field, pickle.dumps(("os.getcwd", None, [Bomb(mark)], {})))
    store.hset(f"rq:job:{job}", "result", pickle.dumps(Bomb(mark)))
    for path in (*PAGES, *FEEDS, f"/admin/rq/0/view/job/{job}", f"/admin/rq/0/data/job/{job}.json"):
        assert admin.get(path).status_code in (200, 404), path
    assert not mark.exists()


def test_planted_pickle_does_not_run_when_acted_upon(acting: Browser, store: Redis, job: str, tmp_path: Path) -> None:
    mark = tmp_path / "run"
    store.hset(f"rq:job:{job}", "meta", pickle.dumps(Bomb(mark)))
    token = csrf(acting)
    for path in POSTS:
        acting.post(path.format(job=job), headers={"X-CSRFToken": token})
    assert not mark.exists()


# ---- odd questions


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/admin/rq/1/view/queues", 404),
        ("/admin/rq/7/data/queues.json", 404),
        ("/admin/rq/0/view/job/none", 404),
        ("/admin/rq/0/data/job/none.json", 404),
        ("/admin/rq/0/data/jobs/steps/none/8/asc/1.json", 404),
        ("/admin/rq/0/data/jobs/steps/queued/0/asc/1.json", 404),
        ("/admin/rq/0/data/jobs/steps/queued/x/asc/1.json", 404),
        ("/admin/rq/0/data/jobs/<b>/failed/8/asc/1.json", 404),
        ("/admin/rq/0/view/jobs/%E2%80%A8/failed/8/asc/1", 404),
        ("/admin/rq/static/../../../config.py", 404),
        ("/admin/rq/static/none.js", 404),
        ("/admin/rq/requeue/steps", 405),
    ],
)
def test_odd_question_is_answered(admin: Browser, path: str, status: int) -> None:
    assert admin.get(path).status_code == status


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "');alert(1);('", "</script><script>", "a\\", "a b"])
def test_address_cannot_write_the_script(admin: Browser, name: str) -> None:
    """rq-dashboard puts the name of the queue into its script, and the script carries our nonce."""
    for place in (f"{name}/queued/8/asc/1", f"steps/{name}/8/asc/1", f"steps/queued/8/{name}/1"):
        answer = admin.get(f"/admin/rq/0/view/jobs/{place}")
        assert answer.status_code == 404
        assert "nonce" not in answer.headers["Content-Security-Policy"]


def test_redis_that_is_away_breaks_no_page(app: Flask, admin: Browser) -> None:
    remember(app, settings(), vault(), redis_away())
    for path in (*PAGES[1:], *FEEDS):
        assert admin.get(path).status_code == 503, path


# ---- acts


@pytest.mark.parametrize("path", POSTS)
def test_nothing_can_be_done_unless_switched_on(admin: Browser, store: Redis, job: str, path: str) -> None:
    answer = admin.post(path.format(job=job), headers={"X-CSRFToken": admin.token(), **JSON})
    assert answer.status_code == 403
    assert answer.get_json()["code"] == "queue_actions_off"
    assert queue.queue(queue.STEPS, store).job_ids == [job]


def test_page_for_looking_shows_no_buttons(admin: Browser, job: str) -> None:
    page = admin.get("/admin/rq/0/view/jobs/steps/queued/8/asc/1").text
    assert "delete-job-btn" not in page.partition("content_scripts")[0].partition("jquery")[0]
    assert "<body data-look-only>" in page


def csrf(browser: Browser) -> str:
    found = re.search(r'<meta name="csrf-token" content="([^"]+)">', browser.get("/admin/rq/").text)
    assert found
    return found[1]


@pytest.mark.parametrize("path", POSTS)
def test_act_without_token_is_refused(acting: Browser, store: Redis, job: str, path: str) -> None:
    assert acting.post(path.format(job=job)).status_code == 400
    assert queue.queue(queue.STEPS, store).job_ids == [job]


def test_job_can_be_deleted_where_switched_on(acting: Browser, store: Redis, job: str) -> None:
    answer = acting.post(f"/admin/rq/job/{job}/delete", headers={"X-CSRFToken": csrf(acting)})
    assert answer.get_json() == {"status": "OK"}
    assert queue.queue(queue.STEPS, store).job_ids == []


def test_failed_job_can_be_requeued_where_switched_on(acting: Browser, store: Redis, failed: str) -> None:
    answer = acting.post("/admin/rq/requeue/steps", headers={"X-CSRFToken": csrf(acting)})
    assert answer.get_json() == {"count": 1, "status": "OK"}
    assert queue.queue(queue.STEPS, store).job_ids == [failed]


def test_staff_may_not_act_where_switched_on(
    acting: Browser, cast: dict[str, User], sign_in: Any, store: Redis, job: str
) -> None:
    token = csrf(acting)
    sign_in(acting, cast["lite"])
    assert acting.post(f"/admin/rq/job/{job}/delete", headers={"X-CSRFToken": token}).status_code == 403
    assert queue.queue(queue.STEPS, store).job_ids == [job]


# ---- the setting


@pytest.mark.parametrize(("value", "allowed"), [("", False), ("off", False), ("on", True)])
def test_setting_is_off_unless_on(tmp_path: Path, value: str, allowed: bool) -> None:
    values = {"APP_ENV": "test", "VAR_DIR": str(tmp_path), "RQ_DASHBOARD_ACTIONS": value}
    assert load(values).queue_actions is allowed


def test_setting_is_explained_where_settings_are() -> None:
    for name in (".env.example", "docs/settings.md"):
        assert "RQ_DASHBOARD_ACTIONS" in (ROOT / name).read_text()
