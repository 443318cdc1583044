"""Radist's JSON as plain records. A row that cannot be one gives None; nothing here raises for a value's sake."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from synkro.infra.records import Chat, Direction, Message
from synkro.integrations.errors import Nonsense
from synkro.integrations.radist.phones import digits_of, phones
from synkro.integrations.reading import inner, number, objects, words

LONGEST_TEXT = 20_000
LONGEST_NAME = 300
LONGEST_ID = 300
LONGEST_KIND = 40
LONGEST_CURSOR = 2_000
LISTS = ("data", "items", "results", "messages", "chats", "contacts", "companies", "connections", "sources")
"""Names under which lists were seen in the field."""
TIMES = ("created_at", "createdAt", "date")
INBOUND = frozenset({"inbound", "in", "incoming"})
OUTBOUND = frozenset({"outbound", "out", "outgoing"})

Row = Mapping[str, Any]


def rows_of(payload: Any) -> list[dict[str, Any]]:
    """The list in an answer, bare or under a name. Raises Nonsense where there is none."""
    if isinstance(payload, Mapping):
        payload = next((payload[name] for name in LISTS if isinstance(payload.get(name), list)), None)
    if not isinstance(payload, list):
        raise Nonsense("unexpected_shape", service="Radist")
    return objects(payload)


def next_cursor(payload: Any) -> str | None:
    """Where the next page begins; None at the end. Raises Nonsense for one that could not be sent back or kept."""
    if not isinstance(payload, Mapping):
        return None
    paging = payload.get("response_metadata") or payload.get("paging") or payload
    found = (
        paging.get("next_cursor") or paging.get("cursor") or paging.get("next") if isinstance(paging, Mapping) else None
    )
    if not found:
        return None
    if len(str(found)) > LONGEST_CURSOR or not str(found).isprintable():
        raise Nonsense("unexpected_shape", service="Radist")
    return str(found)


def chats_of(item: Row) -> tuple[Chat, ...]:
    """The chats of one contact of the list."""
    rows = objects(item.get("chats"))
    # the contact's time is that of its latest chat: with a second chat there is no telling whose it is
    at = _time(item.get("last_chat_updated_at")) if len(rows) == 1 else None
    return tuple(chat for row in rows if (chat := _chat(row, item, at)))


def message_of(row: Row, chat: Chat, position: int) -> Message | None:
    """None without an id, a time or a side: these are not guessed."""
    at, direction = time_of(row), _direction(row)
    identity = words(row.get("message_id"), LONGEST_ID) or words(row.get("id"), LONGEST_ID)
    if at is None or not identity or direction is None:
        return None
    named = row.get("message_type") or row.get("type")
    kind = named if isinstance(named, str) else ""
    return Message(
        id=identity,
        chat_id=chat.id,
        connection_id=chat.connection_id,
        position=position,
        at=at,
        direction=direction,
        kind=words(kind, LONGEST_KIND) or "unknown",
        text=_text(row, kind)[:LONGEST_TEXT],
        failed=bool(row.get("error_at")),
        raw=dict(row),
    )


def time_of(row: Row) -> datetime | None:
    """When a message was said, under whichever of its names."""
    return next((at for name in TIMES if (at := _time(row.get(name)))), None)


def _chat(row: Row, item: Row, contact_at: datetime | None) -> Chat | None:
    identity = _number(row, "chat_id", "id")
    if identity is None:
        return None
    last = inner(row, "last_message")
    source = words(row.get("source_chat_id"), LONGEST_ID)
    names = (row.get("name"), item.get("contact_name"), item.get("name"))
    return Chat(
        id=identity,
        connection_id=_number(row, "connection_id") or 0,
        contact_id=_number(item, "contact_id", "id") or 0,
        source_chat_id=source,
        name=next((name for value in names if (name := words(value, LONGEST_NAME))), ""),
        phone=next((digits for value in phones(row, item, source) if (digits := digits_of(value))), None),
        username=words(row.get("username"), LONGEST_NAME) or None,
        is_group=bool(row.get("is_group") or item.get("is_group") or source.endswith("@g.us")),
        last_at=time_of(last) or contact_at,
        last_direction=_direction(last),
        raw=dict(row),
    )


def _number(row: Row, *names: str) -> int | None:
    return next((found for name in names if (found := number(row.get(name))) is not None), None)


def _direction(row: Row) -> Direction | None:
    word = str(row.get("direction") or "").lower()
    if word in OUTBOUND or row.get("from_me") is True:
        return "out"
    if word in INBOUND or row.get("from_me") is False:
        return "in"
    return None


def _text(row: Row, kind: str) -> str:
    """What was said. A file is named by its kind and caption; its address is secret-bearing and stays in raw."""
    text, body = inner(row, "text"), inner(row, "body")
    for said in (text.get("text"), text.get("body"), row.get("text"), body.get("text"), row.get("body")):
        if isinstance(said, str) and said:
            return said
    own = inner(row, kind)
    note = own.get("caption") or inner(own, "body").get("text") or own.get("name")
    shown = words(kind, LONGEST_KIND) or "unknown"
    return f"[{shown}] {note}" if isinstance(note, str) and note else f"[{shown}]"


def _time(value: Any) -> datetime | None:
    """ISO 8601 of any precision; without a zone it is UTC. None for anything else."""
    try:
        at = datetime.fromisoformat(value if isinstance(value, str) else "")
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if 1970 <= at.year < 9999 else None
