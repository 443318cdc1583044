"""What is written into the tables of the client's Supabase, row by row."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from synkro.analysis.matching.phones import normalise
from synkro.infra import clock
from synkro.infra.records import Chat, Contact, Lead, Message
from synkro.integrations.amocrm.shapes import LATEST


def origin(made_by: uuid.UUID) -> dict[str, Any]:
    """For every row. made_by: a run, or a trial."""
    # sent with every row: on a conflict a column's default is not applied again
    return {"run_id": str(made_by), "fetched_at": clock.now().isoformat()}


def lead_row(lead: Lead) -> dict[str, Any]:
    return {
        "lead_id": lead.id,
        "name": lead.name,
        "price": lead.price,
        "pipeline_id": lead.pipeline_id,
        "status_id": lead.status_id,
        "responsible_user_id": lead.responsible_user_id,
        "loss_reason_id": lead.loss_reason_id,
        "created_at": _moment(lead.created_at),
        "updated_at": _moment(lead.updated_at),
        "closed_at": _moment(lead.closed_at) if lead.closed_at else None,
        "is_deleted": lead.is_deleted,
        "contact_ids": list(lead.contact_ids),
        "raw": lead.raw,
    }


def contact_row(contact: Contact) -> dict[str, Any]:
    return {
        "contact_id": contact.id,
        "name": contact.name,
        "phones": list(contact.phones),
        "numbers": list(dict.fromkeys(number for typed in contact.phones for number in normalise(typed))),
        "updated_at": _moment(contact.updated_at) if contact.updated_at else None,
        "raw": contact.raw,
    }


def chat_row(chat: Chat, phone: str | None, lead_id: int | None) -> dict[str, Any]:
    """lead_id: the deal that the chat belongs to by its phone."""
    return {
        "connection_id": chat.connection_id,
        "chat_id": chat.id,
        "contact_id": chat.contact_id,
        "source_chat_id": chat.source_chat_id,
        "name": chat.name,
        "phone": phone,
        "username": chat.username,
        "is_group": chat.is_group,
        "last_at": chat.last_at.isoformat() if chat.last_at else None,
        "matched_lead_id": lead_id,
        "matched_by": "phone",
        "raw": chat.raw,
    }


def message_row(message: Message) -> dict[str, Any]:
    return {
        "connection_id": message.connection_id,
        "message_id": message.id,
        "chat_id": message.chat_id,
        "position": message.position,
        "sent_at": message.at.isoformat(),
        "direction": message.direction,
        "kind": message.kind,
        "body": message.text,
        "failed": message.failed,
        "raw": message.raw,
    }


def _moment(seconds: int) -> str:
    """Out of range is the nearest time that can be written: one odd deal stops no others."""
    return datetime.fromtimestamp(min(max(seconds, 0), LATEST), UTC).isoformat()
