"""A column that holds sealed values: its owner declares it once, and so the keys of the installation can be changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from sqlalchemy import ColumnElement, Row, Select, Table, exists, func, select, true
from sqlalchemy.orm import InstrumentedAttribute

from synkro.crypto import CannotOpen, Vault

Column = InstrumentedAttribute[Any]
Query = Select[*tuple[Any, ...]]
Found = Row[*tuple[Any, ...]]
EVERY = true()


@dataclass(frozen=True, slots=True, eq=False)
class SealedText:
    """One sealed text in each row, or none. name is for operators.

    context is what the owner seals with: it gets the values of the columns `of`, in their order. only: which rows.
    """

    name: str
    column: Column
    of: tuple[Column, ...]
    context: Callable[..., str]
    only: ColumnElement[bool] = EVERY

    batch: ClassVar[int] = 200
    """Rows in one transaction: they are held for some milliseconds, and all are in memory."""

    @property
    def table(self) -> Table:
        return cast(Table, self.column.class_.__table__)

    @property
    def id(self) -> ColumnElement[Any]:
        return next(iter(self.table.primary_key))

    def rows(self) -> Query:
        """(id, value, what the context is made of), in the order of the ids."""
        return select(self.id, self.column, *self.of).where(self.only, self._filled()).order_by(self.id)

    def stale(self, current: str) -> ColumnElement[bool]:
        """Rows in which another key than this one is named."""
        return self._key() != current

    def keys(self) -> Query:
        """(key id, how many values name it)."""
        key = self._key()  # the same object twice, so that PostgreSQL sees the same parameters
        return select(key, func.count()).where(self.only, self._filled()).group_by(key)

    def pieces(self, value: Any) -> Mapping[str, Any]:
        """The sealed values of a row by field; one that is alone has the name ''."""
        return {"": value}

    def joined(self, pieces: Mapping[str, Any]) -> Any:
        """The reverse of pieces."""
        return pieces[""]

    def aad(self, of: tuple[Any, ...], _field: str) -> str:
        return self.context(*of)

    def key_of(self, piece: Any) -> str:
        return str(piece).partition(".")[2].partition(".")[0]

    def reseal(self, vault: Vault, piece: Any, context: str) -> Any:
        """Raises CannotOpen."""
        return vault.reseal(piece, context)

    def _filled(self) -> ColumnElement[bool]:
        return func.coalesce(self.column, "") != ""

    def _key(self) -> ColumnElement[str]:
        return func.split_part(self.column, ".", 2)


class SealedFields(SealedText):
    """A JSON object of sealed texts in each row. context gets the name of the field as well, at the end."""

    __slots__ = ()

    def stale(self, current: str) -> ColumnElement[bool]:
        fields, key = self._fields()
        return exists(select(1).select_from(fields).where(key != current))

    def keys(self) -> Query:
        fields, key = self._fields()
        return select(key, func.count()).select_from(self.table).join(fields, true()).where(self.only).group_by(key)

    def pieces(self, value: Any) -> Mapping[str, Any]:
        return dict(value)

    def joined(self, pieces: Mapping[str, Any]) -> Any:
        return dict(pieces)

    def aad(self, of: tuple[Any, ...], field: str) -> str:
        return self.context(*of, field)

    def reseal(self, vault: Vault, piece: Any, context: str) -> Any:
        if not isinstance(piece, str):  # JSON that was changed by hand may hold anything
            raise CannotOpen("not a sealed value")
        return vault.reseal(piece, context)

    def _filled(self) -> ColumnElement[bool]:
        return true()

    def _fields(self) -> tuple[Any, ColumnElement[str]]:
        fields = func.jsonb_each_text(self.column).table_valued("key", "value").lateral()
        return fields, func.split_part(func.coalesce(fields.c.value, ""), ".", 2)


class SealedBytes(SealedText):
    """Sealed bytes in each row: a page, up to a megabyte or so."""

    __slots__ = ()

    batch = 20

    def key_of(self, piece: Any) -> str:
        return bytes(piece[1:5]).hex()

    def reseal(self, vault: Vault, piece: Any, context: str) -> Any:
        return vault.reseal_bytes(piece, context)

    def _filled(self) -> ColumnElement[bool]:
        return true()

    def _key(self) -> ColumnElement[str]:
        return func.encode(func.substr(self.column, 2, 4), "hex")
