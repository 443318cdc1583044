"""Test analyses that people made in the settings: all are kept, for the audit."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select

from synkro.models import AiCall, Trial, User
from synkro.services.connections import trials
from synkro.services.shared import paging
from synkro.services.shared.paging import Page
from synkro.tenancy import db

PAGE = 20
MINE = (Trial.kind == "ai", Trial.act == "analysis", Trial.finished_at.is_not(None))


@dataclass(frozen=True, slots=True)
class Kept:
    """One that has ended. model '', cost None: nothing was asked, or the price is not known (US dollars)."""

    trial: Trial
    at: datetime
    by: str
    colour: str
    says: str
    model: str
    cost: Decimal | None


def earlier(page: int = 1) -> Page[Kept]:
    """Newest first."""
    total = db.session.execute(select(func.count()).select_from(Trial).where(*MINE)).scalar_one()
    newest = select(Trial).where(*MINE).order_by(Trial.asked_at.desc(), Trial.id)
    found = paging.read(newest, total, page, PAGE)
    return found.of(_kept(trial for (trial,) in found.rows))


def find(trial_id: uuid.UUID) -> Kept | None:
    found = db.session.execute(select(Trial).where(*MINE, Trial.id == trial_id)).scalars().all()
    return next(iter(_kept(found)), None)


def _kept(found: Iterable[Trial]) -> list[Kept]:
    made = list(found)
    names, spent = _names(made), _spent(made)
    return [
        Kept(
            trial=trial,
            at=trial.asked_at,
            by=names.get(trial.asked_by, ""),
            colour=trial.colour or "",
            says=trials.says(trial),
            model=spent.get(trial.id, ("", None))[0],
            cost=spent.get(trial.id, ("", None))[1],
        )
        for trial in made
    ]


def _names(made: Iterable[Trial]) -> dict[uuid.UUID | None, str]:
    wanted = {trial.asked_by for trial in made}
    people = db.session.execute(select(User.id, User.name, User.email).where(User.id.in_(wanted)))
    return {person: name or email for person, name, email in people}


def _spent(made: Iterable[Trial]) -> dict[uuid.UUID | None, tuple[str, Decimal | None]]:
    """Trial -> the model and the cost, which is known only where that of each of its calls is."""
    calls = (
        select(AiCall.trial_id, func.max(AiCall.model), func.sum(AiCall.cost), func.count() == func.count(AiCall.cost))
        .where(AiCall.trial_id.in_([trial.id for trial in made]))
        .group_by(AiCall.trial_id)
    )
    rows = db.session.execute(calls)
    return {trial: (model, cost if is_known else None) for trial, model, cost, is_known in rows}
