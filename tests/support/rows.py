"""Runs and reports as the pipeline leaves them, written without it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from synkro.models import ApprovedHost, JobRun, JobStep, Tenant, Trial, User
from synkro.models.states import ReportStatus, RunKind, RunStatus, StepStatus
from synkro.services.auth import sessions
from synkro.services.connections import trials
from synkro.services.reports import artifacts, reports, runs
from synkro.tenancy import db, tenant_scope

NOON = datetime(2026, 11, 18, 19, 0, tzinfo=UTC)
"""Midnight in Almaty: the window of 19.11.2026 begins."""

FIGURES: dict[str, Any] = {
    "leads_in_window": 1_136,
    "leads_open": 100,
    "leads_won": 20,
    "leads_lost": 16,
    "price_sum_open": 1_000,
    "price_sum_won": 1_500_000,
    "price_sum_lost": 0,
    "price_null": 3,
    "missing_contacts": 0,
    "chats_matched": 92,
    "chats_matched_via_sibling": 0,
    "chats_unmatched": 5,
    "chats_group": 1,
    "several_managers": 0,
    "unmatched_active": 4,
    "unmatched_waiting": 2,
    "messages_in": 300,
    "messages_out": 250,
    "out_failed": 0,
    "active_chats": 60,
    "unanswered": 12,
    "unanswered_older_than": {"15": 12, "60": 8, "240": 3, "1440": 0},
    "first_response_median_s": 372.0,
    "first_response_p90_s": 2_800.0,
    "first_response_n": 55,
    "response_median_s": 240.0,
    "response_p90_s": 1_800.0,
    "response_n": 120,
    "working_hours": {
        "first_response_median_s": 300.0,
        "first_response_p90_s": None,
        "response_median_s": 200.0,
        "response_p90_s": 900.0,
    },
    "inbound_by_hour": [0] * 9 + [5, 9, 12, 4] + [0] * 11,
}
COVERAGE = [
    {"stage": "leads", "count": 136, "lost": {}},
    {"stage": "with_phone", "count": 120, "lost": {"no_phone": 16}},
    {"stage": "with_chat", "count": 92, "lost": {"no_chat": 28}},
    {"stage": "analysed", "count": 85, "lost": {"no_messages": 7}},
]


def manager(name: str) -> dict[str, Any]:
    return {"manager_id": 1, "name": name, **FIGURES}


def quote(text: str, **changes: Any) -> dict[str, Any]:
    said = {
        "ref": "m1",
        "chat_id": 7,
        "message_id": "a",
        "at": "2026-11-19T06:30:00+00:00",
        "direction": "in",
        "kind": "text",
        "client": "Aigerim",
        "phone": "+7 701 ••• 45 67",
        "text": text,
    }
    return {**said, **changes}


BODY: dict[str, Any] = {
    "text": "# Alfa\n\n## Summary\n\n- All is well\n",
    "findings": [{"kind": "risk", "text": "Two clients wait for a price", "evidence": [quote("How much is it?")]}],
    "unconfirmed": ["Everybody is happy"],
    "managers": [{"name": "Dana", "remark": "answers fast", "evidence": [quote("Thank you!", chat_id=8)]}],
}


def make_run(tenant: Tenant, start: datetime = NOON, days: int = 1, **changes: Any) -> uuid.UUID:
    """A run that waits for its first step, or with the status given."""
    with tenant_scope(tenant.id):
        run, is_new = runs.start(tenant, RunKind.MANUAL, start, start + timedelta(days=days), actor="test")
        assert is_new
        for name, value in changes.items():
            setattr(run, name, value)
        db.session.commit()
        return run.id


def set_step(tenant: Tenant, run_id: uuid.UUID, n: int, **changes: Any) -> None:
    with tenant_scope(tenant.id):
        step = runs.steps_of(run_id)[n - 1]
        for name, value in changes.items():
            setattr(step, name, value)
        db.session.commit()


def make_report(
    tenant: Tenant,
    start: datetime = NOON,
    *,
    body: Mapping[str, Any] | None = BODY,
    figures: Mapping[str, Any] | None = None,
    summary: str = "A calm day",
    status: ReportStatus = ReportStatus.READY,
) -> uuid.UUID:
    """A run that has succeeded and its report. body None: retention has passed."""
    run_id = make_run(tenant, start)
    with tenant_scope(tenant.id):
        run = db.session.get_one(JobRun, run_id)
        run.status, run.finished_at = RunStatus.SUCCEEDED, start + timedelta(days=1, hours=7)
        for step in db.session.query(JobStep).filter_by(run_id=run_id):
            step.status, step.colour = StepStatus.DONE, "green"
        counted = {**FIGURES, "by_manager": [manager("Dana")], **(figures or {})}
        report_id = reports.save(run, status, summary, counted, COVERAGE)
        if body is not None:
            artifacts.put(run_id, reports.BODY, 0, [dict(body)], {})
        db.session.commit()
        return report_id


def make_analysis(tenant: Tenant) -> uuid.UUID:
    """A test analysis that has ended without an answer."""
    with tenant_scope(tenant.id):
        kind, act = "ai", "analysis"
        trial = Trial(tenant_id=tenant.id, kind=kind, act=act, asked={}, params={}, asked_at=NOON)
        db.session.add(trial)
        db.session.commit()
        trials.finish(trial, "red", "ai_quota", {}, {})
        return trial.id


def make_host(tenant: Tenant) -> uuid.UUID:
    """One that its people asked for."""
    with tenant_scope(tenant.id):
        host = ApprovedHost(tenant_id=tenant.id, kind="supabase", host="db.example.com", asked_at=NOON)
        db.session.add(host)
        db.session.commit()
        return host.id


def make_session(person: User) -> uuid.UUID:
    sessions.start(person, "192.0.2.1", "test")
    return sessions.of(person.id)[0].id
