"""amoCRM's JSON as plain records. A row that cannot be one gives None; nothing here raises for a value's sake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from synkro.analysis.matching import phones
from synkro.infra.records import Contact, Lead, Manager, Stage
from synkro.integrations.base import Preview
from synkro.integrations.errors import Nonsense
from synkro.integrations.masks import without_numbers
from synkro.integrations.reading import count, inner, number, objects, words

LONGEST_PHONE = 100
LONGEST_NAME = 300
LATEST = 4_102_444_800
"""2100 in unix seconds: a time behind it is in other units or a slip of the hand."""

Row = dict[str, Any]


def rows_of(payload: Mapping[str, Any], name: str) -> list[Row]:
    """The list in an answer's envelope. An answer without content has none; PHP writes an empty envelope as []."""
    if not payload:
        return []
    envelope = payload.get("_embedded")
    if envelope == []:
        return []
    rows = envelope.get(name) if isinstance(envelope, Mapping) else None
    if not isinstance(rows, list):
        raise Nonsense("unexpected_shape", service="amoCRM")
    return [row for row in rows if isinstance(row, dict)]


def lead_of(row: Row) -> Lead | None:
    """None where the id or the time of the last change is missing: without them it cannot be placed."""
    identity, updated_at = number(row.get("id")), moment(row.get("updated_at"))
    if identity is None or updated_at is None:
        return None
    return Lead(
        id=identity,
        name=name_of(row),
        price=number(row.get("price")),
        pipeline_id=number(row.get("pipeline_id")) or 0,
        status_id=number(row.get("status_id")) or 0,
        responsible_user_id=number(row.get("responsible_user_id")),
        created_at=moment(row.get("created_at")) or updated_at,
        updated_at=updated_at,
        closed_at=moment(row.get("closed_at")),
        loss_reason_id=number(row.get("loss_reason_id")),
        is_deleted=row.get("is_deleted") is True,
        contact_ids=_main_first(objects(inner(row, "_embedded").get("contacts")), "id", "is_main"),
        raw=row,
    )


def linked_contacts(links: Iterable[Row]) -> tuple[int, ...]:
    """Ids of the contacts among the links of a deal, the main one first."""
    people = [{**row, **inner(row, "metadata")} for row in links if row.get("to_entity_type") == "contacts"]
    return _main_first(people, "to_entity_id", "main_contact")


def contact_of(row: Row) -> Contact | None:
    """None where the id is missing, and for one that lies in the bin."""
    identity = number(row.get("id"))
    if identity is None or row.get("is_deleted") is True:
        return None
    phones = tuple(dict.fromkeys(_phones(row)))
    return Contact(identity, name_of(row), phones, moment(row.get("updated_at")) or 0, raw=row)


def managers_of(rows: Iterable[Row]) -> list[Manager]:
    """Each once: pages that became smaller on the way overlap."""
    found = {
        identity: Manager(identity, name_of(row), inner(row, "rights").get("is_active") is not False)
        for row in rows
        if (identity := number(row.get("id"))) is not None
    }
    return list(found.values())


def names_of(rows: Iterable[Row]) -> dict[int, str]:
    return {identity: name_of(row) for row in rows if (identity := number(row.get("id"))) is not None}


def stages_of(pipeline: Row) -> list[Stage]:
    pipeline_id = number(pipeline.get("id")) or 0
    return [
        Stage(
            pipeline_id=pipeline_id,
            status_id=identity,
            pipeline_name=name_of(pipeline),
            name=name_of(row),
            kind=count(row.get("type")),
        )
        for row in objects(inner(pipeline, "_embedded").get("statuses"))
        if (identity := number(row.get("id"))) is not None
    ]


def preview(lead: Lead, manager: str, contact: Contact | None) -> Preview:
    """Title: the deal's name. Lines: ISO time of the last change, manager, contact, phone; "" for what is unknown."""
    at = datetime.fromtimestamp(lead.updated_at, UTC).isoformat()
    name = without_numbers(contact.name) if contact else ""
    phone = phones.masked(contact.phones[0]) if contact and contact.phones else ""
    return Preview(without_numbers(lead.name), (at, without_numbers(manager), name, phone))


def name_of(row: Mapping[str, Any]) -> str:
    return words(row.get("name"), LONGEST_NAME)


def moment(value: Any) -> int | None:
    """Unix seconds; None for what no calendar or clock of ours can show."""
    seconds = number(value)
    return seconds if seconds is not None and 0 <= seconds <= LATEST else None


def _main_first(rows: Sequence[Row], name: str, mark: str) -> tuple[int, ...]:
    ordered = sorted(rows, key=lambda row: row.get(mark) is not True)
    return tuple(dict.fromkeys(identity for row in ordered if (identity := number(row.get(name))) is not None))


def _phones(row: Row) -> Iterator[str]:
    """The values of the PHONE field. Found by its code: ids and names of fields differ from account to account."""
    for field in objects(row.get("custom_fields_values")):
        if field.get("field_code") == "PHONE":
            for item in objects(field.get("values")):
                if typed := words(item.get("value"), LONGEST_PHONE):
                    yield typed
