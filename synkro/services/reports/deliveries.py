"""Parts of a report on their way: written down before the call, so that none is sent twice."""

from __future__ import annotations

import uuid

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from synkro.infra import clock
from synkro.models import Delivery
from synkro.models.states import DeliveryStatus
from synkro.tenancy import current_tenant_id, db

TELEGRAM = "telegram"
IN_DOUBT = frozenset({"telegram_unknown", "telegram_earlier_unknown"})
"""Remarks of a step that does not know whether a part arrived: only a person who has looked may have it sent again."""


def plan(report_id: uuid.UUID, channel: str, target: str, parts: int) -> list[Delivery]:
    """One row a part, made once; the rows in their order."""
    rows = [
        {
            "id": uuid.uuid4(),
            "tenant_id": current_tenant_id(),
            "report_id": report_id,
            "channel": channel,
            "target": target,
            "part": part,
            "status": DeliveryStatus.PLANNED,
        }
        for part in range(1, parts + 1)
    ]
    db.session.execute(insert(Delivery).values(rows).on_conflict_do_nothing())
    db.session.commit()
    statement = select(Delivery).where(
        Delivery.report_id == report_id, Delivery.channel == channel, Delivery.target == target, Delivery.part <= parts
    )
    found = db.session.execute(statement.order_by(Delivery.part).execution_options(populate_existing=True)).scalars()
    return list(found)


def begin(delivery: Delivery) -> bool:
    """Write "sending" before the call. False: somebody else has this part."""
    moved = db.session.execute(
        update(Delivery)
        .where(Delivery.id == delivery.id, Delivery.status.in_((DeliveryStatus.PLANNED, DeliveryStatus.FAILED)))
        .values(status=DeliveryStatus.SENDING, code=None)
    )
    db.session.commit()
    return bool(moved.rowcount == 1)  # type: ignore[attr-defined]


def end(delivery: Delivery, status: DeliveryStatus, *, message_id: int | None = None, code: str | None = None) -> None:
    sent_at = clock.now() if status == DeliveryStatus.SENT else None
    db.session.execute(
        update(Delivery)
        .where(Delivery.id == delivery.id, Delivery.status == DeliveryStatus.SENDING)
        .values(status=status, message_id=message_id, code=code, sent_at=sent_at)
    )
    db.session.commit()


def release(report_id: uuid.UUID) -> None:
    """A person has looked and wants it sent: parts of which nobody knows may go once more. The caller commits."""
    db.session.execute(
        update(Delivery)
        .where(Delivery.report_id == report_id, Delivery.status == DeliveryStatus.UNKNOWN)
        .values(status=DeliveryStatus.PLANNED)
    )


def follow(channel: str, old_target: str, new_target: str) -> None:
    """A target has another id now: what was sent there counts as sent to the new one. The caller commits."""
    twin = aliased(Delivery)
    taken = select(twin.id).where(
        twin.report_id == Delivery.report_id,
        twin.channel == channel,
        twin.target == new_target,
        twin.part == Delivery.part,
    )
    db.session.execute(
        update(Delivery)
        .where(Delivery.channel == channel, Delivery.target == old_target, ~taken.exists())
        .values(target=new_target)
        .execution_options(synchronize_session=False)
    )
