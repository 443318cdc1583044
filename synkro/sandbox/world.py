"""The practice world: one company as its vendors see it. Plain data; the emulators only read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from synkro.sandbox.keys import Keys

WON, LOST = 142, 143
"""Status ids which amoCRM gives to the last two stages of every pipeline."""


@dataclass(frozen=True, slots=True)
class User:
    """A user of the CRM."""

    id: int
    name: str
    email: str
    is_admin: bool = False
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Status:
    """A stage; kind 1 is the incoming ("unsorted") one."""

    id: int
    name: str
    sort: int
    kind: int = 0


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline with its stages, the won and lost ones included."""

    id: int
    name: str
    statuses: tuple[Status, ...]
    is_main: bool = False


@dataclass(frozen=True, slots=True)
class LossReason:
    """Why a deal was lost."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Lead:
    """A deal. Times are unix seconds. contact_ids: the main contact first; an id may point at no contact."""

    id: int
    name: str
    price: int | None
    pipeline_id: int
    status_id: int
    responsible_user_id: int
    created_at: int
    updated_at: int
    closed_at: int | None = None
    loss_reason_id: int | None = None
    is_deleted: bool = False
    contact_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Contact:
    """A person in the CRM. phones: as typed by people."""

    id: int
    name: str
    phones: tuple[str, ...]
    responsible_user_id: int
    updated_at: int
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One message. kind: text, image, voice, file, video, audio, waba_interactive or a name nobody knows yet."""

    id: str
    at: datetime
    direction: Literal["inbound", "outbound"]
    text: str
    kind: str = "text"
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Chat:
    """One thread in Radist. messages: oldest first; any sequence, so a big world may make them on demand."""

    id: int
    connection_id: int
    source_chat_id: str
    name: str
    phone: str | None
    messages: Sequence[Message] = field(repr=False)
    username: str | None = None
    is_group: bool = False


@dataclass(frozen=True, slots=True)
class RadistContact:
    """A person (or a group) in Radist, whose ids have nothing to do with the CRM's."""

    id: int
    name: str
    chats: tuple[Chat, ...]
    is_group: bool = False


@dataclass(frozen=True, slots=True)
class Connection:
    """A messenger account of the company."""

    id: int
    type: str
    name: str


@dataclass(frozen=True, slots=True)
class Integration:
    """The company's integration in amoCRM: the client pair and where its users are sent back to."""

    client_id: str = "00000000-0000-4000-8000-0000000000a1"
    client_secret: str = "practice-client-secret-opens-nothing"  # noqa: S105 -- a fake one by intent
    redirect_uri: str = "http://127.0.0.1:8000/integrations/amocrm/callback"


@dataclass(frozen=True, slots=True)
class World:
    """Everything the five vendors know about the company. now: the moment the world was made for, with a zone."""

    now: datetime
    account_id: int
    subdomain: str
    company: str
    radist_company_id: int
    users: tuple[User, ...]
    pipelines: tuple[Pipeline, ...]
    loss_reasons: tuple[LossReason, ...]
    leads: Sequence[Lead] = field(repr=False)
    contacts: Sequence[Contact] = field(repr=False)
    connections: tuple[Connection, ...]
    radist_contacts: Sequence[RadistContact] = field(repr=False)
    zone: str = "Asia/Almaty"
    integration: Integration = field(default_factory=Integration)
    radist_key: str = "practice-only-radist-key-opens-nothing"
    keys: Keys = field(default_factory=Keys)
