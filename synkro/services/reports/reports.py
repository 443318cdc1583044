"""Reports: save, list, open, comment."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from synkro.errors import AppError
from synkro.i18n import _l
from synkro.models import AiCall, JobRun, Report, ReportComment, User
from synkro.models.states import ReportStatus
from synkro.services import audit
from synkro.services.reports import artifacts
from synkro.services.shared import paging
from synkro.services.shared.paging import Page
from synkro.tenancy import db, end_reading

PAGE = 20
LONGEST_COMMENT = 4_000
BODY = "report"
"""The artifact that holds text and findings until retention passes; the client's Supabase holds them for good."""

NO_GAP = (None, "refs_dropped")
"""How an analysis ends that has read every dialog it was given."""


@dataclass(frozen=True, slots=True)
class Body:
    """What the client's Supabase keeps: full text, findings with their messages, unconfirmed claims, remarks."""

    text: str
    findings: list[dict[str, Any]]
    unconfirmed: list[str]
    managers: list[dict[str, Any]]


def id_for(run_id: uuid.UUID) -> uuid.UUID:
    """A run has one report: saving it again is saving the same one."""
    return uuid.uuid5(run_id, "report")


def save(run: JobRun, status: ReportStatus, summary: str, figures: dict[str, Any], coverage: list[Any]) -> uuid.UUID:
    """Insert or replace the run's report. The caller commits."""
    values = {
        "status": status,
        "summary": summary,
        "figures": figures,
        "coverage": coverage,
    }
    statement = insert(Report).values(
        id=id_for(run.id),
        tenant_id=run.tenant_id,
        run_id=run.id,
        kind=run.kind,
        window_start=run.window_start,
        window_end=run.window_end,
        timezone=run.timezone,
        language=run.language,
        sandbox=run.sandbox,
        **values,
    )
    db.session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))
    return id_for(run.id)


def find(report_id: uuid.UUID) -> Report | None:
    """None for another tenant's report as for one that does not exist."""
    return db.session.get(Report, report_id)


def body(report: Report) -> Body | None:
    """None once retention has passed: then the text is only in the client's Supabase."""
    page = artifacts.get(report.run_id, BODY)
    return Body(**page.rows[0]) if page else None


def latest(count: int) -> list[Report]:
    statement = select(Report).order_by(Report.window_end.desc(), Report.id.desc()).limit(count)
    return list(db.session.execute(statement).scalars())


def listed(page: int) -> Page[Report]:
    """Newest window first."""
    total = db.session.execute(select(func.count()).select_from(Report)).scalar_one()
    statement = select(Report).order_by(Report.window_end.desc(), Report.id.desc())
    found = paging.read(statement, total, page, PAGE)
    return found.of([report for (report,) in found.rows])


def neighbours(report: Report) -> tuple[Report | None, Report | None]:
    """(newer, older) in the order of the list."""
    here = (report.window_end, report.id)
    newer = or_(Report.window_end > here[0], and_(Report.window_end == here[0], Report.id > here[1]))
    older = or_(Report.window_end < here[0], and_(Report.window_end == here[0], Report.id < here[1]))
    up = select(Report).where(newer).order_by(Report.window_end, Report.id).limit(1)
    down = select(Report).where(older).order_by(Report.window_end.desc(), Report.id.desc()).limit(1)
    return db.session.execute(up).scalar_one_or_none(), db.session.execute(down).scalar_one_or_none()


def comments(report_id: uuid.UUID) -> list[ReportComment]:
    statement = select(ReportComment).where(ReportComment.report_id == report_id)
    return list(db.session.execute(statement.order_by(ReportComment.created_at, ReportComment.id)).scalars())


def first_comments(report_ids: list[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The latest comment of each report, for the list: one query for the page."""
    statement = (
        select(ReportComment.report_id, ReportComment.body)
        .where(ReportComment.report_id.in_(report_ids))
        .order_by(ReportComment.report_id, ReportComment.created_at.desc())
        .ext(distinct_on(ReportComment.report_id))
    )
    return {row.report_id: row.body for row in db.session.execute(statement)}


def comment(report: Report, user: User, text: str) -> ReportComment:
    """Add a comment. Raises AppError for an empty or an endless one."""
    text = text.replace("\x00", "").strip()
    if not 0 < len(text) <= LONGEST_COMMENT:
        raise AppError(422, "comment_length", _l("A comment has 1 to 4000 characters"))
    row = ReportComment(
        tenant_id=report.tenant_id, report_id=report.id, author_id=user.id, author=user.name or user.email, body=text
    )
    db.session.add(row)
    audit.record("comment_added", "report", report.id)
    db.session.commit()
    return row


def ai_usage(run_id: uuid.UUID) -> dict[str, Any]:
    """Calls, tokens and cost in US dollars of a run. cost is None where the price of one of its calls is not known."""
    sums = db.session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(AiCall.tokens_in), 0),
            func.coalesce(func.sum(AiCall.tokens_out), 0),
            func.sum(AiCall.cost),
            func.count(AiCall.cost),
        ).where(AiCall.run_id == run_id)
    ).one()
    calls, tokens_in, tokens_out, cost, priced = sums
    known = float(cost or 0) if priced == calls else None
    return {"calls": calls, "tokens_in": tokens_in, "tokens_out": tokens_out, "cost": known}


def ai_calls(run_id: uuid.UUID) -> list[AiCall]:
    """The paid calls of a run in their order."""
    statement = select(AiCall).where(AiCall.run_id == run_id).order_by(AiCall.created_at, AiCall.id)
    calls = list(db.session.execute(statement).scalars())
    for call in calls:
        db.session.expunge(call)  # a rollback between two of them would have each read again
    end_reading()
    return calls
