"""PostgreSQL's column types as far as Synkro uses them: reading JSON and filter texts, showing JSON."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from synkro.sandbox.supabase.errors import PgError, bad_json, bad_syntax, not_practised

_TRUE = {"t", "true", "y", "yes", "on", "1"}
_FALSE = {"f", "false", "n", "no", "off", "0"}


@dataclass(frozen=True, slots=True)
class PgType:
    """name: as PostgreSQL prints it. read: a JSON value or a filter's text -> what is stored. show: the way back."""

    name: str
    read: Callable[[Any], Any]
    show: Callable[[Any], Any] = lambda value: value


def type_of(sql: str) -> PgType:
    """The type that a CREATE TABLE names. Raises PgError 501 for one which the stand-in does not know."""
    name = re.sub(r"\s*\([^)]*\)", "", " ".join(sql.lower().split()))
    if name.endswith("[]"):
        return _array(type_of(name[:-2]))
    try:
        return _TYPES[name]
    except KeyError:
        raise not_practised(f"the type {sql}") from None


def as_text(value: Any) -> str:
    """A JSON value as `->>` would give it to a column."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _integer(name: str, bits: int) -> PgType:
    def read(value: Any) -> int:
        text = as_text(value)
        if not re.fullmatch(r"\s*[+-]?[0-9]+\s*", text):
            raise bad_syntax(name, text)
        number = int(text)
        if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
            raise PgError(400, "22003", f'value "{text}" is out of range for type {name}')
        return number

    return PgType(name, read)


def _number(name: str) -> PgType:
    def read(value: Any) -> Decimal:
        try:
            return Decimal(as_text(value).strip())
        except InvalidOperation:
            raise bad_syntax(name, as_text(value)) from None

    def show(value: Decimal) -> int | float:
        return int(value) if value == value.to_integral_value() else float(value)

    return PgType(name, read, show)


def _read_boolean(value: Any) -> bool:
    text = as_text(value).strip().lower()
    if text in _TRUE | _FALSE:
        return text in _TRUE
    raise bad_syntax("boolean", as_text(value))


def _read_uuid(value: Any) -> str:
    try:
        return str(uuid.UUID(as_text(value)))
    except ValueError:
        raise bad_syntax("uuid", as_text(value)) from None


def _read_json(value: Any) -> Any:
    return value


def _moment(name: str, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        if re.match(r"\s*\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?\s*$", text):
            raise PgError(400, "22008", f'date/time field value out of range: "{text}"') from None
        raise bad_syntax(name, text) from None


def _read_timestamptz(value: Any) -> datetime:
    moment = _moment("timestamp with time zone", as_text(value))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _read_timestamp(value: Any) -> datetime:
    return _moment("timestamp without time zone", as_text(value)).replace(tzinfo=None)


def _read_date(value: Any) -> date:
    return _moment("date", as_text(value)).date()


def _array(item: PgType) -> PgType:
    def read(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise PgError(400, "22P02", f'malformed array literal: "{as_text(value)}"')
        return [None if one is None else item.read(one) for one in value]

    def show(value: list[Any]) -> list[Any]:
        return [None if one is None else item.show(one) for one in value]

    return PgType(f"{item.name}[]", read, show)


def _iso(value: date) -> str:
    return value.isoformat()


_TEXT = PgType("text", as_text)
_TIMESTAMPTZ = PgType("timestamp with time zone", _read_timestamptz, _iso)
_TIMESTAMP = PgType("timestamp without time zone", _read_timestamp, _iso)
_TYPES = {
    **dict.fromkeys(("text", "varchar", "character varying", "char", "character"), _TEXT),
    **dict.fromkeys(("bigint", "int8"), _integer("bigint", 64)),
    **dict.fromkeys(("integer", "int", "int4"), _integer("integer", 32)),
    **dict.fromkeys(("smallint", "int2"), _integer("smallint", 16)),
    **dict.fromkeys(("numeric", "decimal"), _number("numeric")),
    **dict.fromkeys(("double precision", "float8", "real", "float4"), _number("double precision")),
    **dict.fromkeys(("boolean", "bool"), PgType("boolean", _read_boolean)),
    **dict.fromkeys(("jsonb", "json"), PgType("jsonb", _read_json)),
    **dict.fromkeys(("timestamptz", "timestamp with time zone"), _TIMESTAMPTZ),
    **dict.fromkeys(("timestamp", "timestamp without time zone"), _TIMESTAMP),
    "date": PgType("date", _read_date, _iso),
    "uuid": PgType("uuid", _read_uuid),
}


def refuse_unstorable(payload: Any) -> None:
    """Raises PGRST102 for a lone surrogate and 22P05 for a NUL, wherever in the JSON they hide."""
    text = json.dumps(payload, ensure_ascii=False)
    if re.search(r"[\ud800-\udfff]", text):
        raise bad_json()
    if re.search(r"(?<!\\)(\\\\)*\\u0000", text):
        raise PgError(
            400, "22P05", "unsupported Unicode escape sequence", details="\\u0000 cannot be converted to text."
        )
