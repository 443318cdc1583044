"""Filters of a query string: `column=op.value`, `or=(…)`, `and=(…)`, as far as Synkro uses them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from typing import Any

from synkro.sandbox.supabase.errors import PgError, no_column, not_practised
from synkro.sandbox.supabase.tables import Row, Table

Condition = Callable[[Row], bool | None]
"""None is SQL's unknown: a missing value compared with anything."""

_NOT_FILTERS = {"select", "order", "limit", "offset", "on_conflict", "columns", "apikey"}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "neq": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_IS = {"null": None, "true": True, "false": False}


def conditions(table: Table, args: Iterable[tuple[str, str]]) -> list[Condition]:
    """All filters of a query string. Raises 42703 for unknown columns and PGRST100 for what is no filter."""
    found = []
    for name, value in args:
        if name in _NOT_FILTERS:
            continue
        if name in {"and", "or", "not.and", "not.or"}:
            found.append(_logic(table, name, value))
        else:
            found.append(_filter(table, name, value))
    return found


def matching(rows: Iterable[Row], wanted: Iterable[Condition]) -> list[Row]:
    checks = list(wanted)
    return [row for row in rows if all(check(row) is True for check in checks)]


def _filter(table: Table, column: str, text: str) -> Condition:
    if column not in table.columns:
        if not column.isidentifier():
            raise not_practised(f"the filter {column}={text}")
        raise no_column(column, table.name)
    name, _, value = text.partition(".")
    if name == "not":
        return _negated(_filter(table, column, value))
    read = table.columns[column].type.read
    if name in _COMPARE:
        return _comparison(column, _COMPARE[name], read(value))
    if name == "in":
        return _membership(column, [read(one) for one in _listed(value)])
    if name == "is" and value in _IS:
        return lambda row: row[column] is _IS[value]
    if name in {"like", "ilike"}:
        flags = re.IGNORECASE if name == "ilike" else 0
        pattern = re.compile(".*".join(map(re.escape, re.split(r"[*%]", value))), re.DOTALL | flags)
        return lambda row: None if row[column] is None else bool(pattern.fullmatch(str(row[column])))
    raise PgError(400, "PGRST100", f'"failed to parse filter ({text})" (line 1, column 1)')


def _comparison(column: str, compare: Callable[[Any, Any], bool], value: Any) -> Condition:
    return lambda row: None if row[column] is None else compare(row[column], value)


def _membership(column: str, values: list[Any]) -> Condition:
    return lambda row: None if row[column] is None else row[column] in values


def _negated(condition: Condition) -> Condition:
    def check(row: Row) -> bool | None:
        answer = condition(row)
        return None if answer is None else not answer

    return check


def _listed(text: str) -> list[str]:
    if not (text.startswith("(") and text.endswith(")")):
        raise PgError(400, "PGRST100", f'"failed to parse filter (in.{text})" (line 1, column 4)')
    return [_unquoted(one) for one in _pieces(text[1:-1])]


def _logic(table: Table, name: str, text: str) -> Condition:
    """`(a.eq.1,and(b.gt.2,c.is.null))` under the name and, or, not.and, not.or."""
    if name.startswith("not."):
        return _negated(_logic(table, name[4:], text))
    if not (text.startswith("(") and text.endswith(")")):
        raise PgError(400, "PGRST100", f'"failed to parse logic tree ({text})" (line 1, column 1)')
    parts = [_branch(table, one) for one in _pieces(text[1:-1])]
    decisive = name == "or"

    def check(row: Row) -> bool | None:
        answers = [part(row) for part in parts]
        if decisive in answers:
            return decisive
        return None if None in answers else not decisive

    return check


def _branch(table: Table, text: str) -> Condition:
    if found := re.match(r"((?:not\.)?(?:and|or))\(", text):
        return _logic(table, found[1], text[found.end() - 1 :])
    found = re.match(r"(\w+)\.((?:not\.)?\w+)\.(.*)$", text, re.DOTALL)
    if not found:
        raise PgError(400, "PGRST100", f'"failed to parse logic tree ({text})" (line 1, column 1)')
    return _filter(table, found[1], f"{found[2]}.{_unquoted(found[3])}")


def _pieces(text: str) -> list[str]:
    """Split by commas outside of double quotes and brackets."""
    pieces, depth = [""], 0
    for mark in re.findall(r'"(?:[^"\\]|\\.)*"|.', text, re.DOTALL):
        depth += (mark == "(") - (mark == ")")
        if mark == "," and not depth:
            pieces.append("")
        else:
            pieces[-1] += mark
    return [piece for piece in pieces if piece]


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text
