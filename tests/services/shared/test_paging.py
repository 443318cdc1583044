"""Pages of a list that is counted."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import Select, func, select

from synkro.services.shared import paging


def numbers(count: int) -> Select[int]:
    one = func.generate_series(1, count).column_valued("one")
    return select(one).order_by(one)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_the_pages_hold_every_row_once(app: Flask, count: int) -> None:
    pages = paging.read(numbers(count), count, 1, 2).pages
    found = [row[0] for page in range(1, pages + 1) for row in paging.read(numbers(count), count, page, 2).rows]
    assert found == list(range(1, count + 1))


def test_a_page_behind_the_last_is_the_last(app: Flask) -> None:
    assert paging.read(numbers(5), 5, 9, 2) == paging.read(numbers(5), 5, 3, 2)


def test_an_empty_list_is_one_empty_page(app: Flask) -> None:
    assert paging.read(numbers(0), 0, 1, 2) == paging.Page([], 1, 1)


def test_a_page_keeps_its_number_with_other_rows() -> None:
    assert paging.Page([1], 2, 3).of(["one"]) == paging.Page(["one"], 2, 3)
