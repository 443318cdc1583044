"""Pieces of SQL text: splitting, lists of names, literals, the definition of a column."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from synkro.sandbox.supabase.tables import Column
from synkro.sandbox.supabase.types import PgType, type_of

_MARK = re.compile(r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"[^"]*"|\$(\w*)\$.*?\$\1\$|.""", re.DOTALL)
_MODIFIER = re.compile(
    r"\b(not\s+null|null|default|primary\s+key|unique|check|references|constraint|collate)\b", re.IGNORECASE
)


def split(text: str, separator: str) -> list[str]:
    """Pieces between separators outside of quotes, comments (dropped) and brackets; without empty ones."""
    pieces, depth = [""], 0
    for mark in (found.group() for found in _MARK.finditer(text)):
        if mark.startswith(("--", "/*")):
            continue
        depth += (mark == "(") - (mark == ")")
        if mark == separator and not depth:
            pieces.append("")
        else:
            pieces[-1] += mark
    return [piece.strip() for piece in pieces if piece.strip()]


def names_in(text: str) -> list[str]:
    return [one.strip().rpartition(".")[2].strip('"') for one in text.split(",")]


def read_column(item: str) -> Column:
    name, _, rest = item.partition(" ")
    pieces = _MODIFIER.split(rest.strip())
    column_type = type_of(pieces[0].strip())
    modifiers = dict(zip((one.lower() for one in pieces[1::2]), pieces[2::2], strict=True))
    not_null = any(one.startswith("not") for one in modifiers)
    default = _default(column_type, modifiers["default"].strip()) if "default" in modifiers else None
    return Column(name.strip('"'), column_type, not_null, default)


def _default(column_type: PgType, expression: str) -> Callable[[], Any]:
    value = expression.partition("::")[0]
    if value.lower() in {"now()", "current_timestamp"}:
        return lambda: datetime.now(UTC)
    if value.lower() == "gen_random_uuid()":
        return lambda: str(uuid.uuid4())
    return lambda: literal(column_type, value)


def literal(column_type: PgType, sql: str) -> Any:
    sql = sql.strip().partition("::")[0]
    if sql.lower() in {"now()", "current_timestamp"}:
        return datetime.now(UTC)
    if sql.lower() == "null":
        return None
    quoted = re.fullmatch(r"'(.*)'", sql, re.DOTALL)
    text = quoted[1].replace("''", "'") if quoted else sql
    return column_type.read(json.loads(text) if column_type.name == "jsonb" else text)
