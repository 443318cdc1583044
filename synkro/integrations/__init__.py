"""Whom we talk to. Adding a service: its class in a file here and one line in INTEGRATIONS."""

from __future__ import annotations

from flask_babel import LazyString

from synkro.integrations.ai.client import Ai
from synkro.integrations.amocrm.client import Amocrm
from synkro.integrations.base import Integration
from synkro.integrations.errors import SENTENCES
from synkro.integrations.radist.client import Radist
from synkro.integrations.supabase.client import Supabase
from synkro.integrations.telegram.client import Telegram

INTEGRATIONS: dict[str, type[Integration]] = {
    integration.kind: integration for integration in (Supabase, Amocrm, Radist, Ai, Telegram)
}


def all_sentences() -> dict[str, LazyString]:
    """Code -> sentence, of every service."""
    return {**SENTENCES, **{code: says for one in INTEGRATIONS.values() for code, says in one.sentences.items()}}
