from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask, Response
from hypothesis import given
from hypothesis import strategies as st

from synkro.integrations.errors import ApiError, Gone, Nonsense, Refused, Unpaid, Unreachable
from synkro.integrations.http import Answer, Door
from synkro.integrations.supabase import KEYS, SCHEMA_VERSION, Supabase, schema_sql
from synkro.integrations.supabase_errors import RowRefused, TooSlow, judge
from synkro.integrations.supabase_keys import claims, key_fault, key_headers, keys_fault, project_address, tidy_address
from synkro.integrations.supabase_rows import BATCH_BYTES, BATCH_ROWS, DEEPEST, batches, clean
from synkro.sandbox.keys import Keys
from synkro.sandbox.supabase import create_app
from synkro.sandbox.supabase_jwt import legacy_key
from tests.integrations.conftest import Counted, Emulator, Start
from tests.integrations.sandbox_fixtures import words
from tests.postgrest import Postgrest, postgrest_or_skip

REF = "abcdefghijklmnopqrst"
KEY = Keys()
VAR = Path(__file__).parents[2] / "var"
AT = "2026-03-17T12:00:00.123456+05:00"


@dataclass
class Project:
    """A project to talk to: the stand-in or the real PostgREST. emulator: only the stand-in can be told to fail."""

    url: str
    run_sql: Callable[[str], None]
    emulator: Emulator | None = None

    def show_to_strangers(self, table: str) -> None:
        if self.emulator:
            self.emulator.fault("isolation", path=table, value="rows", times=-1)
            return
        self.run_sql(f"alter table public.{table} disable row level security; grant select on public.{table} to anon;")

    def open(self, **settings: str) -> Supabase:
        given = {
            "url": self.url,
            "publishable_key": KEY.supabase_publishable_key,
            "secret_key": KEY.supabase_secret_key,
        }
        door = Door(Counted(), allow_hosts=frozenset({self.url.partition("//")[2]}))
        made = Supabase({**given, **settings}, door)
        made.reload_seconds = 0.01
        return made


@pytest.fixture(scope="session")
def postgrest() -> Path:
    return postgrest_or_skip(VAR)


@pytest.fixture
def stand_in(start: Start) -> Project:
    emulator = start(create_app(KEY))
    return Project(emulator.url, lambda text: emulator.fault("run_sql", value=text), emulator)


@pytest.fixture(params=["stand-in", "postgrest"])
def bare(request: pytest.FixtureRequest) -> Iterator[Project]:
    """A project in which the SQL has not been run."""
    if request.param == "stand-in":
        yield request.getfixturevalue("stand_in")
        return
    real = Postgrest(request.getfixturevalue("postgrest"), request.getfixturevalue("postgres_superuser_url"))
    try:
        yield Project(real.url, real.run_sql)
    finally:
        real.stop()


@pytest.fixture
def project(bare: Project) -> Project:
    bare.run_sql(schema_sql())
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        # The API learns of new tables a moment after the database: a table is read at once, written to only then
        with contextlib.suppress(Gone):
            bare.open().write_probe()
            return bare
    raise AssertionError("the tables did not appear")


@pytest.fixture
def failing(stand_in: Project) -> tuple[Supabase, Emulator]:
    """A connection to the stand-in, and its switchboard."""
    stand_in.run_sql(schema_sql())
    assert stand_in.emulator
    return stand_in.open(), stand_in.emulator


def lead(number: int, **changes: Any) -> dict[str, Any]:
    row = {"account_id": 1, "lead_id": number, "name": f"Lead {number}", "pipeline_id": 10, "status_id": 142}
    return {**row, "created_at": AT, "updated_at": AT, "raw": {"id": number}, **changes}


def message(connection: int, number: str, **changes: Any) -> dict[str, Any]:
    row = {"connection_id": connection, "message_id": number, "chat_id": 7, "position": 0, "sent_at": AT}
    return {**row, "direction": "in", "kind": "text", "body": "здравствуйте", **changes}


def writes(emulator: Emulator) -> list[dict[str, Any]]:
    return [entry for entry in emulator.requests() if entry["method"] == "POST"]


# --- against the stand-in and the real thing ---


def test_check_is_green_after_the_sql_has_run(project: Project) -> None:
    assert project.open().check().code == "supabase_ok"


def test_check_accepts_the_old_keys(project: Project) -> None:
    old = project.open(publishable_key=legacy_key(KEY, "anon"), secret_key=legacy_key(KEY, "service_role"))
    assert old.check().code == "supabase_ok"


def test_check_says_that_the_sql_has_not_run(bare: Project) -> None:
    with pytest.raises(Gone) as caught:
        bare.open().check()
    assert caught.value.code == "supabase_no_tables"


def test_check_finds_an_older_schema(project: Project) -> None:
    project.open().upsert("synkro_meta", [{"key": "schema_version", "value": "0"}])
    assert project.open().check().code == "supabase_schema_old"


def test_nothing_is_written_into_tables_of_an_older_version(project: Project) -> None:
    project.open().upsert("synkro_meta", [{"key": "schema_version", "value": "0"}])
    with pytest.raises(Gone) as caught:
        project.open().upsert("synkro_leads", [lead(1)])
    assert (caught.value.code, project.open().count("synkro_leads")) == ("supabase_schema_old", 0)


def test_the_sql_brings_older_tables_up_to_date(project: Project) -> None:
    project.open().upsert("synkro_meta", [{"key": "schema_version", "value": "0"}])
    project.run_sql(schema_sql())
    assert project.open().upsert("synkro_leads", [lead(1)]) == 1


def test_the_version_is_asked_for_once_a_connection(failing: tuple[Supabase, Emulator]) -> None:
    supabase, emulator = failing
    emulator.forget()
    for number in range(3):
        supabase.upsert("synkro_leads", [lead(number)])
    assert [entry["path"] for entry in emulator.requests() if entry["method"] == "GET"] == ["/rest/v1/synkro_meta"]


def test_check_says_that_the_rights_are_missing(project: Project) -> None:
    project.run_sql("revoke all on public.synkro_messages from service_role;")
    with pytest.raises(Refused) as caught:
        project.open().check()
    assert caught.value.code == "supabase_no_grants"


def test_check_is_red_for_a_key_that_the_project_does_not_know(project: Project) -> None:
    assert project.open(secret_key="sb_secret_of_another_project").check().code == "supabase_secret_key_refused"
    public = project.open(publishable_key="sb_publishable_of_another_project")
    assert public.check().code == "supabase_public_key_refused"


def test_the_sql_may_run_twice_and_keeps_rows(project: Project) -> None:
    project.open().upsert("synkro_leads", [lead(1)])
    before = list(project.open().select("synkro_meta", ["value"]))
    project.run_sql(schema_sql())
    assert project.open().count("synkro_leads") == 1
    assert list(project.open().select("synkro_meta", ["value"])) == before


def test_the_sql_brings_the_version_that_the_code_expects(project: Project) -> None:
    assert project.open().schema_version() == SCHEMA_VERSION


def test_rows_come_back_as_they_were_written(project: Project) -> None:
    supabase = project.open()
    assert supabase.upsert("synkro_leads", [lead(2, price=15.5), lead(1, name="Ёлка 🎄")]) == 2
    rows = list(supabase.select("synkro_leads", ["name", "raw"]))
    assert [(row["lead_id"], row["name"], row["raw"]) for row in rows] == [
        (1, "Ёлка 🎄", {"id": 1}),
        (2, "Lead 2", {"id": 2}),
    ]


def test_writing_again_changes_rows_instead_of_adding_them(project: Project) -> None:
    supabase = project.open()
    supabase.upsert("synkro_leads", [lead(1), lead(2)])
    assert supabase.upsert("synkro_leads", [lead(1, name="New"), lead(3)]) == 2
    assert [row["name"] for row in supabase.select("synkro_leads", ["name"])] == ["New", "Lead 2", "Lead 3"]


def test_a_column_that_is_not_sent_stays_as_it_was(project: Project) -> None:
    supabase = project.open()
    chat = {"connection_id": 1, "chat_id": 5, "name": "Айгерим"}
    supabase.upsert("synkro_chats", [{**chat, "matched_lead_id": 77}])
    supabase.upsert("synkro_chats", [{**chat, "name": "Айгерим С."}])
    assert list(supabase.select("synkro_chats", ["name", "matched_lead_id"])) == [
        {"connection_id": 1, "chat_id": 5, "name": "Айгерим С.", "matched_lead_id": 77}
    ]


def test_rows_with_different_columns_are_all_written(project: Project) -> None:
    supabase = project.open()
    assert supabase.upsert("synkro_leads", [lead(1), lead(2, price=5), lead(3)]) == 3


def test_the_last_of_two_rows_with_one_key_wins(project: Project) -> None:
    supabase = project.open()
    supabase.upsert("synkro_messages", [message(1, "a", body="old"), message(1, "a", body="new")])
    assert [row["body"] for row in supabase.select("synkro_messages", ["body"])] == ["new"]


def test_text_that_postgres_cannot_store_is_cleaned(project: Project) -> None:
    supabase = project.open()
    supabase.upsert("synkro_messages", [message(1, "a", body="x\0y\ud800", raw={"d\0": ["\udfff", float("nan")]})])
    (row,) = supabase.select("synkro_messages", ["body", "raw"])
    assert (row["body"], row["raw"]) == ("xy", {"d": ["", None]})


def test_a_refused_row_does_not_take_the_others_with_it(project: Project) -> None:
    supabase = project.open()
    rows = [message(1, f"{n:03}", body=None if n in (3, 40) else "x") for n in range(60)]
    with pytest.raises(Gone) as caught:
        supabase.upsert("synkro_messages", rows)
    assert caught.value.params == {"rows": 2, "written": 58}
    assert supabase.count("synkro_messages") == 58


def test_a_fault_in_all_rows_is_given_up_early(project: Project) -> None:
    with pytest.raises(Gone) as caught:
        project.open().upsert("synkro_messages", [message(1, str(n), body=None) for n in range(200)])
    assert (caught.value.code, caught.value.params) == ("supabase_tables_differ", {"rows": 51})


def test_reading_goes_on_behind_the_cap_of_the_vendor(project: Project) -> None:
    supabase = project.open()
    supabase.upsert("synkro_leads", (lead(n) for n in range(1, 1203)))
    assert [row["lead_id"] for row in supabase.select("synkro_leads", [], page=5000)] == list(range(1, 1203))


def test_pages_of_a_composite_key_neither_repeat_nor_skip(project: Project) -> None:
    supabase = project.open()
    names = [(connection, text) for connection in (1, 2, 3) for text in ("a,b", "a.b(c)", 'q"', "ё", "z")]
    supabase.upsert("synkro_messages", [message(*name) for name in names])
    found = [(row["connection_id"], row["message_id"]) for row in supabase.select("synkro_messages", [], page=2)]
    assert sorted(found) == sorted(names)


def test_rows_of_equal_times_are_all_read(project: Project) -> None:
    supabase = project.open()
    supabase.upsert("synkro_messages", [message(1, f"m{n}") for n in range(7)])
    rows = supabase.select("synkro_messages", ["sent_at"], order=("sent_at", "message_id"), page=3)
    assert [row["message_id"] for row in rows] == [f"m{n}" for n in range(7)]


def test_filters_choose_rows(project: Project) -> None:
    supabase = project.open()
    supabase.upsert("synkro_messages", [message(1, "a", chat_id=5), message(1, "b", chat_id=6)])
    assert [row["message_id"] for row in supabase.select("synkro_messages", [], filters=[("chat_id", "eq.6")])] == ["b"]
    assert supabase.count("synkro_messages", [("chat_id", "eq.5")]) == 1


def test_an_unknown_column_means_an_old_schema(project: Project) -> None:
    with pytest.raises(Gone) as caught:
        project.open().upsert("synkro_leads", [lead(1, colour="red")])
    assert caught.value.code == "supabase_schema_old"


def test_nothing_to_write_makes_no_row(project: Project) -> None:
    assert project.open().upsert("synkro_leads", []) == 0


def test_the_probe_sees_its_own_row(project: Project) -> None:
    supabase = project.open()
    word = supabase.write_probe()
    assert word
    assert supabase.probe() == word


def test_strangers_that_see_rows_make_the_check_red(project: Project) -> None:
    supabase = project.open()
    supabase.upsert("synkro_leads", [lead(1)])
    project.show_to_strangers("synkro_leads")
    found = supabase.check()
    assert (found.colour, found.code, found.params) == ("red", "supabase_public_data", {"table": "synkro_leads"})


def test_rights_left_to_strangers_make_the_check_yellow(project: Project) -> None:
    project.run_sql("grant select on public.synkro_chats to anon;")
    found = project.open().check()
    assert (found.colour, found.code, found.params["table"]) == ("yellow", "supabase_granted", "synkro_chats")


# --- failures, which only the stand-in has on order ---


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
    assert (caught.value.code, len(emulator.requests())) == (code, 1)


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
    assert (caught.value.code, caught.value.params) == ("supabase_count_differs", {"rows": 2, "written": 1})


def test_a_page_that_comes_again_and_again_is_not_read_for_ever(start: Start) -> None:
    supabase = scripted(start, Response('[{"account_id": 1, "lead_id": 1}]', 200))
    with pytest.raises(Nonsense):
        list(supabase.select("synkro_leads", []))


def test_rows_without_the_columns_of_the_order_are_an_error(start: Start) -> None:
    supabase = scripted(start, Response('[{"account_id": 1}]', 200))
    with pytest.raises(Nonsense):
        list(supabase.select("synkro_leads", []))


# --- without a network ---


def answer(status: int, body: Any, kind: str = "application/json") -> Answer:
    raw = body if isinstance(body, str) else json.dumps(body)
    return Answer(status, {"content-type": kind}, raw.encode(), "Supabase")


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
    error = judge(answer(status, body))
    assert isinstance(error, kind)
    assert error.code == code
    assert words(error)


def test_a_success_is_no_error() -> None:
    assert judge(answer(206, [])) is None


@given(st.integers(300, 599), st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5))
def test_any_refusal_is_one_of_our_errors(status: int, value: Any) -> None:
    for body in (value, {"code": value, "message": value, "hint": value}):
        error = judge(answer(status, body))
        assert error is not None
        assert words(error)


@pytest.mark.parametrize(
    "text",
    [
        f"https://{REF}.supabase.co",
        f" https://{REF}.supabase.co/ ",
        f"https://{REF}.supabase.co/rest/v1/",
        f"https://{REF}.supabase.co:443",
        f"HTTPS://{REF.upper()}.Supabase.co",
        f"{REF}.supabase.co",
        REF,
        f"https://supabase.com/dashboard/project/{REF}",
        f"https://supabase.com/dashboard/project/{REF}/settings/api-keys",
        f"https://app.supabase.com/project/{REF}/editor",
        f"postgresql://postgres:secret@db.{REF}.supabase.co:5432/postgres",
    ],
)
def test_every_way_to_write_the_address_is_understood(text: str) -> None:
    assert project_address(text, ()) == f"https://{REF}.supabase.co"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "supabase.co",
        "https://supabase.com",
        f"http://{REF}.supabase.co",
        f"https://{REF}.supabase.co@evil.test",
        "https://xn--80ak6aa92e.com",
        "https://db.xn--80ak6aa92e.com",
        "https://аррӏе.com",
        "https://10.0.0.1",
        "https://2130706433",
        "http://db.example.kz",
        "db.example.kz:99999",
        f"https://user:pw@{REF}.supabase.co",
        f"https://{REF}.supabase.co:8443",
        "https://127.0.0.1",
        "http://localhost:3000",
        "http://host:99999",
        "https://[::1",
        f"ftp://{REF}.supabase.co",
        f"https://{REF[:-1]}.supabase.co",
    ],
)
def test_every_other_address_is_refused(text: str) -> None:
    with pytest.raises(Refused) as caught:
        project_address(text, {"10.0.0.1:80"})
    assert caught.value.code == "supabase_url_form"


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://db.example.kz/rest/v1/", "db.example.kz"),
        ("DB.Example.KZ", "db.example.kz"),
        ("https://db.example.kz:8443", "db.example.kz:8443"),
        (f"https://{REF}.supabase.co.evil.test", f"{REF}.supabase.co.evil.test"),
        (f"https://evil.test/dashboard/project/{REF}", "evil.test"),
    ],
)
def test_a_server_of_ones_own_waits_for_an_approval(text: str, host: str) -> None:
    with pytest.raises(Refused) as caught:
        project_address(text, (), {"db.example.kz:9999"})
    assert (caught.value.code, caught.value.params) == ("supabase_host_unapproved", {"host": host})


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("db.example.kz", "https://db.example.kz"),
        ("https://db.example.kz:443/rest/v1", "https://db.example.kz"),
        ("https://db.example.kz:8443/", "https://db.example.kz:8443"),
    ],
)
def test_an_approved_host_is_taken_with_exactly_its_port(text: str, address: str) -> None:
    assert project_address(text, (), {"db.example.kz:443", "db.example.kz:8443"}) == address


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f" {REF} ", f"https://{REF}.supabase.co"),
        (f"https://supabase.com/dashboard/project/{REF}/sql/new", f"https://{REF}.supabase.co"),
        (f"postgresql://postgres:secret@db.{REF}.supabase.co:5432/postgres", f"https://{REF}.supabase.co"),
        ("https://me:secret@DB.Example.kz/rest/v1?x=1", "https://db.example.kz"),
        ("me:secret@db.example.kz", "https://db.example.kz"),
        (f"postgresql://postgres:sec/r@et@db.{REF}.supabase.co:5432/postgres", f"https://{REF}.supabase.co"),
        ("postgresql://a:secret@pooler.test:6543/postgres", "postgresql://pooler.test:6543/postgres"),
        ("http://127.0.0.1:54321", "http://127.0.0.1:54321"),
        ("our database", "our database"),
    ],
)
def test_an_address_is_kept_as_people_know_it_and_without_a_password(text: str, kept: str) -> None:
    assert tidy_address(text) == kept


@given(st.text())
def test_tidying_twice_is_tidying_once(text: str) -> None:
    assert tidy_address(tidy_address(text)) == tidy_address(text)


def test_a_listed_host_is_taken_with_its_port() -> None:
    assert project_address("http://10.0.0.1:54321/rest/v1", {"10.0.0.1:54321"}) == "http://10.0.0.1:54321"


@given(st.text())
def test_an_address_is_understood_or_refused(text: str) -> None:
    with contextlib.suppress(Refused):
        assert re.fullmatch(r"https://[a-z0-9]{20}\.supabase\.co", project_address(text, ()))


def test_new_keys_go_alone_and_old_ones_twice() -> None:
    assert key_headers("sb_secret_x") == {"apikey": "sb_secret_x"}
    assert key_headers("eyJ.a.b") == {"apikey": "eyJ.a.b", "Authorization": "Bearer eyJ.a.b"}


@pytest.mark.parametrize(
    ("key", "wanted", "ref", "code"),
    [
        ("sb_publishable_x", "public", REF, None),
        ("sb_secret_x", "secret", REF, None),
        ("sb_secret_x", "public", REF, "supabase_public_key_is_secret"),
        (legacy_key(KEY, "anon"), "secret", KEY.supabase_ref, "supabase_secret_key_is_public"),
        (legacy_key(KEY, "anon"), "public", KEY.supabase_ref, None),
        (legacy_key(KEY, "anon"), "public", REF, "supabase_public_key_elsewhere"),
        (legacy_key(KEY, "anon"), "public", None, None),
        (legacy_key(KEY, "service_role", expires=1), "secret", None, "supabase_secret_key_expired"),
        (legacy_key(KEY, "authenticated"), "public", None, "supabase_public_key_form"),
        ("", "secret", REF, "supabase_secret_key_form"),
        ("a.b.c", "public", REF, "supabase_public_key_form"),
        ("пароль", "secret", REF, "supabase_secret_key_form"),
    ],
)
def test_a_key_is_judged_by_sight(key: str, wanted: Any, ref: str | None, code: str | None) -> None:
    assert key_fault(key, wanted, ref) == code


@pytest.mark.parametrize(
    ("public", "secret", "code"),
    [
        ("sb_secret_x", "sb_publishable_x", "supabase_keys_swapped"),
        (legacy_key(KEY, "service_role"), "sb_publishable_x", "supabase_keys_swapped"),
        ("sb_secret_x", "sb_secret_x", "supabase_public_key_is_secret"),
        ("sb_publishable_x", "sb_publishable_x", "supabase_secret_key_is_public"),
        ("sb_publishable_x", "sb_secret_x", None),
    ],
)
def test_keys_in_the_wrong_field_are_told_by_field(public: str, secret: str, code: str | None) -> None:
    assert keys_fault(public, secret, REF) == code


@given(st.text())
def test_any_text_has_claims_or_none(text: str) -> None:
    assert isinstance(claims(f"x.{text}.y"), dict)


def test_a_key_that_http_cannot_carry_is_refused_without_being_told() -> None:
    settings = {"url": REF, "publishable_key": "sb_publishable_x", "secret_key": "sb_secret_пароль"}
    with pytest.raises(Refused) as caught:
        Supabase(settings, Door(Counted()))
    assert caught.value.code == "key_malformed"
    assert caught.value.__context__ is None


def test_the_keys_in_the_code_are_those_of_the_sql() -> None:
    found = re.findall(r"create table if not exists public\.(\w+) \(.*?primary key \((.*?)\)", schema_sql(), re.DOTALL)
    assert {table: tuple(key.split(", ")) for table, key in found} == KEYS


def test_the_sql_closes_every_table() -> None:
    for table in KEYS:
        assert f"alter table public.{table} enable row level security;" in schema_sql()
        assert f"revoke all on public.{table} from anon, authenticated;" in schema_sql()
        assert f"grant select, insert, update, delete on public.{table} to service_role;" in schema_sql()


def test_every_line_of_the_sql_survives_being_pasted() -> None:
    assert all(len(line) < 120 and line.isprintable() and line.isascii() for line in schema_sql().splitlines())


def test_both_keys_are_secret() -> None:
    assert Supabase.secret_names() == {"publishable_key", "secret_key"}


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.datetimes()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner))


@given(values)
def test_cleaned_values_are_strict_json_without_nul(value: Any) -> None:
    text = json.dumps(clean(value), allow_nan=False, ensure_ascii=False)
    assert "\\u0000" not in text.replace("\\\\", "")
    text.encode()


def test_a_value_without_end_is_cut_off() -> None:
    deep: Any = "ground"
    for _ in range(5000):
        deep = {"a": [deep]}
    assert json.dumps(clean(deep)).count("{") == DEEPEST // 2


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9), st.booleans()), max_size=60))
def test_batches_hold_each_key_once_sorted_and_of_one_shape(given_rows: list[tuple[int, int, bool]]) -> None:
    rows = [{"id": key, "n": n, **({"x": 1} if wide else {})} for key, n, wide in given_rows]
    made = list(batches(rows, ["id"]))
    for batch in made:
        names = [str(row["id"]) for row in batch]
        assert names == sorted(set(names))
        assert len({tuple(row) for row in batch}) == 1
    last = {row["id"]: row["n"] for batch in made for row in batch}
    assert last == {row["id"]: row["n"] for row in rows}


@given(st.lists(st.integers(1, BATCH_BYTES // 2), min_size=1, max_size=12))
def test_batches_stay_below_the_size_unless_one_row_is_larger(sizes: list[int]) -> None:
    rows = [{"id": number, "x": "x" * size} for number, size in enumerate(sizes)]
    for batch in batches(rows, ["id"]):
        assert len(batch) == 1 or sum(len(json.dumps(row)) for row in batch) <= BATCH_BYTES


def test_a_date_becomes_text() -> None:
    assert clean(datetime(2026, 3, 17, tzinfo=UTC)) == "2026-03-17T00:00:00+00:00"
