"""Telegram: the bot's name, and the line with the code that is sent in the group."""

from __future__ import annotations

import re
from typing import Any

from synkro.models import IntegrationConfig, Tenant
from synkro.services.connections import telegram_code

USERNAME = re.compile(r"[A-Za-z0-9_]{3,64}", re.ASCII)


def extra(_tenant: Tenant, config: IntegrationConfig | None) -> dict[str, Any]:
    """{bot, line, link}; nothing until a check has learnt who the bot is. link: adds the bot and sends the code."""
    bot = str(config.check_params.get("bot", "")) if config else ""
    if config is None or not USERNAME.fullmatch(bot):
        return {}
    code = telegram_code.shown(config)
    return {"bot": bot, "line": f"/start@{bot} {code}", "link": f"https://t.me/{bot}?startgroup={code}"}
