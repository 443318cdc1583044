"""What the steps hand over: where a resumed fetch goes on, and what a repeated one leaves behind."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event

from synkro.integrations.http.client import HttpConnection
from synkro.jobs.reports import runtime
from synkro.jobs.reports.handover import CHATS, LEADS, MESSAGES, PACKS, PARTS
from synkro.jobs.reports.step import Ctx, LeaseKeeper
from synkro.jobs.reports.steps import fetch_radist
from synkro.models.plan import StepKey
from synkro.models.states import RunStatus
from synkro.sandbox.radist import api as radist_api
from synkro.services.connections import integrations
from synkro.services.reports import artifacts, runs, steps
from synkro.services.reports.artifacts import DIRECTORY
from synkro.services.shared.wording import remarks
from synkro.tenancy import db, tenant_scope
from tests.support.having import assert_has
from tests.support.practice import Practice
from tests.support.runs_by_hand import KEYS


def worked(practice: Practice, run_id: uuid.UUID, last: StepKey) -> None:
    """Work the steps up to this one, each in one try."""
    for key in KEYS[: KEYS.index(last) + 1]:
        with tenant_scope(practice.tenant.id):
            for step in runs.steps_of(run_id):
                if step.key == key and step.status == "ready":
                    step.ready_at = datetime.now(UTC)
            db.session.commit()
        runtime.work(str(practice.tenant.id), str(run_id), key)


def resumed(practice: Practice, run_id: uuid.UUID, key: StepKey | None = None) -> None:
    with tenant_scope(practice.tenant.id):
        run = runs.find(run_id)
        assert run is not None
        runs.resume(run, key)


def pages(practice: Practice, run_id: uuid.UUID, name: str) -> list[artifacts.ArtifactPage]:
    with tenant_scope(practice.tenant.id):
        return list(artifacts.pages(run_id, name))


def requests(practice: Practice, vendor: str, part: str) -> int:
    return sum(part in entry["path"] for entry in practice.look(vendor, "/__requests"))


def opened(practice: Practice) -> list[str]:
    """Ids of the chats whose messages were asked for."""
    queries = (entry["query"] for entry in practice.look("radist", "/__requests"))
    return [found[1] for query in queries if (found := re.search(r"chat_id=(\d+)", query))]


def stop_at(monkeypatch: pytest.MonkeyPatch, reached: Callable[[int, dict[str, Any]], bool]) -> None:
    """A person stops the run when a page of messages was handed over. reached: by its number and what lies beside."""
    real, count = Ctx.save, iter(range(1, 10_000))

    def save(self: Ctx, name: str, *args: Any, **meta: Any) -> None:
        real(self, name, *args, **meta)
        if name == MESSAGES and reached(next(count), meta):
            run = runs.find(self.run.id)
            assert run is not None
            runs.stop(run)
            self._lease_keeper.renew()

    monkeypatch.setattr(Ctx, "save", save)


class TestAFetchThatWasStopped:
    @pytest.fixture
    def stopped(self, practice: Practice) -> uuid.UUID:
        """Stopped after the third chat's messages."""
        run_id = practice.start()
        with pytest.MonkeyPatch.context() as patch:
            stop_at(patch, lambda number, _: number == 3)
            worked(practice, run_id, StepKey.FETCH_RADIST)
        assert practice.state(run_id)[0].status == RunStatus.CANCELLED
        return run_id

    def test_goes_on_behind_its_last_page(self, practice: Practice, stopped: uuid.UUID) -> None:
        lists, before = requests(practice, "radist", "with_contacts"), set(opened(practice))
        times = len(opened(practice))
        resumed(practice, stopped)
        worked(practice, stopped, StepKey.FETCH_RADIST)
        assert requests(practice, "radist", "with_contacts") == lists
        assert len(before) == 3
        assert len(set(opened(practice))) > 3
        assert sum(chat in before for chat in opened(practice)) == times

    def test_comes_to_the_same_pages_as_an_undisturbed_one(self, practice: Practice, stopped: uuid.UUID) -> None:
        resumed(practice, stopped)
        worked(practice, stopped, StepKey.FETCH_RADIST)
        clean = practice_pages_of_a_clean_run(practice, stopped)
        assert [page.rows for page in pages(practice, stopped, MESSAGES)] == clean


def practice_pages_of_a_clean_run(practice: Practice, other: uuid.UUID) -> list[list[Any]]:
    with tenant_scope(practice.tenant.id):
        run = runs.find(other)
        assert run is not None
        runs.stop(run)
    run_id = practice.start()
    worked(practice, run_id, StepKey.FETCH_RADIST)
    return [page.rows for page in pages(practice, run_id, MESSAGES)]


def test_a_done_fetch_that_is_done_again_asks_the_vendor_again(practice: Practice) -> None:
    run = practice.run()
    before = [requests(practice, "amocrm", "/leads"), requests(practice, "radist", "with_contacts")]
    resumed(practice, run.id, StepKey.FETCH_AMOCRM)
    practice.drain()
    after = [requests(practice, "amocrm", "/leads"), requests(practice, "radist", "with_contacts")]
    assert [second - first for first, second in zip(before, after, strict=True)] == before


def test_a_run_that_is_done_again_leaves_no_pages_of_the_first_round(practice: Practice) -> None:
    run = practice.run()
    with tenant_scope(practice.tenant.id):
        for name in (LEADS, CHATS, MESSAGES):
            artifacts.put(run.id, name, 900_000, [{"id": -1}], {"whole": True, "next_page": None})
        db.session.commit()
    resumed(practice, run.id, StepKey.FETCH_AMOCRM)
    worked(practice, run.id, StepKey.FETCH_RADIST)
    for name in (LEADS, CHATS, MESSAGES):
        assert 900_000 not in [page.seq for page in pages(practice, run.id, name)]


def test_a_run_that_is_done_again_says_the_same(practice: Practice) -> None:
    run = practice.run()
    rows = {table: len(practice.rows(f"synkro_{table}")) for table in ("leads", "contacts", "chats", "messages")}
    resumed(practice, run.id, StepKey.FETCH_AMOCRM)
    practice.drain()
    assert practice.state(run.id)[0].status == RunStatus.SUCCEEDED
    assert {table: len(practice.rows(f"synkro_{table}")) for table in rows} == rows
    assert len(practice.rows("synkro_reports")) == 1
    assert len(practice.sent()) == 1


def test_a_chat_that_is_read_anew_and_is_shorter_leaves_no_stale_part(practice: Practice) -> None:
    run_id = practice.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fetch_radist, "PART_ROWS", 2)
        stop_at(patch, lambda _, meta: not meta["whole"])
        worked(practice, run_id, StepKey.FETCH_RADIST)
    cut = pages(practice, run_id, MESSAGES)[-1]
    assert not cut.meta["whole"]
    with tenant_scope(practice.tenant.id):  # a further part, as of a chat that had more messages then
        artifacts.put(run_id, MESSAGES, cut.seq + 1, cut.rows, {"whole": False})
        db.session.commit()
    resumed(practice, run_id)
    worked(practice, run_id, StepKey.FETCH_RADIST)
    ids = [row["id"] for page in pages(practice, run_id, MESSAGES) for row in page.rows]
    parts = [page.seq % PARTS for page in pages(practice, run_id, MESSAGES) if page.seq // PARTS == cut.seq // PARTS]
    assert parts == [0]
    assert max(Counter(ids).values()) == 1


def test_rows_that_cannot_be_read_are_counted_over_all_tries(practice: Practice) -> None:
    run_id = practice.start()
    worked(practice, run_id, StepKey.WRITE_LEADS)
    with tenant_scope(practice.tenant.id):
        claim = steps.claim(run_id, StepKey.FETCH_RADIST, 60)
        assert claim is not None
        steps.hold(claim)
        steps.keep_cursor(claim, '{"begun": true, "unreadable": 3}', 0, None)
        db.session.commit()
        steps.try_again(claim, "busy", "{}", 0)
    worked(practice, run_id, StepKey.FETCH_RADIST)
    step = practice.state(run_id)[1][2]
    assert_has(step, colour="yellow", code="radist_unreadable")
    assert step.params["rows"] == 3


def test_the_username_of_a_chat_is_hidden_from_the_ai(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    chat, said = radist_api.chat_json, radist_api.message_json
    text = {"text": {"text": "my nick is aselya_kz here"}, "message_type": "text"}
    monkeypatch.setattr(radist_api, "chat_json", lambda *args: {**chat(*args), "username": "@aselya_kz"})
    monkeypatch.setattr(radist_api, "message_json", lambda *args, **more: {**said(*args, **more), **text})
    run_id = practice.start()
    worked(practice, run_id, StepKey.BUILD_PROMPT)
    packed = "".join(row["text"] for page in pages(practice, run_id, PACKS) for row in page.rows)
    assert "my nick is [CLIENT_" in packed
    assert "aselya" not in packed


def test_only_chats_of_deals_are_opened(practice: Practice) -> None:
    run_id = practice.start()
    worked(practice, run_id, StepKey.FETCH_RADIST)
    matched = {
        str(chat["id"])
        for page in pages(practice, run_id, CHATS)
        for group in page.rows
        for chat in group
        if chat["raw"]
    }
    assert opened(practice)
    assert set(opened(practice)) <= matched


def test_nothing_is_written_at_the_vendors(practice: Practice) -> None:
    practice.run()
    for vendor in ("amocrm", "radist"):
        assert {entry["method"] for entry in practice.look(vendor, "/__requests")} == {"GET"}


def test_progress_never_goes_back_in_a_try(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, int, int]] = []
    real = Ctx.beat

    def beat(self: Ctx, done: int | None = None, total: int | None = None) -> None:
        real(self, done, total)
        seen.append((self.claim.key, self._lease_keeper.done, self._lease_keeper.total or 0))

    monkeypatch.setattr(Ctx, "beat", beat)
    practice.run()
    for key in KEYS:
        counts = [done for step, done, _ in seen if step == key]
        assert counts == sorted(counts)
        assert all(done <= total for step, done, total in seen if step == key and total)


def test_a_run_asks_the_database_a_bounded_number_of_questions(practice: Practice) -> None:
    """Pages and not rows decide: twice the rows in a page cost no statement more."""
    asked: Counter[str] = Counter()

    def count(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked[statement] += 1

    event.listen(db.engine, "before_cursor_execute", count)
    try:
        run = practice.run()
    finally:
        event.remove(db.engine, "before_cursor_execute", count)
    with tenant_scope(practice.tenant.id):
        messages = artifacts.count(run.id, MESSAGES)
    chats = len({page.seq // PARTS for page in pages(practice, run.id, MESSAGES)})
    assert messages > 3 * chats
    assert max(asked.values()) < 40 * chats
    reads = sum(number for statement, number in asked.items() if "FROM artifacts" in statement)
    assert reads < 8 * chats + 120


def test_no_transaction_is_open_while_a_vendor_is_asked(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    real, held = HttpConnection.send, list[str]()

    def send(self: HttpConnection, method: str, path: str, **options: Any) -> Any:
        if db.session().in_transaction():
            held.append(path)
        return real(self, method, path, **options)

    monkeypatch.setattr(HttpConnection, "send", send)
    assert practice.run().status == RunStatus.SUCCEEDED
    assert held == []


def test_the_heart_stops_with_the_step(practice: Practice) -> None:
    run_id = practice.start()
    with tenant_scope(practice.tenant.id):
        claim = steps.claim(run_id, KEYS[0], 60)
    assert claim is not None
    with LeaseKeeper(practice.app, claim) as lease_keeper:
        assert lease_keeper._thread.is_alive()
    assert not lease_keeper._thread.is_alive()


def test_a_try_whose_pages_retention_has_taken_says_so(practice: Practice) -> None:
    run_id = practice.start()
    worked(practice, run_id, StepKey.WRITE_LEADS)
    with tenant_scope(practice.tenant.id):
        artifacts.forget(run_id, (DIRECTORY,))
        db.session.commit()
    runtime.work(str(practice.tenant.id), str(run_id), StepKey.FETCH_RADIST)
    step = practice.state(run_id)[1][2]
    assert_has(step, status="failed", colour="red", code="pages_deleted")
    assert remarks(step.code, step.params) != step.code
    with tenant_scope(practice.tenant.id):
        radist = integrations.find("radist")
        assert radist is not None
        assert radist.check_requested_at is None


def test_a_fetch_of_which_retention_has_taken_a_part_begins_anew(practice: Practice) -> None:
    clean = practice.run()
    leads = [page.rows for page in pages(practice, clean.id, LEADS)]
    practice.control("amocrm", fault="500", path="/contacts", times=-1)
    run_id = practice.start()
    worked(practice, run_id, StepKey.FETCH_AMOCRM)
    *_, last = pages(practice, run_id, LEADS)
    with tenant_scope(practice.tenant.id):
        artifacts.forget(run_id, (DIRECTORY, LEADS))
        artifacts.put(run_id, LEADS, last.seq + 1, [], last.meta)  # the last of them is young enough to be left
        db.session.commit()
    practice.clear("amocrm")
    worked(practice, run_id, StepKey.FETCH_AMOCRM)
    assert practice.state(run_id)[1][0].attempts == 2
    assert [page.rows for page in pages(practice, run_id, LEADS)] == leads
