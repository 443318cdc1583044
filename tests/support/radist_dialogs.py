"""Deals that amoCRM has shown, the dialogs of Radist that belong to them, and acts that look for these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from synkro.infra.records import Contact, Lead
from synkro.integrations.base import SAMPLE
from synkro.jobs.connections import trials as jobs
from synkro.models import Trial
from synkro.sandbox.world import Chat
from synkro.services.connections import integrations, trials
from synkro.tenancy import tenant_scope
from tests.support.practice import Practice

WHATSAPP, WABA, TELEGRAM = 7_001, 7_002, 7_003


@pytest.fixture(autouse=True)
def now_of_the_world(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    """The world's messages are recent however late the test is run."""
    monkeypatch.setattr("synkro.jobs.connections.acts.radist.clock", SimpleNamespace(now=lambda: practice.world.now))


def made(practice: Practice, kind: str, act: str, **asked: Any) -> Trial:
    """An act from the request to its outcome."""
    with tenant_scope(practice.tenant.id):
        trial = trials.request(kind, act, asked=asked)
        jobs.try_out(str(practice.tenant.id), str(trial.id))
        done = trials.latest(kind, act)
        assert done is not None
        assert done.id == trial.id
        return done


def deals_of(practice: Practice, chats: Sequence[Chat | None], also: Chat | None = None) -> None:
    """amoCRM has shown one deal for each chat, with its phone; for None with a phone that no chat has.

    also: another chat of the first deal.
    """
    phones = [f"+{chat.phone}" if chat else "+7 747 000 00 0" + str(n) for n, chat in enumerate(chats)]
    leads = [
        Lead(100 + n, f"Deal {n}", None, 1, 1, 5, 1_000, 1_000 + n, contact_ids=(200 + n,)) for n in range(len(chats))
    ]
    people = [Contact(200 + n, f"Person {n}", (phone,)) for n, phone in enumerate(phones)]
    if also:
        people[0] = replace(people[0], phones=(*people[0].phones, f"+{also.phone}"))
    shown = {
        "leads": [lead.to_json() for lead in leads],
        "contacts": [contact.to_json() for contact in people],
        "managers": {"5": "Айгуль"},
    }
    with tenant_scope(practice.tenant.id):
        trial = trials.request("amocrm", SAMPLE)
        trials.finish(trial, "green", "amocrm_sample_ok", {"leads": len(leads)}, shown)


def spoken(practice: Practice, connection: int = WHATSAPP) -> list[Chat]:
    """Chats of a messenger in which something was said not long ago, one for each phone."""
    chats = [chat for person in practice.world.radist_contacts for chat in person.chats if not person.is_group]
    begin = practice.world.now - timedelta(days=20)
    recent = [chat for chat in chats if chat.messages and chat.messages[-1].at > begin and chat.phone]
    known = {chat.phone: chat for chat in recent if chat.connection_id == connection}
    alone = [chat for chat in known.values() if sum(chat.phone == other.phone for other in chats) == 1]
    return [chat for chat in alone if len(chat.phone or "") == 11]


def choose(practice: Practice, **values: str) -> None:
    with tenant_scope(practice.tenant.id):
        integrations.save("radist", values, actor="test")
