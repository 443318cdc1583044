"""Radist.Online: WhatsApp and Telegram dialogs. Read only: this class can make no request but GET."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from synkro.i18n import _l
from synkro.infra.records import Chat, Message
from synkro.integrations.base import SAMPLE, Act, Check, Field, Integration, Offer, Preview, Proof, retry_after
from synkro.integrations.errors import ApiError, Busy, ChoiceDue, Gone, Refused
from synkro.integrations.http.calls import HttpAnswer, Pace, Params, common_failure, key_name
from synkro.integrations.http.client import HttpClient, HttpConnection
from synkro.integrations.masks import without_numbers
from synkro.integrations.radist.messengers import Choice, Messenger, messenger_of, split_ids
from synkro.integrations.radist.shapes import LONGEST_NAME, chats_of, message_of, next_cursor, rows_of, time_of
from synkro.integrations.radist.words import SENTENCES
from synkro.integrations.reading import number, words

HOSTS = ("https://api.radist.online/v2", "https://api-ru.radist.online/v2")
"""Russian accounts live on the second one; which, only the client knows."""
PAGE = 100
SMALL_PAGE = 50
ALL_PER_SECOND = 4.5
"""The vendor allows 5 requests a second for a key ..."""
CHATS_PER_SECOND = 0.9
"""... and 1 a second on chats and contacts. We stay a tenth below both."""
MOST_PAGES = 5_000
MOST_COMPANIES = 1_000
CONFIRMATIONS = 20
_COMPANY_PAGE = re.compile(r"/companies/(\d+)", re.ASCII)
FIRST_CONTACTS = 10
"""Of these a check or a sample takes what it shows: a contact may have no chat."""


@dataclass(frozen=True, slots=True)
class ChatPage:
    """A page of the chat list, one inner tuple a Radist contact. next_cursor None: the list has ended."""

    contacts: tuple[tuple[Chat, ...], ...]
    next_cursor: str | None


class Radist(Integration):
    kind = "radist"
    title = _l("Radist.Online")
    after = ("amocrm",)
    is_needed = True
    acts = (Act(SAMPLE, 150), Act("write", 60))
    proof = Proof(act="write", step="write_dialogs")
    sources = ("amocrm",)
    fields = (
        Field("api_key", _l("API key")),
        Field(
            "base_url",
            _l("API address"),
            show=True,
            required=False,
            choices=HOSTS,
            hint=_l("The first one fits most accounts. Accounts of Russian companies need the second one, api-ru."),
        ),
        Field(
            "company_id",
            _l("Company"),
            show=True,
            required=False,
            hint=_l(
                "Where the key knows several companies, you choose one here after the check. Until then leave it empty."
            ),
        ),
        Field(
            "connections",
            _l("Messengers (nothing chosen: all of them)"),
            show=True,
            required=False,
            several=True,
            hint=_l("Leave it empty: after the check you can choose some by name. Synkro reads WhatsApp and Telegram."),
        ),
    )
    sentences: ClassVar = SENTENCES

    unreadable = 0
    """Rows that messages() had to leave out because they have no id, time or direction."""
    _step = -1
    """1 where pages list the oldest message first. A page of one moment only does not tell, so it is remembered."""
    _page = PAGE
    _choice: Choice | None = None
    _largest, _confirmed = 0, 0
    """What pages have taught us about a limit of the server below the one we ask for; see _is_last."""

    @classmethod
    def tidied(cls, values: Mapping[str, str]) -> dict[str, str]:
        """The company may be typed as the address of a page of Radist's cabinet."""
        tidy = dict(values)
        if company := _COMPANY_PAGE.search(tidy.get("company_id", "")):
            tidy["company_id"] = company[1]
        if "connections" in tidy:
            tidy["connections"] = ",".join(split_ids(tidy["connections"]))
        return tidy

    def connect(self, http_client: HttpClient) -> HttpConnection:
        name = key_name(self.settings["api_key"])
        return http_client.open(
            self.kind,
            "Radist",
            self.settings.get("base_url") or HOSTS[0],
            check_answer=_check_answer,
            headers={"X-Api-Key": self.settings["api_key"]},
            paces={
                "all": Pace(f"radist:{name}:all", ALL_PER_SECOND),
                "chats": Pace(f"radist:{name}:chats", CHATS_PER_SECOND),
            },
            methods=("GET",),
        )

    def check(self) -> Check:
        """Reads the sources, the chats and one message of the first: the calls that a run makes. Keeps nothing."""
        choice = self.choice()
        if not any(messenger.is_read for messenger in choice.connected):
            return Check("yellow", "radist_no_messengers", stands="idle")
        chat = next((chat for contact in self.chats(limit=FIRST_CONTACTS).contacts for chat in contact), None)
        if chat is None:
            return Check("yellow", "radist_no_chats")
        self._message_page(chat.id, until=None, limit=1)
        return choice.remark() or Check("green", "radist_ok")

    def offers(self) -> dict[str, list[Offer]]:
        """The companies where there is a choice, and the messengers of the one that is chosen or the only one."""
        companies = self.companies()
        titles = [Offer(str(identity), name or f"#{identity}") for identity, name in companies]
        chosen = self.settings.get("company_id", "")
        is_known = self._choice is not None or chosen in {title.value for title in titles}
        found = {"company_id": titles} if len(companies) > 1 or (chosen and not is_known) else {}
        if is_known or (len(companies) == 1 and not chosen):
            found["connections"] = [messenger.offer for messenger in self.choice().connected]
        return {field: offered for field, offered in found.items() if offered}

    def sample(self, count: int = 3) -> list[Preview]:
        contacts = self.chats(limit=FIRST_CONTACTS).contacts
        chats = [chat for contact in contacts for chat in contact if not chat.is_group]
        return [
            Preview(without_numbers(chat.name), (chat.last_at.isoformat() if chat.last_at else "",))
            for chat in chats[:count]
        ]

    def companies(self) -> list[tuple[int, str]]:
        """(id, name) of the companies that the key may see."""
        found: dict[int, str] = {}
        offset, size = 0, self._page
        while size == self._page and offset < MOST_COMPANIES:
            rows = rows_of(self._list("/companies/", PAGE, [("offset", offset)], "all").json())
            size, offset = len(rows), offset + len(rows)
            found |= {key: words(row.get("name"), LONGEST_NAME) for row in rows if (key := number(row.get("id")))}
        return list(found.items())

    def choice(self) -> Choice:
        """What is connected, asked for once, and which of it the tenant has chosen.

        Raises ChoiceDue where a company was chosen that the key knows nothing of: it is another account's.
        """
        if self._choice is None:
            connected: list[Messenger] = [one for row in self._sources() if (one := messenger_of(row))]
            self._choice = Choice.of(connected, self.settings.get("connections", ""))
        return self._choice

    def _sources(self) -> list[dict[str, Any]]:
        chosen = self.settings.get("company_id", "")
        try:
            return rows_of(self._get(f"{self._company()}/messaging/chats/sources/", (), "chats").json())
        except (Refused, Gone) as error:
            if not chosen or error.code not in ("radist_not_found", "radist_no_rights"):
                raise
            known = {str(identity) for identity, _ in self.companies()}
            if not known or chosen in known:
                raise
            raise ChoiceDue("radist_company_elsewhere") from None

    def chats(self, cursor: str | None = None, limit: int = PAGE) -> ChatPage:
        """One page of the chat list. It is not ordered by time (unanswered chats come first), so read to the end."""
        params = [("cursor", cursor)] if cursor else []
        payload = self._list(f"{self._company()}/messaging/chats/with_contacts/", limit, params, "chats").json()
        contacts = tuple(chats_of(item) for item in rows_of(payload))
        following = next_cursor(payload)
        return ChatPage(contacts, following if following != cursor else None)

    def messages(self, chat: Chat, start: datetime, end: datetime) -> Iterator[Message]:
        """The messages of a chat with start <= time < end, newest page first, each once.

        Whether `until` includes its instant is not documented and times tie, so the next page begins a microsecond
        above the oldest time, goes to it and then below it as long as nothing new comes. Messages are told apart by id.
        """
        seen: set[str] = set()
        until = end + timedelta(seconds=1)
        for turn in range(MOST_PAGES):
            rows = self._message_page(chat.id, until, PAGE)
            page = self._readable(rows, chat, turn, seen)
            fresh = [message for message in page if message.id not in seen]
            seen.update(message.id for message in fresh)
            yield from (message for message in fresh if start <= message.at < end)
            if not page:
                self._confirmed += min(turn, 1)
                return
            oldest = min(message.at for message in page)
            if oldest < start:
                return
            if self._is_last(len(rows)) or (not fresh and until < oldest):
                self._confirmed += 0 if fresh else 1
                return
            until = _earlier(until, oldest, came_new=bool(fresh))

    def _readable(self, rows: list[dict[str, Any]], chat: Chat, turn: int, seen: set[str]) -> list[Message]:
        """The rows that have an id, a time and a side; the others are counted in `unreadable`, not guessed.

        Positions grow with age reversed: a page lists the newest first unless times have said otherwise.
        """
        times = [at for row in rows if (at := time_of(row))]
        if times and times[0] != times[-1]:
            self._step = 1 if times[0] < times[-1] else -1
        found = [message_of(row, chat, -turn * 10 * PAGE + self._step * n) for n, row in enumerate(rows)]
        left_out = {repr(row) for row, message in zip(rows, found, strict=True) if message is None} - seen
        seen.update(left_out)
        self.unreadable += len(left_out)
        return [message for message in found if message]

    def _is_last(self, size: int) -> bool:
        """Whether a page of this size ends the chat. A server may give less than asked for, silently.

        A page shorter than another one that we saw is the last. One as long as the longest is followed up, until
        enough of these follow-ups have brought nothing.
        """
        self._largest = max(self._largest, size)
        return size < self._largest or (size < self._page and self._confirmed >= CONFIRMATIONS)

    def _message_page(self, chat_id: int, until: datetime | None, limit: int) -> list[dict[str, Any]]:
        params: list[tuple[str, str | int]] = [("chat_id", chat_id)]
        if until is not None:
            params.append(("until", until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")))
        return rows_of(self._list(f"{self._company()}/messaging/messages/", limit, params, "all").json())

    def _company(self) -> str:
        if not self.settings.get("company_id"):
            self.settings = {**self.settings, "company_id": self._only_company()}
        company = self.settings["company_id"]
        if number(company) is None:  # anything but digits would lead to another path of the vendor
            raise Refused("radist_not_found")
        return f"/companies/{company}"

    def _only_company(self) -> str:
        companies = self.companies()
        if not companies:
            raise Refused("radist_no_company")
        if len(companies) > 1:
            raise ChoiceDue("radist_choose_company", companies=len(companies))
        return str(companies[0][0])

    def _list(self, path: str, limit: int, params: Sequence[tuple[str, str | int]], lane: str) -> HttpAnswer:
        """The largest page is not documented: a server that refuses ours is asked for the smaller one from then on."""
        try:
            return self._get(path, (("limit", min(limit, self._page)), *params), lane)
        except Gone as error:
            if error.code != "radist_rejected" or min(limit, self._page) <= SMALL_PAGE:
                raise
        self._page = SMALL_PAGE
        return self._get(path, (("limit", SMALL_PAGE), *params), lane)

    def _get(self, path: str, params: Params, lane: str) -> HttpAnswer:
        return self.http.get(path, params, pace=("all",) if lane == "all" else (lane, "all"), tries=4)


def _check_answer(answer: HttpAnswer) -> ApiError | None:
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


def _earlier(until: datetime, oldest: datetime, *, came_new: bool) -> datetime:
    """Where the page after one that reached down to `oldest` begins."""
    if came_new:
        return oldest + timedelta(microseconds=1)
    return oldest if until > oldest else oldest - timedelta(microseconds=1)
