"""The plain records that travel between integrations, analysis and pipeline steps. No behaviour, no vendor's shape."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal, Self

Direction = Literal["in", "out"]
"""Who spoke, seen from the sales team: "in" is the client, "out" is the company."""


@dataclass(frozen=True, slots=True)
class Record:
    """Base: to and from the JSON that artifacts hold. Datetimes are ISO 8601 with offset."""

    def to_json(self) -> dict[str, Any]:
        # not asdict: it copies `raw`, and breaks at a vendor's JSON that is nested deeper than our stack
        values = ((f.name, getattr(self, f.name)) for f in fields(self))
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        values = {f.name: _read(str(f.type), data[f.name]) for f in fields(cls) if f.name in data}
        return cls(**values)


def _read(kind: str, value: Any) -> Any:
    if value is not None and kind.startswith("datetime"):
        return datetime.fromisoformat(value)
    if isinstance(value, list) and kind.startswith("tuple"):
        return tuple(value)
    return value


@dataclass(frozen=True, slots=True)
class Lead(Record):
    """A deal. Times are unix seconds, as the CRM gives them. contact_ids: the main contact first."""

    id: int
    name: str
    price: int | None
    pipeline_id: int
    status_id: int
    responsible_user_id: int | None
    created_at: int
    updated_at: int
    closed_at: int | None = None
    loss_reason_id: int | None = None
    is_deleted: bool = False
    contact_ids: tuple[int, ...] = ()
    raw: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contact(Record):
    """A person linked to deals. phones: the values as typed into the CRM, not yet normalised."""

    id: int
    name: str
    phones: tuple[str, ...] = ()
    updated_at: int = 0
    raw: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manager(Record):
    """A user of the CRM."""

    id: int
    name: str
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Stage(Record):
    """A stage of a pipeline. kind 1 is the incoming ("unsorted") stage; 142 is won and 143 lost in every pipeline."""

    pipeline_id: int
    status_id: int
    pipeline_name: str
    name: str
    kind: int = 0


@dataclass(frozen=True, slots=True)
class Chat(Record):
    """One messenger thread. phone: digits as received or None. last_*: what the chat list tells without reading it."""

    id: int
    connection_id: int
    contact_id: int
    source_chat_id: str
    name: str
    phone: str | None
    username: str | None = None
    is_group: bool = False
    last_at: datetime | None = None
    last_direction: Direction | None = None
    raw: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Message(Record):
    """One message. chat_id is the numeric id of the chat it was asked for. position breaks ties of equal times."""

    id: str
    chat_id: int
    connection_id: int
    position: int
    at: datetime
    direction: Direction
    kind: str
    text: str
    failed: bool = False
    raw: dict[str, Any] = field(default_factory=dict)
