"""How Radist writes chats and messages as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from synkro.sandbox.world import Chat, Message

_FILES = {
    "image": ("jpg", "image/jpeg", 120_345),
    "voice": ("oga", "audio/ogg", 20_480),
    "audio": ("mp3", "audio/mpeg", 98_304),
    "video": ("mp4", "video/mp4", 2_345_678),
    "file": ("pdf", "application/pdf", 345_678),
}
_TYPE_KEYS = ("text", *_FILES, "radist_order", "waba_interactive", "waba_order", "waba_template")


def stamp(at: datetime, direction: str = "inbound", *, naive: bool = False) -> str:
    """UTC; inbound to the second, outbound to the microsecond, as observed. naive: without the zone."""
    utc = at.astimezone(UTC).replace(tzinfo=None)
    text = utc.isoformat(timespec="microseconds" if direction == "outbound" or utc.microsecond else "seconds")
    return text if naive else f"{text}Z"


def message_json(chat: Chat, message: Message, at: datetime, *, naive: bool = False) -> dict[str, Any]:
    """A message as `/messages/` gives it: of the type keys only its own. chat_id is the messenger's, not Radist's."""
    outbound = message.direction == "outbound"
    side = "true" if outbound else "false"
    return {
        "message_id": message.id,
        "source_message_id": f"{side}_{chat.source_chat_id}_{message.id.replace('-', '').upper()}",
        "chat_id": chat.source_chat_id,
        "created_at": stamp(at, message.direction, naive=naive),
        "direction": message.direction,
        "message_type": message.kind,
        "author": None,
        "reply_to": None,
        "delivered_at": stamp(_whole(at, 1)) if outbound and not message.failed else None,
        "read_at": stamp(_whole(at, 40)) if outbound and not message.failed else None,
        "error_at": stamp(_whole(at, 3)) if message.failed else None,
        "error_type": "GENERIC_ERROR" if message.failed else None,
        "error_text": None,
        message.kind: _content(message),
    }


def last_message_json(chat: Chat, message: Message, at: datetime, *, naive: bool = False) -> dict[str, Any]:
    """A message as the chat list gives it: every type key is there, null but for its own."""
    return dict.fromkeys(_TYPE_KEYS) | message_json(chat, message, at, naive=naive)


def chat_json(chat: Chat, unanswered: int, last_message: Mapping[str, Any] | None) -> dict[str, Any]:
    """A chat inside a contact of the chat list."""
    return {
        "chat_id": chat.id,
        "connection_id": chat.connection_id,
        "source_chat_id": chat.source_chat_id,
        "name": chat.name,
        "phone": chat.phone,
        "username": chat.username,
        "profile_link": None,
        "is_group": chat.is_group,
        "unanswered_count": unanswered,
        "blacklist_item_id": None,
        "last_message": last_message,
    }


def _content(message: Message) -> dict[str, Any]:
    if message.kind == "text":
        return {"text": message.text}
    if message.kind == "waba_interactive":
        return {"type": "button", "body": {"text": message.text}}
    if message.kind not in _FILES:
        return {"latitude": 43.2, "longitude": 76.9}
    suffix, mime_type, size = _FILES[message.kind]
    return {
        "url": f"https://cdn.example.test/radist/{message.id}.{suffix}?sign=practice",
        "name": f"{message.kind}.{suffix}",
        "mime_type": mime_type,
        "size": size,
        "caption": message.text,
    }


def _whole(at: datetime, seconds: int) -> datetime:
    return at.replace(microsecond=0) + timedelta(seconds=seconds)
