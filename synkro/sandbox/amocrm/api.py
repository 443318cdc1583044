"""The reading methods of amoCRM's API v4 over the practice world."""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue

from synkro.sandbox.amocrm.gate import answer_json, html_page, problem
from synkro.sandbox.amocrm.shapes import Shapes
from synkro.sandbox.faults import Faults
from synkro.sandbox.world import Contact, Lead, World

T = TypeVar("T", Lead, Contact)

_MAX_LIMIT, _DEFAULT_LIMIT = 250, 50
_BOUNDS = ("created_at", "updated_at", "closed_at")
_CHOICES = ("id", "responsible_user_id", "pipeline_id")
_ORDERS = ("id", "created_at", "updated_at")
_KEY = re.compile(r"(filter|order)\[(\w+)\](?:\[(\w*)\])?$")


class Api:
    """Serves one world. Leads may be touched while being paged through; everything else stays as it is."""

    def __init__(self, app: Flask, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._leads = {lead.id: lead for lead in world.leads}
        self._contacts = {contact.id: contact for contact in world.contacts}
        self._leads_of: dict[int, list[int]] = defaultdict(list)
        for lead in self._leads.values():
            for contact_id in lead.contact_ids:
                self._leads_of[contact_id].append(lead.id)
        self._lock = threading.Lock()
        routes: dict[str, Callable[..., ResponseReturnValue]] = {
            "account": self._account,
            "leads": self._lead_list,
            "leads/<int:lead_id>": self._lead,
            "leads/<int:lead_id>/links": self._lead_links,
            "leads/links": self._links,
            "leads/pipelines": self._pipelines,
            "leads/loss_reasons": self._loss_reasons,
            "contacts": self._contact_list,
            "contacts/<int:contact_id>": self._contact,
            "users": self._users,
        }
        for path, view in routes.items():
            app.add_url_rule(f"/api/v4/{path}", view_func=view, endpoint=path)

    def _account(self) -> ResponseReturnValue:
        asked = _with()
        blocks: dict[str, Any] = {"_embedded": {}}
        if "is_api_filter_enabled" in asked:
            blocks["is_api_filter_enabled"] = self._faults["filter_on"]
        if "users_groups" in asked:
            blocks["_embedded"]["users_groups"] = [{"id": 0, "name": "Отдел продаж", "uuid": None}]
        if "datetime_settings" in asked:
            offset = self._world.now.astimezone(ZoneInfo(self._world.zone)).isoformat()[-6:]
            blocks["_embedded"]["datetime_settings"] = {"timezone": self._world.zone, "timezone_offset": offset}
        return answer_json(self._shapes().account(self._world, self._world.users[0].id, blocks))

    def _lead_list(self) -> ResponseReturnValue:
        if self._too_slow():
            return html_page(504, "504 Gateway Time-out")
        asked, shapes = self._asked(), self._shapes()
        with self._lock:
            leads = _ordered(_filtered(self._visible("only_deleted" in asked), self._filters()))
            page = leads[_span()]
            if self._faults["mutate_while_paging"] and page:
                self._touch(page[0], leads[-1])
        write = shapes.deleted_lead if "only_deleted" in asked else lambda lead: shapes.lead(lead, asked)
        return self._page("leads", [write(lead) for lead in page], len(leads))

    def _visible(self, deleted: bool) -> list[Lead]:
        leads = [lead for lead in self._leads.values() if lead.is_deleted == deleted]
        rights = self._faults["token_rights"]
        if rights != "own":
            return leads
        return [lead for lead in leads if lead.responsible_user_id == self._world.users[1].id]

    def _touch(self, *leads: Lead) -> None:
        latest = max(lead.updated_at for lead in self._leads.values())
        for lead in leads:
            self._leads[lead.id] = replace(self._leads[lead.id], updated_at=latest + 1)

    def _lead(self, lead_id: int) -> ResponseReturnValue:
        lead = self._leads.get(lead_id)
        return answer_json(self._shapes().lead(lead, self._asked())) if lead else _nothing()

    def _lead_links(self, lead_id: int) -> ResponseReturnValue:
        links = self._links_of([lead_id])
        return self._all("links", [{k: v for k, v in link.items() if not k.startswith("entity_")} for link in links])

    def _links(self) -> ResponseReturnValue:
        ids = _numbers(_bracketed("filter").get("entity_id", {}))
        if not ids:
            return problem(400, "Request validation failed")
        return self._all("links", self._links_of(sorted(ids)))

    def _links_of(self, lead_ids: Iterable[int]) -> list[dict[str, Any]]:
        shapes = self._shapes()
        leads = [self._leads[lead_id] for lead_id in lead_ids if lead_id in self._leads]
        return [shapes.link(lead, contact_id) for lead in leads for contact_id in shapes.contact_ids(lead)]

    def _contact_list(self) -> ResponseReturnValue:
        if self._too_slow():
            return html_page(504, "504 Gateway Time-out")
        wanted = self._filters().get("id")
        if wanted is None:
            found: Iterable[Contact] = self._contacts.values()
        else:
            found = [self._contacts[i] for i in sorted(_numbers(wanted)) if i in self._contacts]
        contacts = _ordered(found)
        return self._page("contacts", [self._written(contact) for contact in contacts[_span()]], len(contacts))

    def _contact(self, contact_id: int) -> ResponseReturnValue:
        contact = self._contacts.get(contact_id)
        return answer_json(self._written(contact)) if contact else _nothing()

    def _written(self, contact: Contact) -> dict[str, Any]:
        lead_ids = self._leads_of.get(contact.id, []) if "leads" in _with() else None
        return self._shapes().contact(contact, lead_ids)

    def _users(self) -> ResponseReturnValue:
        shapes, users = self._shapes(), self._world.users
        counts = {"_total_items": len(users), "_page_count": -(-len(users) // _limit())}
        return self._page("users", [shapes.user(user) for user in users[_span()]], len(users), counts)

    def _pipelines(self) -> ResponseReturnValue:
        return self._all("pipelines", [self._shapes().pipeline(pipeline) for pipeline in self._world.pipelines])

    def _loss_reasons(self) -> ResponseReturnValue:
        return self._all("loss_reasons", [self._shapes().loss_reason(r) for r in self._world.loss_reasons])

    def _shapes(self) -> Shapes:
        return Shapes(self._world, request.host_url.rstrip("/"))

    def _asked(self) -> set[str]:
        return _with() - ({"contacts"} if self._faults["contacts_not_embedded"] else set())

    def _filters(self) -> dict[str, dict[str, list[str]]]:
        return _bracketed("filter") if self._faults["filter_on"] else {}

    def _too_slow(self) -> bool:
        bound = self._faults["slow_above_limit"]
        return bool(bound) and _limit() > bound

    def _all(self, name: str, items: list[dict[str, Any]]) -> Response:
        links = {"self": {"href": request.url}}
        return answer_json({"_total_items": len(items), "_links": links, "_embedded": {name: items}})

    def _page(
        self, name: str, items: list[dict[str, Any]], total: int, counts: dict[str, int] | None = None
    ) -> ResponseReturnValue:
        if not items:
            return _nothing()
        page = _page_number()
        more = page * _limit() < total or self._faults["last_page"] == "next_then_204"
        links = {"self": _page_link(page)}
        if more:
            links["next"] = _page_link(page + 1, self._faults["foreign_next_link"])
        if page > 1:
            links |= {"first": _page_link(1), "prev": _page_link(page - 1)}
        return answer_json({**(counts or {}), "_page": page, "_links": links, "_embedded": {name: items}})


def _with() -> set[str]:
    return set(request.args.get("with", "").split(","))


def _limit() -> int:
    limit = request.args.get("limit", _DEFAULT_LIMIT, type=int)
    return limit if 1 <= limit <= _MAX_LIMIT else _DEFAULT_LIMIT


def _page_number() -> int:
    return max(1, request.args.get("page", 1, type=int))


def _span() -> slice:
    start = (_page_number() - 1) * _limit()
    return slice(start, start + _limit())


def _page_link(page: int, base: str = "") -> dict[str, str]:
    others = [(key, value) for key, value in request.args.items(multi=True) if key != "page"]
    base = base or request.host_url.rstrip("/")
    return {"href": f"{base}{request.path}?{urlencode([*others, ('page', str(page))])}"}


def _nothing() -> Response:
    return Response(status=204)


def _bracketed(kind: str) -> dict[str, dict[str, list[str]]]:
    """PHP's `kind[name][part]=value` as name -> part -> values; part is "" for a bare value and for `[]`."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for key, value in request.args.items(multi=True):
        if (match := _KEY.match(key)) and match[1] == kind:
            found[match[2]][match[3] or ""].append(value)
    return found


def _numbers(parts: dict[str, list[str]]) -> set[int]:
    return {int(value) for values in parts.values() for value in values if value.isdigit()}


def _filtered(leads: list[Lead], filters: dict[str, dict[str, list[str]]]) -> list[Lead]:
    for name in _CHOICES:
        if name in filters:
            wanted = _numbers(filters[name])
            leads = [lead for lead in leads if getattr(lead, name) in wanted]
    for name in _BOUNDS:
        if name in filters:
            low, high = (_bound(filters[name], part) for part in ("from", "to"))
            # A bare number instead of from/to finds nothing, as users of the real thing report.
            bare = low is None and high is None
            leads = [] if bare else [lead for lead in leads if _within(getattr(lead, name), low, high)]
    return leads


def _bound(parts: dict[str, list[str]], part: str) -> int | None:
    return int(parts[part][0]) if part in parts and parts[part][0].isdigit() else None


def _within(value: int | None, low: int | None, high: int | None) -> bool:
    return value is not None and (low is None or value >= low) and (high is None or value <= high)


def _ordered(items: Iterable[T]) -> Sequence[T]:
    for name, parts in _bracketed("order").items():
        if name in _ORDERS:
            return sorted(items, key=lambda item: (getattr(item, name), item.id), reverse=parts[""][:1] == ["desc"])
    return list(items)
