"""Radist.Online: WhatsApp and Telegram dialogs. Read only: this class can make no request but GET."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from synkro.i18n import _l
from synkro.integrations.base import Check, Field, Integration, Preview, retry_after
from synkro.integrations.errors import ApiError, Busy, Gone, Nonsense, Refused
from synkro.integrations.http import Answer, Door, Http, Pace, Params, common_failure, key_name
from synkro.records import Chat, Direction, Message

HOSTS = ("https://api.radist.online/v2", "https://api-ru.radist.online/v2")
"""Russian accounts live on the second one; which, only the client knows."""
PAGE = 100
MESSENGERS = frozenset({"whatsapp", "waba", "telegram", "telegram_bot", "telegram bot"})
ALL_PER_SECOND = 4.5
"""The vendor allows 5 requests a second for a key ..."""
CHATS_PER_SECOND = 0.9
"""... and 1 a second on chats and contacts. We stay a tenth below both."""
MOST_PAGES = 5_000
CONFIRMATIONS = 20
LONGEST_TEXT = 20_000
INBOUND = frozenset({"inbound", "in", "incoming"})
OUTBOUND = frozenset({"outbound", "out", "outgoing"})


@dataclass(frozen=True, slots=True)
class ChatPage:
    """A page of the chat list, one inner tuple a Radist contact. next_cursor None: the list has ended."""

    contacts: tuple[tuple[Chat, ...], ...]
    next_cursor: str | None


class Radist(Integration):
    kind = "radist"
    title = _l("Radist.Online")
    after = ("amocrm",)
    fields = (
        Field("api_key", _l("API key")),
        Field("company_id", _l("Company"), show=True, required=False),
        Field("base_url", _l("API address"), show=True, required=False, choices=HOSTS),
    )
    sentences: ClassVar = {
        "radist_ok": _l("Connected: chats and messages can be read."),
        "radist_no_chats": _l("The key works, but there are no chats yet."),
        "radist_no_messengers": _l("The key works, but no WhatsApp or Telegram is connected in Radist."),
        "radist_key_refused": _l("Radist does not accept the API key. Make a new one in the Radist cabinet."),
        "radist_no_rights": _l("The Radist key has no right to read messages of this company."),
        "radist_not_found": _l("Radist does not know this company or address. Check the company and the API address."),
        "radist_choose_company": _l("The key belongs to several companies. Choose one."),
        "radist_no_company": _l("The Radist key has no company."),
        "radist_rejected": _l("Radist did not accept our request."),
    }

    unreadable = 0
    """Rows that messages() had to leave out because they have no id, time or direction."""
    _largest, _confirmed = 0, 0
    """What pages have taught us about a limit of the server below the one we ask for; see _is_last."""

    def connect(self, door: Door) -> Http:
        name = key_name(self.settings["api_key"])
        return door.open(
            self.kind,
            "Radist",
            self.settings.get("base_url") or HOSTS[0],
            judge=_judge,
            headers={"X-Api-Key": self.settings["api_key"]},
            paces={
                "all": Pace(f"radist:{name}:all", ALL_PER_SECOND),
                "chats": Pace(f"radist:{name}:chats", CHATS_PER_SECOND),
            },
        )

    def check(self) -> Check:
        """Reads the sources, the first chat and its first messages: the three calls that a run makes."""
        kinds = {str(source.get("type", "")).lower() for source in self.sources()}
        if not kinds & MESSENGERS:
            return Check("yellow", "radist_no_messengers")
        page = self.chats(limit=1)
        if not page.contacts or not page.contacts[0]:
            return Check("yellow", "radist_no_chats")
        self._message_page(page.contacts[0][0].id, until=None, limit=3)
        return Check("green", "radist_ok")

    def sample(self, count: int = 3) -> list[Preview]:
        chats = [chat for contact in self.chats(limit=count).contacts for chat in contact if not chat.is_group]
        return [Preview(chat.name, (chat.last_at.isoformat() if chat.last_at else "",)) for chat in chats[:count]]

    def companies(self) -> list[tuple[int, str]]:
        """(id, name) of the companies that the key may see."""
        rows = _rows(self._get("/companies/", (("limit", PAGE), ("offset", 0)), "all").json())
        return [(int(row["id"]), str(row.get("name", ""))) for row in rows if "id" in row]

    def sources(self) -> list[dict[str, Any]]:
        """The connected messengers: connection_id, type, name."""
        return _rows(self._get(f"{self._company()}/messaging/chats/sources/", (), "chats").json())

    def chats(self, cursor: str | None = None, limit: int = PAGE) -> ChatPage:
        """One page of the chat list. It is not ordered by time (unanswered chats come first), so read to the end."""
        params: list[tuple[str, str | int]] = [("limit", limit), *([("cursor", cursor)] if cursor else [])]
        payload = self._get(f"{self._company()}/messaging/chats/with_contacts/", params, "chats").json()
        contacts = tuple(_chats_of(item) for item in _rows(payload))
        following = _next_cursor(payload)
        return ChatPage(contacts, following if following != cursor else None)

    def messages(self, chat: Chat, start: datetime, end: datetime) -> Iterator[Message]:
        """The messages of a chat with start <= time < end, newest page first, each once.

        Whether `until` includes its instant is not documented and times tie, so a page that brings nothing new is
        asked once more from a microsecond earlier, and pages are told apart by message id only.
        """
        seen: set[str] = set()
        until = end + timedelta(seconds=1)
        for turn in range(MOST_PAGES):
            rows = self._message_page(chat.id, until, PAGE)
            page = self._readable(rows, chat, turn)
            fresh = [message for message in page if message.id not in seen]
            seen.update(message.id for message in fresh)
            yield from (message for message in fresh if start <= message.at < end)
            if not page:
                return
            oldest = min(message.at for message in page)
            if oldest < start or (fresh and self._is_last(len(rows))):
                return
            if not fresh and until <= oldest:
                self._confirmed += 1
                return
            until = oldest if fresh else oldest - timedelta(microseconds=1)

    def _readable(self, rows: list[dict[str, Any]], chat: Chat, turn: int) -> list[Message]:
        """The rows that have an id, a time and a side; the others are counted in `unreadable`, not guessed.

        Positions grow with age reversed: a page lists the newest first unless its own times say otherwise.
        """
        times = [at for row in rows if (at := _time(row.get("created_at")))]
        step = 1 if times and times[0] < times[-1] else -1
        found = [_message(row, chat, -turn * 10 * PAGE + step * n) for n, row in enumerate(rows)]
        readable = [message for message in found if message]
        self.unreadable += len(rows) - len(readable)
        return readable

    def _is_last(self, size: int) -> bool:
        """Whether a page of this size ends the chat. A server may give less than asked for, silently.

        A page shorter than another one that we saw is the last. One as long as the longest is followed up, until
        enough of these follow-ups have brought nothing.
        """
        self._largest = max(self._largest, size)
        return size < self._largest or (size < PAGE and self._confirmed >= CONFIRMATIONS)

    def _message_page(self, chat_id: int, until: datetime | None, limit: int) -> list[dict[str, Any]]:
        params: list[tuple[str, str | int]] = [("chat_id", chat_id), ("limit", limit)]
        if until is not None:
            params.append(("until", until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")))
        return _rows(self._get(f"{self._company()}/messaging/messages/", params, "all").json())

    def _company(self) -> str:
        if not self.settings.get("company_id"):
            self.settings = {**self.settings, "company_id": self._only_company()}
        return f"/companies/{self.settings['company_id']}"

    def _only_company(self) -> str:
        companies = self.companies()
        if not companies:
            raise Refused("radist_no_company")
        if len(companies) > 1:
            raise Refused("radist_choose_company", companies=len(companies))
        return str(companies[0][0])

    def _get(self, path: str, params: Params, lane: str) -> Answer:
        return self.http.get(path, params, pace=("all",) if lane == "all" else (lane, "all"), tries=4)


def _judge(answer: Answer) -> ApiError | None:
    """Error bodies of this vendor are undocumented: only the status is trusted."""
    if answer.status == 401:
        return Refused("radist_key_refused")
    if answer.status == 403:
        return Refused("radist_no_rights")
    if answer.status == 404:
        return Gone("radist_not_found")
    if answer.status in (400, 405, 422):
        return Gone("radist_rejected")
    if answer.status == 429:
        return Busy("busy", service=answer.service, retry_after=retry_after(answer))
    return common_failure(answer)


def _rows(payload: Any) -> list[dict[str, Any]]:
    """The list in an answer: bare, or under one of the names that were seen in the field."""
    if isinstance(payload, Mapping):
        names = ("data", "items", "results", "messages", "chats", "contacts", "companies", "connections", "sources")
        payload = next((payload[name] for name in names if isinstance(payload.get(name), list)), None)
    if not isinstance(payload, list):
        raise Nonsense("unexpected_shape", service="Radist")
    return [row for row in payload if isinstance(row, dict)]


def _next_cursor(payload: Any) -> str | None:
    if not isinstance(payload, Mapping):
        return None
    inner = payload.get("response_metadata") or payload.get("paging") or payload
    found = inner.get("next_cursor") or inner.get("cursor") or inner.get("next") if isinstance(inner, Mapping) else None
    return str(found) if found else None


def _chats_of(item: Mapping[str, Any]) -> tuple[Chat, ...]:
    contact = int(item.get("contact_id") or item.get("id") or 0)
    chats = [
        chat for chat in item.get("chats") or () if isinstance(chat, dict) and (chat.get("chat_id") or chat.get("id"))
    ]
    return tuple(_chat(chat, contact, item) for chat in chats)


def _chat(row: Mapping[str, Any], contact_id: int, item: Mapping[str, Any]) -> Chat:
    last = row.get("last_message") or {}
    at = _time(last.get("created_at") or item.get("last_chat_updated_at"))
    source = str(row.get("source_chat_id") or "")
    return Chat(
        id=int(row.get("chat_id") or row["id"]),
        connection_id=int(row.get("connection_id") or 0),
        contact_id=contact_id,
        source_chat_id=source,
        name=str(row.get("name") or item.get("contact_name") or ""),
        phone=_phone(row, source),
        username=row.get("username"),
        is_group=bool(row.get("is_group") or item.get("is_group")),
        last_at=at,
        last_direction=_direction(last) if last else None,
        raw=dict(row),
    )


def _phone(row: Mapping[str, Any], source: str) -> str | None:
    """The chat's number. A WhatsApp source id is `<digits>@c.us` and tells the number where the field is empty."""
    given = str(row.get("phone") or (source.partition("@")[0] if source.endswith("@c.us") else ""))
    return "".join(ch for ch in given if ch.isdecimal()) or None


def _message(row: Mapping[str, Any], chat: Chat, position: int) -> Message | None:
    kind = str(row.get("message_type") or row.get("type") or "unknown")
    at = _time(row.get("created_at") or row.get("createdAt") or row.get("date"))
    identity = row.get("message_id") or row.get("id")
    direction = _direction(row)
    if at is None or not identity or direction is None:
        return None
    return Message(
        id=str(identity),
        chat_id=chat.id,
        connection_id=chat.connection_id,
        position=position,
        at=at,
        direction=direction,
        kind=kind,
        text=_text(row, kind)[:LONGEST_TEXT],
        failed=bool(row.get("error_at")),
        raw=dict(row),
    )


def _direction(row: Mapping[str, Any]) -> Direction | None:
    word = str(row.get("direction") or "").lower()
    if word in OUTBOUND or row.get("from_me") is True:
        return "out"
    if word in INBOUND or row.get("from_me") is False:
        return "in"
    return None


def _text(row: Mapping[str, Any], kind: str) -> str:
    """What was said. A file is named by its kind and caption; its address is secret-bearing and stays in raw."""
    body = row.get("text") or row.get("body")
    if isinstance(body, Mapping):
        body = body.get("text") or body.get("body")
    if isinstance(body, str) and body:
        return body
    inner = row.get(kind)
    if not isinstance(inner, Mapping):
        return f"[{kind}]"
    said = inner.get("caption") or (inner.get("body") or {}).get("text") or inner.get("name")
    return f"[{kind}] {said}" if said else f"[{kind}]"


def _time(value: Any) -> datetime | None:
    """ISO 8601 of any precision; without a zone it is UTC. None for anything else."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
