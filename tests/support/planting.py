"""A company in whose every text lies a word that can be told from all others wherever it turns up."""

from __future__ import annotations

import re
import uuid
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import CheckConstraint, String, Table, select
from sqlalchemy.dialects.postgresql import JSONB

from synkro.infra import clock
from synkro.integrations import INTEGRATIONS
from synkro.integrations.base import SAMPLE
from synkro.models import (
    AiCall,
    ApprovedHost,
    CrmLossReason,
    CrmPipeline,
    CrmStage,
    Delivery,
    IntegrationConfig,
    Prompt,
    Report,
    ReportMessage,
    Tenant,
    Trial,
    User,
)
from synkro.models.states import Topic
from synkro.services.auth import sessions
from synkro.services.connections import trials
from synkro.services.connections.secrets import seal_secret
from synkro.services.reports import reports
from synkro.tenancy import Base, db, tenant_scope
from tests.support.rows import NOON, make_report, make_run, manager, quote
from tests.support.sweep import Ids

OWN = "zzOnlyOfTheCompanyzz"
"""In reports, dialogs, prompts, comments, keys and settings: for the company's own people."""
SHARED = "zzStaffMayReadItzz"
"""In names of companies and people, hosts to agree to and the audit: for staff as well, for no other company."""

WITH_STAFF = {"tenants", "users", "audit_log", "approved_hosts"}
MEANING = {
    "act", "chain", "code", "digest", "email", "key", "kind", "language", "mac", "object_id", "object_type", "outcome",
    "payload", "result", "secrets", "sha256", "slug", "theme", "timezone", "avatar",
}  # fmt: skip
"""Columns that the program reads as words of its own: another word there is a damaged row."""


_SAID = {"side": "in", "at": NOON.isoformat(), "text": OWN}
_DIALOG = {"title": OWN, "phone": OWN, "deal": OWN, "manager": OWN, "received": 1, "sent": 0, "messages": [_SAID]}
_CHAT = {"chat_id": "1", "title": OWN, "type": OWN, "topic_id": "", "topic": OWN, "has_topics": False}
_SENT = {"system": OWN, "user": OWN, "versions": {"task": 1, "knowledge": 1}, "model": OWN, "dialogs": 1}
RESULTS: dict[tuple[str, str], dict[str, Any]] = {
    ("ai", "package"): _SENT | {"tokens": 1, "estimated": True, "answer_tokens": 1, "cost": None, "month": None},
    ("ai", "analysis"): _SENT
    | {"summary": OWN, "findings": [], "managers": [], "unconfirmed": [OWN], "answer": OWN}
    | {"tokens_in": 1, "tokens_out": 1, "cost": None},
    ("amocrm", "sample"): {"previews": [{"title": OWN, "lines": [NOON.isoformat(), OWN, OWN, OWN]}]},
    ("radist", "sample"): {"previews": [_DIALOG], "dialogs": [], "contacts_read": 1, "partial": False, "newest": False},
    ("supabase", "tables"): {"version": 1, "proof": OWN, "tables": {OWN: 1}},
    ("telegram", "chats"): {"chats": [_CHAT], "is_cut": False},
}
"""(kind, act) -> what its page shows. Others show items without anything of their own."""


def tenant_tables() -> list[Table]:
    return [table for table in Base.metadata.sorted_tables if "tenant_id" in table.columns]


def plant(tenant: Tenant, person: User, superuser_url: str) -> Ids:
    """Rows in every table of the company, then the words in every text and JSON column. The ids for its routes."""
    with_words = {"by_manager": [manager(OWN)], OWN: OWN}
    said = quote(OWN, client=OWN, phone=OWN, ref="m1")
    body = {
        "text": f"# {OWN}\n\n## {OWN}\n\n- {OWN}\n",
        "findings": [{"kind": "risk", "text": OWN, "evidence": [said]}],
        "unconfirmed": [OWN],
        "managers": [{"name": OWN, "remark": OWN, "evidence": [said]}],
    }
    report_id = make_report(tenant, body=body, figures=with_words, summary=OWN)
    run_id = make_run(tenant)
    _rows(tenant, person, report_id, run_id)
    sessions.start(person, "192.0.2.1", "test")
    _words(tenant, superuser_url)
    return {
        "report_id": report_id,
        "run_id": run_id,
        "user_id": person.id,
        "person_id": person.id,
        "tenant_id": tenant.id,
        "company_id": tenant.id,
        "session_id": sessions.of(person.id)[0].id,
        **_ids_of(tenant),
    }


def _ids_of(tenant: Tenant) -> Ids:
    """Of what the settings have by an id: a test analysis, a host."""
    with tenant_scope(tenant.id):
        made = select(Trial.id).where(Trial.kind == "ai", Trial.act == "analysis")
        return {
            "trial_id": db.session.execute(made).scalar_one(),
            "host_id": db.session.execute(select(ApprovedHost.id)).scalar_one(),
        }


def _rows(tenant: Tenant, person: User, report_id: uuid.UUID, run_id: uuid.UUID) -> None:
    mine = {"tenant_id": tenant.id}
    of_report = {**mine, "report_id": report_id}
    with tenant_scope(tenant.id):
        reports.comment(db.session.get_one(Report, report_id), person, OWN)
        call = {"purpose": OWN, "seq": 1, "provider": OWN, "model": OWN, "outcome": "ok", "prompt_hash": OWN}
        db.session.add_all(
            [
                ReportMessage(**of_report, n=1, question=OWN, answer=OWN),
                Delivery(**of_report, channel="telegram", target=OWN, part=1),
                *(Prompt(**mine, topic=topic, version=1, body=OWN) for topic in Topic),
                CrmPipeline(**mine, account_id=1, external_id=1, name=OWN, sort=1, refreshed_at=clock.now()),
                CrmStage(
                    **mine,
                    account_id=1,
                    pipeline_id=1,
                    external_id=1,
                    name=OWN,
                    sort=1,
                    type=0,
                    refreshed_at=clock.now(),
                ),
                CrmLossReason(**mine, account_id=1, external_id=1, name=OWN, refreshed_at=clock.now()),
                ApprovedHost(**mine, kind="supabase", host=SHARED, asked_by=person.id, asked_at=clock.now()),
                AiCall(**mine, run_id=run_id, **call, tokens_in=1, tokens_out=1, usage={OWN: 1}),
            ]
        )
        db.session.add_all(_connection(tenant, kind) for kind in INTEGRATIONS)
        db.session.commit()
        for cls in INTEGRATIONS.values():
            for act in {SAMPLE, *(act.name for act in cls.acts)}:
                _trial(tenant, cls.kind, act)


def _trial(tenant: Tenant, kind: str, act: str) -> None:
    asked = Trial(id=uuid.uuid4(), tenant_id=tenant.id, kind=kind, act=act, asked={}, params={}, asked_at=clock.now())
    db.session.add(asked)
    db.session.commit()
    result = {OWN: OWN, "previews": [{"title": OWN, "lines": [OWN]}], **RESULTS.get((kind, act), {})}
    trials.finish(asked, "green", "sample_ok", {"count": OWN}, result)


def _connection(tenant: Tenant, kind: str) -> IntegrationConfig:
    fields = INTEGRATIONS[kind].fields
    return IntegrationConfig(
        tenant_id=tenant.id,
        kind=kind,
        settings={field.name: OWN for field in fields if field.show},
        secrets={field.name: seal_secret(kind, field.name, OWN) for field in fields if not field.show},
        offers={field.name: [{"value": OWN, "title": OWN, "note": OWN}] for field in fields if field.show},
        check_colour="yellow",
        check_params={OWN: OWN},
        checked_at=clock.now(),
        checked_seconds=1.0,
    )


def _words(tenant: Tenant, superuser_url: str) -> None:
    with psycopg.connect(superuser_url, dbname="synkro", autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")  # the audit log lets nobody change it
        for table in [*tenant_tables(), Tenant.__table__]:
            word = SHARED if table.name in WITH_STAFF else OWN
            owner = "id" if table.name == "tenants" else "tenant_id"
            for column in _free_columns(table):  # type: ignore[arg-type]
                name = sql.Identifier(column.name)
                is_json = isinstance(column.type, JSONB)
                value = sql.SQL("{} || jsonb_build_object({w}, {w})" if is_json else "{w}").format(name, w=word)
                order = sql.SQL("update {} set {} = {} where {} = %s").format(
                    sql.Identifier(table.name), name, value, sql.Identifier(owner)
                )
                connection.execute(order, [tenant.id])


def _free_columns(table: Table) -> list[object]:
    """Text and JSON that may hold anything. A JSON object gets one more key; what is in it stays."""
    checks = [str(rule.sqltext) for rule in table.constraints if isinstance(rule, CheckConstraint)]
    bound = {match[1] for check in checks if (match := re.match(r"(\w+) in ", check))} | MEANING
    return [
        column
        for column in table.columns
        if isinstance(column.type, String | JSONB) and column.name not in bound and column.name != "coverage"
    ]
