"""The reading methods of Radist's API v2 over the practice world."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, Response, g, jsonify, request
from flask.typing import ResponseReturnValue

from synkro.sandbox.faults import Faults
from synkro.sandbox.radist.shapes import chat_json, last_message_json, message_json, stamp
from synkro.sandbox.world import Chat, Message, RadistContact, World

_MESSENGERS = ("whatsapp", "waba", "telegram", "max_personal")
_SILENT_FOR = timedelta(days=30)


class Invalid(Exception):
    """A parameter that the API refuses with 422."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A contact with what the order of the chat list depends on."""

    contact: RadistContact
    unanswered: tuple[int, ...]
    last_at: datetime


class Api:
    """The reading methods."""

    def __init__(self, app: Flask, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        people = list(world.radist_contacts)
        self._chats = {chat.id: chat for contact in people for chat in contact.chats}
        recent = sorted((self._entry(contact) for contact in people), key=lambda e: e.last_at, reverse=True)
        self._lists = {
            "recent": recent,
            "unanswered_first": sorted(recent, key=lambda entry: sum(entry.unanswered) == 0),
        }
        company = "/v2/companies/<int:company>"
        routes: dict[str, Callable[..., ResponseReturnValue]] = {
            "/v2/users/me": self._me,
            "/v2/companies/": self._companies,
            f"{company}/connections/": self._connections,
            f"{company}/messaging/chats/sources/": self._sources,
            f"{company}/messaging/chats/with_contacts/": self._with_contacts,
            f"{company}/messaging/messages/": self._messages,
            f"{company}/contacts/": self._contacts,
        }
        for path, view in routes.items():
            answer = self._of_company(view) if path.startswith(company) else view
            app.add_url_rule(path, view_func=answer, endpoint=path)

    def _of_company(self, view: Callable[[], ResponseReturnValue]) -> Callable[[int], ResponseReturnValue]:
        """The world's chats are those of its own company; the others that the key knows have none."""

        def answer(company: int) -> ResponseReturnValue:
            g.is_own_company = company == self._world.radist_company_id
            known = company - self._world.radist_company_id in range(self._faults["companies"])
            return view() if known else detail(404, "Not Found")

        return answer

    def _entry(self, contact: RadistContact) -> _Entry:
        ends = [chat.messages[-1].at for chat in contact.chats if chat.messages]
        return _Entry(
            contact,
            tuple(_unanswered(chat.messages) for chat in contact.chats),
            max(ends, default=self._world.now - _SILENT_FOR),
        )

    def _me(self) -> ResponseReturnValue:
        return jsonify(id=500_001, email="owner@example.com")

    def _companies(self) -> ResponseReturnValue:
        first, name = self._world.radist_company_id, self._world.company
        rows = [{"id": first + n, "name": f"{name} {n + 1}" if n else name} for n in range(self._faults["companies"])]
        return self._list(rows[_offset() :][: self._limit()], "companies")

    def _connections(self) -> ResponseReturnValue:
        return self._list(
            [{"id": c.id, "type": c.type, "name": c.name} for c in self._world.connections if g.is_own_company],
            "connections",
        )

    def _sources(self) -> ResponseReturnValue:
        sources = [c for c in self._world.connections if c.type in _MESSENGERS and g.is_own_company]
        rows = [{"connection_id": c.id, "type": c.type, "name": c.name} for c in sources]
        return self._list(rows if self._faults["sources"] is None else self._faults["sources"])

    def _contacts(self) -> ResponseReturnValue:
        entries = (self._lists["recent"] if g.is_own_company else [])[_offset() :][: self._limit()]
        return self._list([_contact_json(entry.contact) for entry in entries], "items")

    def _with_contacts(self) -> ResponseReturnValue:
        entries = self._lists[self._faults["chats_order"]] if g.is_own_company else []
        start, size = _cursor_start(), self._limit()
        page = [self._contact_chats(entry) for entry in entries[start : start + size]]
        following = start + size if start + size < len(entries) else None
        if self._faults["cursor_loop"]:
            following = start or size
        return self._list(page, "data", response_metadata={"next_cursor": following and _cursor(following)})

    def _contact_chats(self, entry: _Entry) -> dict[str, Any]:
        chats = zip(entry.contact.chats, entry.unanswered, strict=True)
        return {
            "contact_id": entry.contact.id,
            "contact_name": entry.contact.name,
            "avatar_url": None,
            "is_group": entry.contact.is_group,
            "unanswered_count": sum(entry.unanswered),
            "last_chat_updated_at": stamp(entry.last_at, naive=self._faults["naive_timestamps"]),
            "chats": [chat_json(chat, unanswered, self._last_message(chat)) for chat, unanswered in chats],
        }

    def _last_message(self, chat: Chat) -> dict[str, Any] | None:
        if not chat.messages:
            return None
        position = len(chat.messages) - 1
        naive = self._faults["naive_timestamps"]
        return last_message_json(chat, self._message(chat, position), self._at(chat, position), naive=naive)

    def _messages(self) -> ResponseReturnValue:
        chat = self._chats.get(_whole_number("chat_id")) if g.is_own_company else None
        size, end = self._limit(), self._end(chat) if chat else 0
        if chat is None or self._faults.take("gone"):
            return detail(404, "Not Found")
        positions = range(max(0, end - size), end)
        naive = self._faults["naive_timestamps"]
        page = [message_json(chat, self._message(chat, i), self._at(chat, i), naive=naive) for i in positions]
        return self._list(page if self._faults["order"] == "oldest" else page[::-1])

    def _end(self, chat: Chat) -> int:
        """How many of the chat's messages `until` leaves, counted from the oldest."""
        until = _moment("until")
        if until is None:
            return len(chat.messages)
        bisect = bisect_right if self._faults["until_inclusive"] else bisect_left
        return bisect(range(len(chat.messages)), until, key=lambda position: self._at(chat, position))

    def _at(self, chat: Chat, position: int) -> datetime:
        ties = self._faults["ties"]
        return chat.messages[position - position % ties if ties else position].at

    def _message(self, chat: Chat, position: int) -> Message:
        message = chat.messages[position]
        kind = self._faults["unknown_type"]
        return replace(message, kind=kind) if kind and position == len(chat.messages) - 1 else message

    def _limit(self) -> int:
        limit, most = request.args.get("limit", "100"), int(self._faults["max_limit"])
        if not limit.isdigit() or not 1 <= int(limit) <= most:
            raise Invalid("limit", f"ensure this value is between 1 and {most}")
        return min(int(limit), int(self._faults["page_cap"]) or most)

    def _list(self, items: list[dict[str, Any]], name: str = "", **more: Any) -> Response:
        wrap = self._faults["wrap"]
        key = {"as_seen": name, "bare": name if more else ""}.get(wrap, wrap)
        return jsonify({key: items, **more} if key else items)


def _unanswered(messages: Sequence[Message]) -> int:
    position = len(messages)
    while position and messages[position - 1].direction == "inbound":
        position -= 1
    return len(messages) - position


def _contact_json(contact: RadistContact) -> dict[str, Any]:
    phones = [{"type": "work", "value": f"+{chat.phone}"} for chat in contact.chats if chat.phone]
    return {"id": contact.id, "name": contact.name, "phones": phones}


def _offset() -> int:
    return max(0, request.args.get("offset", 0, type=int))


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(f"practice:{position}".encode()).decode()


def _cursor_start() -> int:
    cursor = request.args.get("cursor", "")
    if not cursor:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("practice:"))
    except (ValueError, binascii.Error):
        raise Invalid("cursor", "invalid cursor") from None


def _whole_number(name: str) -> int:
    value = request.args.get(name, "")
    if not value.isdigit():
        raise Invalid(name, "value is not a valid integer")
    return int(value)


def _moment(name: str) -> datetime | None:
    value = request.args.get(name)
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise Invalid(name, "invalid datetime format") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def detail(status: int, text: Any) -> ResponseReturnValue:
    """A refusal as this API words it."""
    return jsonify(detail=text), status
