"""Whom we talk to. Adding a service: its class in a file here and one line in INTEGRATIONS."""

from __future__ import annotations

from synkro.integrations.ai import Ai
from synkro.integrations.amocrm import Amocrm
from synkro.integrations.base import Integration
from synkro.integrations.errors import SENTENCES
from synkro.integrations.radist import Radist
from synkro.integrations.supabase import Supabase
from synkro.integrations.telegram import Telegram

INTEGRATIONS: dict[str, type[Integration]] = {
    integration.kind: integration for integration in (Supabase, Amocrm, Radist, Ai, Telegram)
}
ALL_SENTENCES = {**SENTENCES, **{code: says for one in INTEGRATIONS.values() for code, says in one.sentences.items()}}
