"""Deals from amoCRM into Supabase: what a resumed fetch remembers, and rows that no calendar can show."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from synkro.infra.records import Lead
from synkro.integrations.http import client as http
from synkro.jobs.reports import runtime
from synkro.jobs.reports.handover import LEADS
from synkro.models import JobStep
from synkro.models.plan import StepKey
from synkro.services.reports import artifacts, runs
from synkro.tenancy import db, tenant_scope
from tests.support.having import assert_has
from tests.support.practice import Practice


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "time", SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: None))


def worked(practice: Practice, run_id: uuid.UUID, key: StepKey) -> JobStep:
    """The step after one try, its waiting time taken away before."""
    place = list(StepKey).index(key)
    with tenant_scope(practice.tenant.id):
        runs.steps_of(run_id)[place].ready_at = datetime.now(UTC)
        db.session.commit()
    runtime.work(str(practice.tenant.id), str(run_id), key)
    return practice.state(run_id)[1][place]


@pytest.mark.parametrize("path", ["/api/v4/leads", "/api/v4/contacts"])
def test_a_fetch_that_goes_on_remembers_what_people_should_know(practice: Practice, path: str) -> None:
    practice.control("amocrm", set={"filter_on": False, "token_rights": "own"})
    # the first answers are those of the directory: the stages and the reasons lie below /leads
    practice.control("amocrm", fault="503", path=path, after=2 if path.endswith("leads") else 0, times=3)
    run_id = practice.start()
    assert worked(practice, run_id, StepKey.FETCH_AMOCRM).status == "ready"
    again = worked(practice, run_id, StepKey.FETCH_AMOCRM)
    assert_has(again, status="done", attempts=2)
    assert again.params["notices"] == ["amocrm_filter_off", "amocrm_managers_hidden"]


@pytest.mark.parametrize(("seconds", "year"), [(10**15, "2100"), (-5, "1970"), (2**63 - 1, "2100")])
def test_a_deal_of_another_age_stops_no_others(practice: Practice, seconds: int, year: str) -> None:
    run_id = practice.start()
    worked(practice, run_id, StepKey.FETCH_AMOCRM)
    odd = Lead(7, "Odd", None, 1, 1, None, created_at=seconds, updated_at=seconds, closed_at=seconds)
    with tenant_scope(practice.tenant.id):
        artifacts.put(run_id, LEADS, 900, [odd.to_json()], {})
        db.session.commit()
    step = worked(practice, run_id, StepKey.WRITE_LEADS)
    assert_has(step, status="done", colour="green")
    written = {row["lead_id"]: row for row in practice.rows("synkro_leads")}
    assert len(written) > 1
    assert str(written[7]["created_at"]).startswith(year)
