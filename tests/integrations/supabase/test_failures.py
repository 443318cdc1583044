"""What the client makes of failures and odd answers, which only the stand-in has on order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from flask import Flask, Response
from hypothesis import given
from hypothesis import strategies as st

from synkro.integrations.errors import ApiError, Gone, Nonsense, Refused, Unpaid, Unreachable
from synkro.integrations.http.calls import HttpAnswer
from synkro.integrations.supabase.client import Supabase
from synkro.integrations.supabase.errors import RowRefused, TooSlow, check_answer
from synkro.integrations.supabase.rows import BATCH_ROWS
from synkro.sandbox.supabase.jwt import legacy_key
from tests.support.emulators import Emulator, Start
from tests.support.having import assert_has
from tests.support.sandbox_words import words
from tests.support.supabase_project import KEY, Project, lead, message, writes
from tests.support.supabase_project import failing as failing  # noqa: PLC0414 (a fixture)
from tests.support.supabase_project import stand_in as stand_in  # noqa: PLC0414 (a fixture)


def test_a_read_only_key_is_never_green(failing: tuple[Supabase, Emulator]) -> None:
    supabase, emulator = failing
    emulator.fault("read_only_key", times=-1)
    with pytest.raises(Refused) as caught:
        supabase.check()
    assert caught.value.code == "supabase_no_grants"


@pytest.mark.parametrize(("fault", "code"), [("540", "supabase_paused"), ("402", "supabase_restricted")])
def test_a_stopped_project_is_not_asked_again(failing: tuple[Supabase, Emulator], fault: str, code: str) -> None:
    supabase, emulator = failing
    emulator.fault(fault, times=-1)
    emulator.forget()
    with pytest.raises(Unpaid) as caught:
        supabase.upsert("synkro_leads", [lead(1)])
    assert caught.value.code == code
    assert len(emulator.requests()) == 1


def test_a_batch_that_takes_too_long_is_written_in_halves(failing: tuple[Supabase, Emulator]) -> None:
    supabase, emulator = failing
    emulator.fault("57014", path="synkro_leads")
    emulator.forget()
    assert supabase.upsert("synkro_leads", [lead(n) for n in range(10)]) == 10
    assert len(writes(emulator)) == 3


def test_a_single_row_that_takes_too_long_is_an_error(failing: tuple[Supabase, Emulator]) -> None:
    supabase, emulator = failing
    emulator.fault("57014", times=-1)
    with pytest.raises(TooSlow):
        supabase.upsert("synkro_leads", [lead(1), lead(2)])


@pytest.mark.parametrize("fault", ["40P01", "PGRST002", "PGRST003", "544", "502_html", "drop", "drop_after"])
def test_a_passing_failure_is_tried_again(failing: tuple[Supabase, Emulator], fault: str) -> None:
    supabase, emulator = failing
    emulator.fault(fault)
    assert supabase.upsert("synkro_leads", [lead(1)]) == 1


def test_a_passing_failure_that_stays_is_an_error(failing: tuple[Supabase, Emulator]) -> None:
    supabase, emulator = failing
    emulator.fault("40P01", path="synkro_leads", times=-1)
    emulator.forget()
    with pytest.raises(Unreachable):
        supabase.upsert("synkro_leads", [lead(1)])
    assert len(writes(emulator)) == 4


@pytest.mark.parametrize("fault", ["empty", "html", "broken_json"])
def test_an_unconfirmed_write_is_an_error(failing: tuple[Supabase, Emulator], fault: str) -> None:
    supabase, emulator = failing
    emulator.fault(fault, times=-1)
    with pytest.raises(Nonsense):
        supabase.upsert("synkro_leads", [lead(1)])


@pytest.mark.parametrize("fault", ["empty", "html", "broken_json"])
def test_an_unreadable_page_is_an_error(failing: tuple[Supabase, Emulator], fault: str) -> None:
    supabase, emulator = failing
    emulator.fault(fault, times=-1)
    with pytest.raises(Nonsense):
        list(supabase.select("synkro_leads", []))


def test_a_full_database_is_no_passing_failure(failing: tuple[Supabase, Emulator]) -> None:
    supabase, emulator = failing
    emulator.fault("25006", times=-1)
    with pytest.raises(Unpaid) as caught:
        supabase.upsert("synkro_leads", [lead(1)])
    assert caught.value.code == "supabase_read_only"


def test_tables_that_the_api_learns_of_a_moment_later_are_waited_for(failing: tuple[Supabase, Emulator]) -> None:
    supabase, emulator = failing
    emulator.fault("stale_cache")
    assert supabase.check().code == "supabase_ok"


def test_switched_off_old_keys_have_their_own_words(stand_in: Project) -> None:
    assert stand_in.emulator
    stand_in.emulator.fault("legacy_disabled", times=-1)
    old = stand_in.open(publishable_key=legacy_key(KEY, "anon"))
    assert old.check().code == "supabase_legacy_disabled"


def test_no_project_at_the_address_has_its_own_words(stand_in: Project) -> None:
    supabase = stand_in.open()
    assert stand_in.emulator
    stand_in.emulator.stop()
    with pytest.raises(Unreachable) as caught:
        supabase.check()
    assert caught.value.code == "supabase_no_answer"


def test_swapped_keys_are_noticed_without_a_request(stand_in: Project) -> None:
    swapped = stand_in.open(publishable_key=KEY.supabase_secret_key, secret_key=KEY.supabase_publishable_key)
    assert swapped.check().code == "supabase_keys_swapped"
    assert stand_in.emulator
    assert stand_in.emulator.requests() == []


def test_large_rows_are_written_in_batches_by_size(failing: tuple[Supabase, Emulator]) -> None:
    supabase, emulator = failing
    emulator.forget()
    supabase.upsert("synkro_leads", (lead(n, raw={"text": "x" * 400_000}) for n in range(5)))
    assert len(writes(emulator)) == 3


def test_rows_are_read_from_the_source_only_as_they_are_written(failing: tuple[Supabase, Emulator]) -> None:
    supabase, emulator = failing
    ahead: list[int] = []

    def source() -> Iterator[dict[str, Any]]:
        for number in range(3 * BATCH_ROWS):
            if number % BATCH_ROWS == 0:
                ahead.append(number - len(requests.get(f"{emulator.url}/__rows/synkro_leads", timeout=60).json()))
            yield lead(number)

    supabase.upsert("synkro_leads", source())
    assert max(ahead) <= BATCH_ROWS


def test_no_error_repeats_a_row_or_a_key(failing: tuple[Supabase, Emulator]) -> None:
    supabase, _ = failing
    with pytest.raises(ApiError) as caught:
        supabase.upsert("synkro_messages", [message(1, "a", raw={"said": "тайна"}, sent_at="тайна")])
    told = (
        repr(caught.value) + repr(caught.value.params) + repr(caught.value.__cause__) + repr(caught.value.__context__)
    )
    assert "тайна" not in told
    assert KEY.supabase_secret_key not in told


def scripted(start: Start, answer: Response) -> Supabase:
    """A project that gives the same answer to everything."""
    app = Flask(__name__)
    app.add_url_rule("/<path:path>", view_func=lambda **_: answer, methods=["GET", "POST"])
    return Project(start(app).url, lambda _: None).open()


def test_fewer_rows_confirmed_than_sent_is_an_error(start: Start) -> None:
    supabase = scripted(start, Response("", 201, {"Content-Range": "*/1"}))
    with pytest.raises(Nonsense) as caught:
        supabase.upsert("synkro_meta", [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
    assert_has(caught.value, code="supabase_count_differs", params={"rows": 2, "written": 1})


def test_a_page_that_comes_again_and_again_is_not_read_for_ever(start: Start) -> None:
    supabase = scripted(start, Response('[{"account_id": 1, "lead_id": 1}]', 200))
    with pytest.raises(Nonsense):
        list(supabase.select("synkro_leads", []))


def test_rows_without_the_columns_of_the_order_are_an_error(start: Start) -> None:
    supabase = scripted(start, Response('[{"account_id": 1}]', 200))
    with pytest.raises(Nonsense):
        list(supabase.select("synkro_leads", []))


def answer(status: int, body: Any, kind: str = "application/json") -> HttpAnswer:
    raw = body if isinstance(body, str) else json.dumps(body)
    return HttpAnswer(status, {"content-type": kind}, raw.encode(), "Supabase")


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (404, {"code": "PGRST205", "message": "x"}, Gone, "supabase_no_tables"),
        (404, {"code": "42P01"}, Gone, "supabase_no_tables"),
        (404, {}, Gone, "supabase_no_tables"),
        (404, "<html>", Gone, "supabase_not_found"),
        (400, {"code": "PGRST204"}, Gone, "supabase_schema_old"),
        (400, {"code": "42703"}, Gone, "supabase_schema_old"),
        (400, {"code": "42P10"}, Gone, "supabase_schema_old"),
        (401, {"code": "PGRST301"}, Refused, "supabase_key_refused"),
        (401, {"code": "PGRST303"}, Refused, "supabase_key_refused"),
        (400, {"code": "22023"}, Refused, "supabase_key_refused"),
        (403, {"code": "42501"}, Refused, "supabase_no_grants"),
        (401, {"code": "42501"}, Refused, "supabase_no_grants"),
        (409, {"code": "23505"}, RowRefused, "supabase_row_refused"),
        (400, {"code": "22P02"}, RowRefused, "supabase_row_refused"),
        (500, {"code": "21000"}, RowRefused, "supabase_row_refused"),
        (413, "", RowRefused, "supabase_row_refused"),
        (500, {"code": "57014"}, TooSlow, "supabase_slow"),
        (500, {"code": "55P03"}, Unreachable, "server_error"),
        (503, {"code": "53300"}, Unreachable, "server_error"),
        (503, {"code": "PGRST001"}, Unreachable, "server_error"),
        (500, {"code": "XX000"}, Unreachable, "server_error"),
        (405, {"code": "25006"}, Unpaid, "supabase_read_only"),
        (416, {"code": "PGRST103"}, Gone, "supabase_rejected"),
        (400, {"message": "?"}, Gone, "supabase_rejected"),
        (400, {"code": {"a": 1}}, Gone, "supabase_rejected"),
        (400, [1], Gone, "supabase_rejected"),
        (401, {"message": "Invalid API key"}, Refused, "supabase_key_refused"),
        (401, "<html>", Refused, "supabase_key_refused"),
        (401, {"message": "Secret API key required"}, Refused, "supabase_secret_needed"),
        (401, {"message": "Legacy API keys are disabled"}, Refused, "supabase_legacy_disabled"),
        (403, "<html>", Refused, "supabase_forbidden"),
        (402, "<html>", Unpaid, "supabase_restricted"),
        (540, "", Unpaid, "supabase_paused"),
        (520, "<html>", Unreachable, "server_error"),
        (429, "", ApiError, "busy"),
        (302, "", Nonsense, "unexpected_shape"),
        (418, "", Nonsense, "unexpected_shape"),
    ],
)
def test_answers_are_classed_by_code_first(status: int, body: Any, kind: type[ApiError], code: str) -> None:
    error = check_answer(answer(status, body))
    assert isinstance(error, kind)
    assert error.code == code
    assert words(error)


def test_a_success_is_no_error() -> None:
    assert check_answer(answer(206, [])) is None


@given(st.integers(300, 599), st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_any_refusal_is_one_of_our_errors(status: int, value: Any) -> None:
    for body in (value, {"code": value, "message": value, "hint": value}):
        error = check_answer(answer(status, body))
        assert error is not None
        assert words(error)
