"""Rows that the client's tables refuse: single ones cost themselves only, many of them stop the step in clear words."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from synkro.integrations.supabase import rest
from synkro.jobs.reports.runtime import Stopping
from synkro.jobs.reports.step import Ctx
from synkro.models import JobStep
from synkro.models.plan import StepKey
from synkro.models.states import RunStatus
from synkro.sandbox.supabase.errors import PgError
from synkro.sandbox.supabase.tables import Row, Table
from synkro.services.reports import runs
from synkro.services.shared.wording import remarks
from synkro.tenancy import tenant_scope
from tests.support.having import assert_has
from tests.support.practice import Practice
from tests.support.runs_by_hand import KEYS

Refuse = Callable[..., None]


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Refuse:
    """From now on the client's database takes no such row into these tables; no tables: it takes every row again."""
    real = Table._refuse_missing

    def begin(*tables: str, such: Callable[[Row], bool] = lambda _row: True) -> None:
        def judged(self: Table, row: Row) -> None:
            if self.name in tables and such(row):
                raise PgError(400, "23514", "violates check constraint")
            real(self, row)

        monkeypatch.setattr(Table, "_refuse_missing", judged)

    return begin


@pytest.fixture
def lead(practice: Practice) -> Callable[[Row], bool]:
    """One deal of the window."""
    practice.run()
    first = practice.rows("synkro_leads")[0]["lead_id"]
    return lambda row: row["lead_id"] == first


def ended(practice: Practice, run_id: uuid.UUID, key: StepKey) -> JobStep:
    """The step, once the queue is empty and nothing waits for another try."""
    for _ in range(4):
        practice.drain()
        practice.hurry(run_id)
    practice.drain()
    return practice.state(run_id)[1][KEYS.index(key)]


def resumed(practice: Practice, run_id: uuid.UUID) -> None:
    with tenant_scope(practice.tenant.id):
        run = runs.find(run_id)
        assert run is not None
        runs.resume(run)


def counts(practice: Practice) -> dict[str, int]:
    return {table: len(practice.rows(f"synkro_{table}")) for table in ("leads", "contacts", "chats", "messages")}


WRITES = {
    StepKey.WRITE_LEADS: ("synkro_leads", "synkro_contacts"),
    StepKey.WRITE_DIALOGS: ("synkro_chats", "synkro_messages"),
}


@pytest.mark.parametrize("most", [3, 100_000], ids=["given up", "each tried"])
@pytest.mark.parametrize("key", WRITES)
def test_tables_that_take_nothing_stop_the_run(
    practice: Practice, monkeypatch: pytest.MonkeyPatch, refuse: Refuse, key: StepKey, most: int
) -> None:
    monkeypatch.setattr(rest, "MOST_REFUSED", most)
    refuse(*WRITES[key])
    run_id = practice.start()
    step = ended(practice, run_id, key)
    assert_has(step, status="failed", colour="red", code="supabase_tables_differ")
    assert practice.state(run_id)[0].status == RunStatus.FAILED
    assert "%(" not in remarks(step.code, step.params)


@pytest.mark.parametrize(("key", "table"), [(key, tables[0]) for key, tables in WRITES.items()])
def test_a_table_that_takes_nothing_stops_the_run(
    practice: Practice, monkeypatch: pytest.MonkeyPatch, refuse: Refuse, key: StepKey, table: str
) -> None:
    monkeypatch.setattr(rest, "MOST_REFUSED", 100_000)
    refuse(table)
    run_id = practice.start()
    step = ended(practice, run_id, key)
    assert_has(step, status="failed", code="supabase_tables_differ")
    assert practice.rows(table) == []
    refuse()
    resumed(practice, run_id)
    step = ended(practice, run_id, key)
    assert_has(step, status="done", colour="green")
    assert len(practice.rows(table)) > 0


def test_rows_that_were_never_tried_are_not_passed_over(
    practice: Practice, monkeypatch: pytest.MonkeyPatch, refuse: Refuse
) -> None:
    """The other table takes all, so that rows were written, and yet the rest of this one was given up."""
    monkeypatch.setattr(rest, "MOST_REFUSED", 3)
    refuse("synkro_contacts")
    step = ended(practice, practice.start(), StepKey.WRITE_LEADS)
    assert_has(step, status="failed", code="supabase_tables_differ", params={"rows": 4})


@pytest.mark.parametrize("most", [3, 100_000], ids=["given up", "each tried"])
@pytest.mark.parametrize("key", WRITES)
def test_once_the_tables_are_mended_everything_is_written(
    practice: Practice, monkeypatch: pytest.MonkeyPatch, refuse: Refuse, key: StepKey, most: int
) -> None:
    monkeypatch.setattr(rest, "MOST_REFUSED", most)
    refuse(*WRITES[key])
    run_id = practice.start()
    ended(practice, run_id, key)
    refuse()
    resumed(practice, run_id)
    step = ended(practice, run_id, key)
    assert_has(step, status="done", colour="green")
    mended = counts(practice)
    practice.run()
    assert counts(practice) == mended


def test_a_report_that_is_refused_is_not_said_to_be_saved(practice: Practice, refuse: Refuse) -> None:
    refuse("synkro_reports")
    step = ended(practice, practice.start(), StepKey.PERSIST_REPORT)
    assert_has(step, status="failed", code="supabase_tables_differ")
    assert practice.sent() == []


def test_a_refused_protocol_of_the_ai_does_not_stop_the_report(practice: Practice, refuse: Refuse) -> None:
    refuse("synkro_analyses")
    step = ended(practice, practice.start(), StepKey.PERSIST_REPORT)
    assert_has(step, status="done", colour="yellow", code="rows_refused")
    assert len(practice.sent()) == 1


def test_a_single_bad_row_costs_itself_only(practice: Practice, refuse: Refuse, lead: Callable[[Row], bool]) -> None:
    refuse("synkro_leads", such=lead)
    step = ended(practice, practice.start(), StepKey.WRITE_LEADS)
    assert_has(step, status="done", code="rows_refused", params={"rows": 1})


def test_what_was_refused_is_counted_over_all_tries(
    practice: Practice, refuse: Refuse, lead: Callable[[Row], bool]
) -> None:
    """The first try ends at the contacts, the second begins behind the page with the bad row."""
    refuse("synkro_leads", such=lead)
    practice.control("supabase", fault="544", path="/synkro_contacts", times=4)
    run_id = practice.start()
    practice.drain()
    assert practice.state(run_id)[1][1].status == "ready"
    step = ended(practice, run_id, StepKey.WRITE_LEADS)
    assert_has(step, attempts=2, colour="yellow", code="rows_refused", params={"rows": 1})


def test_a_page_that_is_written_twice_counts_once(
    practice: Practice, monkeypatch: pytest.MonkeyPatch, refuse: Refuse, lead: Callable[[Row], bool]
) -> None:
    """The worker ends between the answer of Supabase and the note that the page is written."""
    real, ends = Ctx.mark, iter([True])

    def mark(self: Ctx, **cursor: Any) -> None:
        if self.claim.key == StepKey.WRITE_LEADS and next(ends, False):
            raise Stopping
        real(self, **cursor)

    refuse("synkro_leads", such=lead)
    monkeypatch.setattr(Ctx, "mark", mark)
    step = ended(practice, practice.start(), StepKey.WRITE_LEADS)
    assert_has(step, code="rows_refused", params={"rows": 1})
