"""The group that gets the reports, when Telegram moves it."""

from __future__ import annotations

from synkro.integrations.telegram.client import Sent, Telegram
from synkro.services.connections import integrations
from synkro.services.reports import deliveries


def follow(telegram: Telegram, sent: Sent) -> None:
    """The group has become a supergroup: its new id is kept, and its parts belong to the new one. Twice is as once."""
    if sent.notice == "telegram_migrated":
        deliveries.follow(deliveries.TELEGRAM, telegram.settings["chat_id"], str(sent.chat_id))
        integrations.save_setting(Telegram.kind, "chat_id", str(sent.chat_id), sent.notice)
