"""Long lists, a page at a time: by number where they are counted, by cursor where they only grow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar, TypeVarTuple

from sqlalchemy import Row, Select

from synkro.tenancy import db

One = TypeVar("One")
Other = TypeVar("Other")
Columns = TypeVarTuple("Columns")


@dataclass(frozen=True, slots=True)
class Page(Generic[One]):
    """page: its number, from 1. pages: how many there are, at least one."""

    rows: list[One]
    page: int
    pages: int

    def of(self, rows: list[Other]) -> Page[Other]:
        """The same page, of what its rows were made into."""
        return Page(rows, self.page, self.pages)


@dataclass(frozen=True, slots=True)
class CursorPage(Generic[One]):
    """newer, older: the id to go on from on that side, 0 where there is nothing more."""

    rows: list[One]
    newer: int = 0
    older: int = 0


def read(statement: Select[*Columns], total: int, page: int, size: int) -> Page[Row[*Columns]]:
    """A page of an ordered statement that has `total` rows. A page behind the last is the last."""
    pages = max(1, -(-total // size))
    page = min(page, pages)
    rows = db.session.execute(statement.limit(size).offset((page - 1) * size))
    return Page(list(rows), page, pages)
