"""What is closed is refused, and who knocked is written down."""

from __future__ import annotations

import uuid

import psycopg
import pytest
from redis import Redis
from sqlalchemy import select

from synkro.models import AuditLog, User
from synkro.tenancy import db, system_scope
from tests.support.having import assert_has
from tests.support.web_client import Browser, Enter

Cast = dict[str, User]


def audited(act: str) -> list[AuditLog]:
    with system_scope("test: the audit"):
        return list(db.session.execute(select(AuditLog).where(AuditLog.act == act).order_by(AuditLog.id)).scalars())


@pytest.mark.parametrize(
    ("who", "method", "path", "tried"),
    [
        ("admin", "POST", "/dashboard/run", "runs.create"),
        ("lite", "POST", f"/runs/{uuid.UUID(int=1)}/stop", "runs.stop"),
        ("admin", "GET", f"/reports/{uuid.UUID(int=1)}", "reports.show"),
        ("lite", "GET", "/admin/audit.csv", "audit.staff_export"),
        ("user", "GET", "/audit", "audit.company"),
        ("user", "GET", "/admin", "admin.home"),
        ("user", "GET", "/admin/rq/", "rq_dashboard.queues_overview"),
        ("lite", "GET", "/admin/health", "health.show"),
    ],
)
def test_whoever_knocks_at_a_closed_door_is_written_down(
    enter: Enter, cast: Cast, who: str, method: str, path: str, tried: str
) -> None:
    browser = enter(who)
    answer = browser.send(path) if method == "POST" else browser.get(path)
    (row,) = audited("overstepped")
    assert answer.status_code == 403
    assert_has(row, actor=f"{who}@example.com", tenant_id=cast[who].tenant_id, details={"tried": tried})


def test_a_visitor_who_is_sent_to_the_door_is_not(enter: Enter) -> None:
    enter("nobody").get("/admin")
    assert audited("overstepped") == []


def flood(browser: Browser) -> list[int]:
    return [browser.get("/no-such-page").status_code for _ in range(103)]


@pytest.mark.parametrize(("who", "actor"), [("user", "user@example.com"), ("nobody", "unknown")])
def test_a_limit_that_is_reached_is_written_down_once(enter: Enter, cast: Cast, who: str, actor: str) -> None:
    assert flood(enter(who))[-3:] == [429] * 3
    (row,) = audited("limit_reached")
    tenant_id = cast[who].tenant_id if who in cast else None
    assert_has(row, actor=actor, tenant_id=tenant_id, address="192.0.2.1")
    assert row.details == {"limit": "api"}


def test_a_limit_holds_without_a_database(enter: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = enter("nobody")
    engine = db.engine

    def refuse(*_args: object, **_named: object) -> None:
        raise psycopg.OperationalError("connection refused")

    db.session.remove()
    engine.dispose()
    monkeypatch.setattr(engine.dialect, "connect", refuse)
    assert flood(nobody)[-3:] == [429] * 3


def test_after_a_while_it_is_written_down_again(enter: Enter, store: Redis) -> None:
    browser = enter("user")
    flood(browser)
    store.delete(*store.keys("synkro:limited:*"))  # type: ignore[misc]
    browser.get("/no-such-page")
    assert len(audited("limit_reached")) == 2


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("nobody", "/login"),
        ("user", "/confirm"),
        ("user", "/second-factor/set-up"),
        ("admin", "/admin/companies/new"),
        ("nobody", "/forgot"),
    ],
)
def test_to_ask_for_the_head_of_a_form_sends_no_form(enter: Enter, who: str, path: str) -> None:
    assert enter(who).head(path).status_code == 200
