"""What a company calls things in amoCRM: a copy, so that a report can name what was renamed or deleted there since."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from synkro.infra import clock
from synkro.infra.records import Stage
from synkro.models import CrmLossReason, CrmPipeline, CrmStage
from synkro.tenancy import current_tenant_id, db

Mirrored = type[CrmPipeline] | type[CrmStage] | type[CrmLossReason]


@dataclass(frozen=True, slots=True)
class PipelineNames:
    """A pipeline as it is called now, its stages in order."""

    name: str
    stages: tuple[str, ...]


def keep(account_id: int, stages: Sequence[Stage], loss_reasons: Mapping[int, str]) -> None:
    """Renew the copy. What is gone from amoCRM stays, marked as gone; an empty list says nothing."""
    names = {stage.pipeline_id: stage.pipeline_name for stage in stages}
    pipelines = [
        {"external_id": pipeline_id, "name": name, "sort": sort}
        for sort, (pipeline_id, name) in enumerate(names.items())
    ]
    rows = [
        {
            "pipeline_id": stage.pipeline_id,
            "external_id": stage.status_id,
            "name": stage.name,
            "sort": sort,
            "type": stage.kind,
        }
        for sort, stage in enumerate(stages)
    ]
    _renew(CrmPipeline, account_id, pipelines)
    _renew(CrmStage, account_id, rows)
    _renew(CrmLossReason, account_id, [{"external_id": key, "name": name} for key, name in loss_reasons.items()])
    db.session.commit()


def _renew(model: Mirrored, account_id: int, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    now = clock.now()
    shared = {"tenant_id": current_tenant_id(), "account_id": account_id, "is_active": True, "refreshed_at": now}
    # each once and always in the same order: a statement takes no row twice, and two of them at once do not lock up
    whole = [{**row, **shared, "id": uuid.uuid4()} for row in rows]
    each = {tuple(row[key] for key in model.known_by): row for row in whole}
    statement = insert(model)
    news = {name: statement.excluded[name] for name in whole[0].keys() - {"id", *model.known_by}}
    upsert = statement.on_conflict_do_update(index_elements=model.known_by, set_=news)
    db.session.execute(upsert, [each[key] for key in sorted(each)])
    gone = update(model).where(model.is_active, model.refreshed_at < now)
    db.session.execute(gone.values(is_active=False), execution_options={"synchronize_session": False})


def pipelines() -> list[PipelineNames]:
    """Those that are there now, in the order of amoCRM."""
    named = select(CrmPipeline).where(CrmPipeline.is_active).order_by(CrmPipeline.sort)
    stages = select(CrmStage).where(CrmStage.is_active).order_by(CrmStage.sort)
    of: dict[int, list[str]] = {}
    for stage in db.session.execute(stages).scalars():
        of.setdefault(stage.pipeline_id, []).append(stage.name or f"#{stage.external_id}")
    return [
        PipelineNames(one.name or f"#{one.external_id}", tuple(of.get(one.external_id, ())))
        for one in db.session.execute(named).scalars()
    ]


def refreshed_at() -> datetime | None:
    return db.session.execute(select(func.max(CrmPipeline.refreshed_at))).scalar_one()


def stage_names(account_id: int) -> dict[tuple[int, int], str]:
    """(pipeline, status) -> name, also of stages that are gone."""
    statement = select(CrmStage.pipeline_id, CrmStage.external_id, CrmStage.name)
    found = db.session.execute(statement.where(CrmStage.account_id == account_id, CrmStage.name != ""))
    return {(pipeline_id, status_id): name for pipeline_id, status_id, name in found}
