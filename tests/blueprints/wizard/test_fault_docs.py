"""The table of faults in docs says what the rows of the tests say."""

from __future__ import annotations

import pytest

from synkro.integrations import INTEGRATIONS
from synkro.services.shared.wording import is_known
from tests.blueprints.wizard.fault_docs import ANEW, PLACE, SERVICES, text
from tests.support.faults import Fault

ROWS = [row for *_, rows in SERVICES for row in rows]


def test_the_table_in_docs_is_the_one_of_the_tests() -> None:
    assert PLACE.read_text() == text(), f"docs/vendor-faults.md is of yesterday: {ANEW}"


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_row_has_words_that_people_understand(row: Fault) -> None:
    assert is_known(row.code)
    assert row.colour in ("green", "yellow", "red")
    assert "|" not in row.what


def test_no_row_is_there_twice() -> None:
    met = [(title, row.act, row.what) for title, *_, rows in SERVICES for row in rows]
    assert len(met) == len(set(met))


def test_every_service_has_rows_one_of_them_for_no_answer() -> None:
    assert {kind for kind in INTEGRATIONS if any(row.code.startswith(f"{kind}_") for row in ROWS)} == set(INTEGRATIONS)
    for title, _, _, rows in SERVICES:
        assert {row.code for row in rows} & {"too_slow", "check_too_long"}, title
