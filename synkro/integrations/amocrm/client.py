"""amoCRM (Kommo), REST API v4: deals, contacts, managers, stages. Read only: this class can make no request but GET."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar
from urllib.parse import urlsplit

from synkro.i18n import _l
from synkro.infra.records import Contact, Lead, Manager, Stage
from synkro.integrations.amocrm.rules import PACES, ZONES, TooMuch, account_address, check_answer, is_vendor, paces_of
from synkro.integrations.amocrm.shapes import (
    contact_of,
    lead_of,
    linked_contacts,
    managers_of,
    name_of,
    names_of,
    preview,
    rows_of,
    stages_of,
)
from synkro.integrations.amocrm.token_life import life
from synkro.integrations.amocrm.words import SENTENCES
from synkro.integrations.base import Act, Check, Field, Integration, Preview, Proof
from synkro.integrations.errors import Gone, Nonsense, Refused
from synkro.integrations.http.calls import HttpAnswer, Params
from synkro.integrations.http.client import HttpClient, HttpConnection
from synkro.integrations.reading import inner, number, words

PAGE = 250
SMALLER_PAGE = {250: 125, 125: 50}
"""On 504 the vendor asks to take less at once."""
BATCH = 50
"""Ids in one request: more could make the address too long."""
OVERLAP_SECONDS = 600
"""Whether the bound of the filter includes its instant is not documented; what is too old is dropped again here."""
MOST_LEADS = 250_000
MOST_PAGES = 1_000
LONGEST_ZONE = 64

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_WITH = (("with", "contacts,loss_reason"),)

Renew = Callable[[str], Mapping[str, str]]
"""From the access token that was refused to the settings with one that lives. Raises ApiError."""


@dataclass(frozen=True, slots=True)
class AccountInfo:
    """zone: the account's time zone (`Asia/Almaty`) or "". filter_enabled: the paid filter add-on is connected."""

    id: int
    name: str
    zone: str
    filter_enabled: bool


@dataclass(frozen=True, slots=True)
class LeadPage:
    """Deals of one page that lie in the window. next_page None: the list has ended.

    The next call takes next_page, filtered and limit from here; they may differ from what was asked: a page of
    another size has another number. unreadable: rows without an id or a time, left out. A deal may come twice.
    """

    leads: tuple[Lead, ...]
    next_page: int | None
    filtered: bool
    limit: int = PAGE
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class Latest:
    """A few deals, their contacts, and the people of the account."""

    leads: tuple[Lead, ...]
    contacts: tuple[Contact, ...]
    managers: tuple[Manager, ...]

    def previews(self) -> list[Preview]:
        people = {contact.id: contact for contact in self.contacts}
        names = {manager.id: manager.name for manager in self.managers}
        return [
            preview(lead, names.get(lead.responsible_user_id or 0, ""), people.get(next(iter(lead.contact_ids), 0)))
            for lead in self.leads
        ]


class Amocrm(Integration):
    kind = "amocrm"
    title = _l("amoCRM")
    after = ("supabase",)
    is_needed = True
    acts = (Act("write", 60), Act("names"))
    proof = Proof(act="write", step="write_leads")
    ways: ClassVar = {"token": _l("Long-lived token"), "oauth": _l("Integration with keys (OAuth)")}
    fields = (
        Field("subdomain", _l("Account address"), show=True, hint=_l("For example company.amocrm.ru")),
        Field("zone", _l("Where the account is"), show=True, required=False, choices=ZONES),
        Field("token", _l("Long-lived token"), required=False, way="token"),
        Field("client_id", _l("Integration ID"), show=True, required=False, way="oauth"),
        Field("client_secret", _l("Secret key"), required=False, way="oauth"),
        Field("access_token", _l("Access token"), required=False, by_hand=False),
        Field("refresh_token", _l("Refresh token"), required=False, by_hand=False),
        Field("expires_at", _l("Access token expires at"), show=True, required=False, by_hand=False),
        Field("redirect_uri", _l("Redirect address"), show=True, required=False, by_hand=False),
        Field("code", _l("Authorization code"), required=False, by_hand=False),
    )
    sentences: ClassVar = SENTENCES

    def __init__(self, settings: Mapping[str, str], http_client: HttpClient, renew: Renew | None = None) -> None:
        """Raises Refused for an address that is none of the vendor's, and where there is no token at all."""
        self.notices: set[str] = set()
        """Codes of what people should know although nothing failed. A notice never changes a colour."""
        self._renew = renew
        self._door = http_client
        self._batch = BATCH
        super().__init__(settings, http_client)

    def connect(self, http_client: HttpClient) -> HttpConnection:
        self.address = account_address(self.settings.get("subdomain", ""), self.settings.get("zone", ""))
        token = self.settings.get("token") or self.settings.get("access_token")
        if not token:
            raise Refused("amocrm_reconnect")
        return http_client.open(
            self.kind,
            "amoCRM",
            f"https://{self.address.host}/api/v4",
            check_answer=check_answer,
            headers={"Authorization": f"Bearer {token.strip()}"},
            paces=paces_of(self.address),
            methods=("GET",),
        )

    @classmethod
    def missing(cls, settings: Mapping[str, str]) -> list[str]:
        """One of: a token; an access token; an integration's keys with what can be made into a pair.

        Keys that had a pair once, or were refused one, are broken and not missing: expires_at stays behind.
        """
        lacking = super().missing(settings)
        keys = settings.get("client_id") and settings.get("client_secret")
        seed = keys and any(settings.get(name) for name in ("refresh_token", "code", "expires_at"))
        return lacking if settings.get("token") or settings.get("access_token") or seed else [*lacking, "token"]

    def check(self) -> Check:
        """Reads the account, the latest deals, their contacts and the managers: what a run reads first.

        params: account (name), zone (time zone or ""), filter (the add-on is on), managers (their names can be read),
        and what amocrm_life.life tells of a long-lived token.
        """
        account = self.account()
        if not account.filter_enabled:
            self.notices.add("amocrm_filter_off")
        leads = self._latest(3)
        self.contacts([contact for lead in leads for contact in lead.contact_ids], filtered=account.filter_enabled)
        facts = {
            "account": account.name,
            "zone": account.zone,
            "filter": account.filter_enabled,
            "managers": bool(self.managers()),
            **life(self.settings.get("token", "")),
        }
        facts["notices"] = sorted(self.notices)
        if facts.get("ends_soon"):
            return Check("yellow", "amocrm_token_ends", facts)
        return Check("green", "amocrm_ok" if leads else "amocrm_no_leads", facts)

    def sample(self, count: int = 3) -> list[Preview]:
        """The latest deals: time, manager, main contact and its phone. What may be empty is an empty line."""
        return self.latest(count).previews()

    def latest(self, count: int = 3) -> Latest:
        """The deals that were changed last, with their contacts."""
        leads = self._latest(count)
        people = self.contacts([contact for lead in leads for contact in lead.contact_ids])
        return Latest(tuple(leads), tuple(people), tuple(self.managers()) if leads else ())

    def account(self) -> AccountInfo:
        payload = self._object("/account", (("with", "is_api_filter_enabled,datetime_settings"),))
        if (identity := number(payload.get("id"))) is None:
            raise Nonsense("unexpected_shape", service="amoCRM")
        clock = inner(payload, "_embedded", "datetime_settings")
        return AccountInfo(
            id=identity,
            name=name_of(payload),
            zone=words(clock.get("timezone"), LONGEST_ZONE),
            # Kommo does not sell the filter apart and may not report it
            filter_enabled=bool(payload.get("is_api_filter_enabled", self.address.zone != "amocrm.ru")),
        )

    def leads(
        self, start: datetime, end: datetime, page: int = 1, *, filtered: bool | None = None, limit: int = PAGE
    ) -> LeadPage:
        """One page of the deals changed in start <= time < end; end is past. filtered None: as the account has it.

        With the filter there is no upper bound and the order is by id; without it the newest changes come first, down
        to the start. Either way a deal that changes while we page gives a repeat and no gap. One that leaves the list
        meanwhile (binned, merged, hidden from the token) moves the rest up: the first deal of the next page may then
        be missed until it changes again. The vendor pages by number only, so this cannot be seen.
        A filter that was switched off is ignored in silence: then the page is empty and its `filtered` is False, which
        sends the caller to the first page of the other way.
        """
        filtered = self.filter_enabled if filtered is None else filtered
        since = int(start.timestamp()) - OVERLAP_SECONDS
        payload, page, limit = self._page("/leads", _window(since) if filtered else _newest(), page, limit)
        rows = rows_of(payload, "leads")
        found = [lead for row in rows if (lead := lead_of(row))]
        too_old = bool(found) and found[-1].updated_at < since
        if filtered and any(lead.updated_at < since for lead in found):
            self.notices.add("amocrm_filter_off")
            return LeadPage((), 1, filtered=False, limit=limit)
        inside = [lead for lead in found if start.timestamp() <= lead.updated_at < end.timestamp()]
        more = not too_old and self._goes_on(payload, len(rows) >= limit)
        if more and page * limit >= MOST_LEADS:
            raise Gone("amocrm_too_many", most=MOST_LEADS)
        leads = tuple(self._with_contacts(lead) for lead in inside)
        return LeadPage(leads, page + 1 if more else None, filtered, limit, len(rows) - len(found))

    @cached_property
    def filter_enabled(self) -> bool:
        return self.account().filter_enabled

    def contacts(self, ids: Sequence[int], *, filtered: bool | None = None) -> list[Contact]:
        """The contacts with these ids. One that is deleted or hidden from the token is simply absent."""
        wanted = list(dict.fromkeys(ids))
        if not wanted:
            return []
        filtered = self.filter_enabled if filtered is None else filtered
        rows: list[dict[str, Any]] = []
        while wanted:
            batch = wanted[: self._batch]
            try:
                found = self._contacts_at_once(batch) if filtered else None
            except TooMuch:
                if len(batch) == 1:
                    raise
                self._batch = len(batch) // 2
                continue
            filtered = found is not None
            rows += self._contacts_singly(batch) if found is None else found
            wanted = wanted[len(batch) :]
        return [contact for row in rows if (contact := contact_of(row))]

    def managers(self) -> list[Manager]:
        """The users of the account. Empty, with a notice, where amoCRM does not show them to this token.

        That is the token of nobody who is an administrator, or of an integration without access to users.
        """
        try:
            rows = list(self._all("/users", "users"))
        except Refused as error:
            if error.code != "amocrm_no_rights":
                raise
            self.notices.add("amocrm_managers_hidden")
            return []
        return managers_of(rows)

    def stages(self) -> list[Stage]:
        """The stages of all pipelines, in the vendor's order."""
        pipelines = rows_of(self._object("/leads/pipelines"), "pipelines")
        return [stage for pipeline in pipelines for stage in stages_of(pipeline)]

    def loss_reasons(self) -> dict[int, str]:
        """id -> name. Empty where the account does not keep reasons, and, with a notice, where they are not ours."""
        try:
            rows = list(self._all("/leads/loss_reasons", "loss_reasons"))
        except Gone:
            return {}
        except Refused as error:
            if error.code != "amocrm_no_rights":
                raise
            self.notices.add("amocrm_reasons_hidden")
            return {}
        return names_of(rows)

    def _latest(self, count: int) -> list[Lead]:
        rows = rows_of(self._object("/leads", (*_newest(), ("limit", count), ("page", 1))), "leads")
        return [self._with_contacts(lead) for row in rows[:count] if (lead := lead_of(row))]

    def _page(self, path: str, params: Params, page: int, limit: int) -> tuple[dict[str, Any], int, int]:
        """The page, or the smaller one that starts at the same place or just before it, with its number and limit."""
        while True:
            smaller = SMALLER_PAGE.get(limit)
            try:
                asked = (*params, ("limit", limit), ("page", page))
                return self._object(path, asked, halved=smaller is not None), page, limit
            except TooMuch:
                if not smaller:
                    raise
                page, limit = (page - 1) * limit // smaller + 1, smaller

    def _with_contacts(self, lead: Lead) -> Lead:
        """A deal whose contacts did not come with it is asked for its links. An empty list is an answer."""
        if "contacts" in inner(lead.raw, "_embedded"):
            return lead
        links = rows_of(self._object(f"/leads/{lead.id}/links"), "links")
        return replace(lead, contact_ids=linked_contacts(links))

    def _contacts_at_once(self, ids: Sequence[int]) -> list[dict[str, Any]] | None:
        """None where the filter is ignored: then strangers come instead of those that were asked for."""
        params = [("filter[id][]", identity) for identity in ids]
        asked = (*params, ("limit", len(ids)), ("page", 1))
        rows = rows_of(self._object("/contacts", asked, halved=len(ids) > 1), "contacts")
        if all(row.get("id") in ids for row in rows):
            return rows
        self.notices.add("amocrm_filter_off")
        return None

    def _contacts_singly(self, ids: Sequence[int]) -> list[dict[str, Any]]:
        return [row for identity in ids if (row := self._contact_row(identity))]

    def _contact_row(self, identity: int) -> dict[str, Any]:
        try:
            return self._object(f"/contacts/{identity}")
        except Gone as error:
            if error.code != "amocrm_not_found":
                raise
            return {}

    def _all(self, path: str, name: str) -> Iterator[dict[str, Any]]:
        page, limit = 1, PAGE
        for _ in range(MOST_PAGES):
            payload, page, limit = self._page(path, (), page, limit)
            rows = rows_of(payload, name)
            yield from rows
            if not self._goes_on(payload, len(rows) >= limit):
                return
            page += 1

    def _goes_on(self, payload: Mapping[str, Any], full: bool) -> bool:
        """Pages are asked for by number; `next` only tells that there is one, and a full page without it is tried too.

        The link is never followed. One that points away from the vendor means that this answer is not the vendor's.
        """
        following = inner(payload, "_links", "next").get("href")
        if following is None:
            return full
        host = _host(str(following))
        stand_in = _host(self._door.replace.get(self.kind, ""))
        if host and not is_vendor(host) and not (stand_in and host in {stand_in, *_LOOPBACK}):
            raise Nonsense("amocrm_foreign_link")
        return True

    def _object(self, path: str, params: Params = (), *, halved: bool = False) -> dict[str, Any]:
        """The JSON object of an answer; empty where the vendor answers 204, its word for "nothing here".

        halved: the caller takes less at once after TooMuch, so the same is not asked for again.
        """
        answer = self._answer(path, params, (TooMuch,) if halved else ())
        if answer.status == 204:
            return {}
        payload = answer.json()
        if not isinstance(payload, dict) or not payload:
            raise Nonsense("unexpected_shape", service="amoCRM")
        return payload

    def _answer(self, path: str, params: Params, final: tuple[type[TooMuch], ...]) -> HttpAnswer:
        """Whatever our clock says, the vendor may end an access token: then one renewal and one more try."""
        try:
            return self.http.get(path, params, pace=PACES, final=final)
        except Refused as error:
            if error.code != "amocrm_reconnect" or self._renew is None or self.settings.get("token"):
                raise
        self.settings = self._renew(self.settings["access_token"])
        self.http.close()
        self.http = self.connect(self._door)
        return self.http.get(path, params, pace=PACES, final=final)


def _host(url: str) -> str:
    """The host of a URL; "" where it has none, and a word that is nobody's where it is no URL at all."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return "?"


def _window(since: int) -> Params:
    return (("filter[updated_at][from]", since), ("order[id]", "asc"), *_WITH)


def _newest() -> Params:
    return (("order[updated_at]", "desc"), *_WITH)
