"""Trials of the AI on dialogs that earlier trials have found."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from synkro.infra import clock
from synkro.infra.records import Chat, Contact, Message
from synkro.jobs.connections.trials import try_out
from synkro.models import Trial
from synkro.services.connections import trials
from synkro.tenancy import tenant_scope
from tests.support.practice import Practice

PHONE, TYPED = "77015550101", "+7 701 555-01-01"
SPOKEN = (
    ("in", f"Здравствуйте, это Айгерим, мой номер {TYPED}"),
    ("out", "Айгерим, здравствуйте! Цена 15 000 тенге"),
    ("in", "Дорого. Хотела у вас купить, но подумаю"),
)


def dialog(number: int = 1, name: str = "Aigerim B", spoken: Iterable[tuple[str, str]] = SPOKEN) -> dict[str, Any]:
    at = clock.now() - timedelta(hours=2)
    chat = Chat(number, 7, number, f"c{number}", name, PHONE)
    messages = [
        Message(f"m{n}", number, 7, n, at + timedelta(minutes=n), direction, "text", text)  # type: ignore[arg-type]
        for n, (direction, text) in enumerate(spoken, 1)
    ]
    return {
        "chat": chat.to_json(),
        "phone": PHONE,
        "lead_id": 10 + number,
        "lead_name": "Сделка",
        "manager": "Данияр",
        "messages": [message.to_json() for message in messages],
    }


def keep(kind: str, result: dict[str, Any]) -> None:
    """As if the act "sample" of a service had found this."""
    trials.finish(trials.request(kind, "sample"), "green", "sample_ok", {"count": 1}, result)


def loaded(practice: Practice, *dialogs: dict[str, Any]) -> Practice:
    with tenant_scope(practice.tenant.id):
        contact = Contact(1, "Айгерим Бекова", (TYPED,))
        keep("amocrm", {"contacts": [contact.to_json()], "leads": []})
        keep("radist", {"dialogs": list(dialogs) or [dialog()]})
    return practice


def tried(practice: Practice, act: str) -> tuple[Trial, dict[str, Any]]:
    with tenant_scope(practice.tenant.id):
        asked = trials.request("ai", act)
    try_out(str(practice.tenant.id), str(asked.id))
    with tenant_scope(practice.tenant.id):
        trial = trials.latest("ai", act)
        assert trial is not None
        return trial, trials.result(trial) or {}
