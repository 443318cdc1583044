"""A run and the acts of the wizard write nothing into tables of an older version."""

from __future__ import annotations

import pytest

from synkro.integrations.supabase.client import Supabase, schema_sql
from synkro.jobs.connections.acts import act_of
from synkro.models.plan import StepKey
from synkro.models.states import RunStatus
from synkro.services.connections import trials
from synkro.tenancy import tenant_scope
from tests.support.having import assert_has
from tests.support.practice import Practice

OLD_SQL = schema_sql().replace("'schema_version', '1'", "'schema_version', '0'")
WRITERS = {
    StepKey.WRITE_LEADS: "synkro_leads",
    StepKey.WRITE_DIALOGS: "synkro_messages",
    StepKey.PERSIST_REPORT: "synkro_reports",
}


def make_older(practice: Practice) -> None:
    practice.control("supabase", fault="run_sql", value=OLD_SQL)


@pytest.mark.parametrize("key", WRITERS)
def test_a_step_that_writes_ends_red_before_its_first_row(
    practice: Practice, key: StepKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables of the steps before it are written by then; the version is lowered as this step begins."""
    real, older = Supabase.upsert, []

    def upsert(self: Supabase, table: str, rows: object, *more: object) -> int:
        if table in first_of(key) and not older:
            older.append(table)
            make_older(practice)
        return real(self, table, rows, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(Supabase, "upsert", upsert)
    run = practice.run()
    _, steps = practice.state(run.id)
    step = next(one for one in steps if one.key == key)
    assert run.status == RunStatus.FAILED
    assert_has(step, colour="red", code="supabase_schema_old")
    assert practice.rows(WRITERS[key]) == []


def first_of(key: StepKey) -> set[str]:
    """The table with which a step begins."""
    return {"synkro_chats"} if key == StepKey.WRITE_DIALOGS else {WRITERS[key]}


def test_after_the_upgrade_the_run_goes_through(practice: Practice) -> None:
    make_older(practice)
    practice.control("supabase", fault="run_sql", value=schema_sql())
    assert practice.run().status == RunStatus.SUCCEEDED


def test_the_wizard_counts_the_rows_of_every_table(practice: Practice) -> None:
    practice.run()
    with tenant_scope(practice.tenant.id):
        trial = trials.request("supabase", "tables")
        tried = act_of("supabase", "tables")(trial)
    assert tried.result is not None
    assert tried.colour == "green"
    assert tried.result["version"] == 1
    assert tried.result["tables"]["synkro_reports"] == 1
    assert tried.params == {"rows": sum(tried.result["tables"].values()), "tables": 6}
    assert all(len(practice.rows(table)) == rows for table, rows in tried.result["tables"].items())
