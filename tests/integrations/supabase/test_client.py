"""Rows and checks, against the stand-in and the real PostgREST."""

from __future__ import annotations

import pytest

from synkro.integrations.errors import Gone, Refused
from synkro.integrations.supabase.client import SCHEMA_VERSION, Supabase, schema_sql
from synkro.sandbox.supabase.jwt import legacy_key
from tests.support.emulators import Emulator
from tests.support.having import assert_entries, assert_has
from tests.support.supabase_project import KEY, Project, lead, message
from tests.support.supabase_project import bare as bare  # noqa: PLC0414 (a fixture)
from tests.support.supabase_project import failing as failing  # noqa: PLC0414 (a fixture)
from tests.support.supabase_project import postgrest as postgrest  # noqa: PLC0414 (a fixture)
from tests.support.supabase_project import project as project  # noqa: PLC0414 (a fixture)
from tests.support.supabase_project import stand_in as stand_in  # noqa: PLC0414 (a fixture)


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
    assert caught.value.code == "supabase_schema_old"
    assert project.open().count("synkro_leads") == 0


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
    assert_entries(row, body="xy", raw={"d": ["", None]})


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
    assert_has(caught.value, code="supabase_tables_differ", params={"rows": 51})


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
    assert_has(found, colour="red", code="supabase_public_data", params={"table": "synkro_leads"})


def test_rights_left_to_strangers_make_the_check_yellow(project: Project) -> None:
    project.run_sql("grant select on public.synkro_chats to anon;")
    found = project.open().check()
    assert_has(found, colour="yellow", code="supabase_granted")
    assert found.params["table"] == "synkro_chats"
