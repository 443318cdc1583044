"""Reading all deals of a window, as a run does, and what ought to come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import parse_qs

from synkro.infra.records import Lead
from synkro.integrations.amocrm.client import Amocrm, LeadPage
from synkro.sandbox.world import World
from tests.support.emulators import NOW, Emulator

START, END = NOW - timedelta(days=1), NOW


def all_pages(amocrm: Amocrm, start: datetime = START, end: datetime = END, limit: int = 250) -> Iterator[LeadPage]:
    page = amocrm.leads(start, end, limit=limit)
    yield page
    while page.next_page is not None:
        page = amocrm.leads(start, end, page.next_page, filtered=page.filtered, limit=page.limit)
        yield page


def all_leads(amocrm: Amocrm, start: datetime = START, end: datetime = END, limit: int = 250) -> list[Lead]:
    return [lead for page in all_pages(amocrm, start, end, limit) for lead in page.leads]


def expected(world: World, start: datetime = START, end: datetime = END) -> list[int]:
    inside = (start.timestamp(), end.timestamp())
    return sorted(lead.id for lead in world.leads if inside[0] <= lead.updated_at < inside[1] and not lead.is_deleted)


def asked(emulator: Emulator, path: str) -> list[dict[str, list[str]]]:
    return [parse_qs(entry["query"]) for entry in emulator.requests() if entry["path"] == f"/api/v4{path}"]
