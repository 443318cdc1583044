"""Tables of the stand-in: rows in memory with PostgreSQL's rules for keys, defaults and missing values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from synkro.sandbox.supabase.errors import PgError, no_payload_column
from synkro.sandbox.supabase.types import PgType, as_text

Row = dict[str, Any]
OnConflict = Literal["fail", "merge", "ignore"]
DEFAULT = object()
"""Stands in a row for "take the column's default"."""


@dataclass(frozen=True, slots=True)
class Column:
    """default: makes the value of a row that brings none."""

    name: str
    type: PgType
    not_null: bool = False
    default: Callable[[], Any] | None = None


@dataclass
class Table:
    """keys: the primary key first, then unique ones. grants: role -> privileges. Nothing is granted at birth."""

    name: str
    columns: dict[str, Column]
    keys: list[tuple[str, ...]]
    grants: dict[str, set[str]] = field(default_factory=dict)
    row_security: bool = False
    _index: dict[tuple[str, ...], dict[tuple[Any, ...], Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._index = {key: {} for key in self.keys}

    def rows(self) -> list[Row]:
        return list(self._index[self.keys[0]].values())

    def show(self, row: Row) -> Row:
        """A stored row as JSON."""
        return {
            name: None if row[name] is None else column.type.show(row[name]) for name, column in self.columns.items()
        }

    def read(self, values: Mapping[str, Any]) -> Row:
        """JSON of a payload -> values to store. Raises PGRST204 for an unknown column, 22xxx for a bad value."""
        for name in values:
            if name not in self.columns:
                raise no_payload_column(name, self.name)
        return {
            name: value if value is None or value is DEFAULT else self.columns[name].type.read(value)
            for name, value in values.items()
        }

    def insert(
        self, news: Sequence[Row], action: OnConflict = "fail", target: tuple[str, ...] = ()
    ) -> tuple[list[Row], int]:
        """All or nothing. target: columns of ON CONFLICT, the primary key by default.

        Returns the written rows and how many of them are new.
        """
        target = self._target(target) if action != "fail" else ()
        steps = self._plan(news, action, target)
        for new, full, old in steps:
            if old is None:
                self._put(full)
            else:
                self.update([old], new)
        return [old or full for _, full, old in steps], sum(old is None for _, _, old in steps)

    def _plan(
        self, news: Sequence[Row], action: OnConflict, target: tuple[str, ...]
    ) -> list[tuple[Row, Row, Row | None]]:
        steps: list[tuple[Row, Row, Row | None]] = []
        seen: dict[tuple[str, ...], set[tuple[Any, ...]]] = {key: set() for key in self.keys}
        for new in news:
            full = self._complete(new)
            old = self._find(target, full) if target else None
            repeated = bool(target) and _values(full, target) in seen.get(target, ())
            if action == "ignore" and (old or repeated):
                continue
            if action == "merge" and repeated:
                raise _twice()
            for key in self.keys:
                values = _values(full, key)
                if None not in values and old is None and (values in seen[key] or self._find(key, full)):
                    raise self._duplicate(key, values)
                seen[key].add(values)
            given = {name: full[name] for name in new}
            steps.append((given, full, old))
        return steps

    def update(self, rows: Iterable[Row], values: Row) -> None:
        """Change stored rows in place. Raises 23502 or 23505 before anything is changed."""
        changed = list(rows)
        for row in changed:
            future = {**row, **values}
            self._refuse_missing(future)
            for key in self.keys:
                if self._find(key, future) not in (None, row):
                    raise self._duplicate(key, _values(future, key))
        for row in changed:
            self._drop(row)
            row.update(values)
            self._put(row)

    def delete(self, rows: Iterable[Row]) -> None:
        for row in list(rows):
            self._drop(row)

    def _complete(self, new: Row) -> Row:
        full = {
            name: new[name] if new.get(name, DEFAULT) is not DEFAULT else column.default and column.default()
            for name, column in self.columns.items()
        }
        self._refuse_missing(full)
        return full

    def _refuse_missing(self, row: Row) -> None:
        for name, column in self.columns.items():
            if row[name] is None and (column.not_null or name in self.keys[0]):
                shown = ", ".join("null" if value is None else as_text(value) for value in self.show(row).values())
                message = f'null value in column "{name}" of relation "{self.name}" violates not-null constraint'
                raise PgError(400, "23502", message, details=f"Failing row contains ({shown}).")

    def _target(self, wanted: tuple[str, ...]) -> tuple[str, ...]:
        for name in wanted:
            if name not in self.columns:
                raise PgError(400, "42703", f'column "{name}" does not exist')
        for key in self.keys:
            if set(key) == set(wanted or self.keys[0]):
                return key
        raise PgError(400, "42P10", "there is no unique or exclusion constraint matching the ON CONFLICT specification")

    def _find(self, key: tuple[str, ...], row: Row) -> Row | None:
        return self._index[key].get(_values(row, key))

    def _put(self, row: Row) -> None:
        for key in self.keys:
            values = _values(row, key)
            # Missing values are never equal to each other, so such a row blocks nobody.
            if None not in values:
                self._index[key][values] = row

    def _drop(self, row: Row) -> None:
        for key in self.keys:
            self._index[key].pop(_values(row, key), None)

    def _duplicate(self, key: tuple[str, ...], values: tuple[Any, ...]) -> PgError:
        name = f"{self.name}_pkey" if key == self.keys[0] else f"{self.name}_{'_'.join(key)}_key"
        shown = ", ".join(as_text(self.columns[one].type.show(value)) for one, value in zip(key, values, strict=True))
        details = f"Key ({', '.join(key)})=({shown}) already exists."
        return PgError(409, "23505", f'duplicate key value violates unique constraint "{name}"', details=details)


def _values(row: Row, key: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(row[name] for name in key)


def _twice() -> PgError:
    # 500 since PostgREST 12.0.3, 400 before.
    hint = "Ensure that no rows proposed for insertion within the same command have duplicate constrained values."
    return PgError(500, "21000", "ON CONFLICT DO UPDATE command cannot affect row a second time", hint=hint)
