"""The SQL that people paste, and rows on their way into its tables."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from synkro.integrations.supabase.client import KEYS, schema_sql
from synkro.integrations.supabase.rows import BATCH_BYTES, DEEPEST, batches, clean


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
