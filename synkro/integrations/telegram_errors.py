"""What Telegram says when it refuses, in our words. Status and parameters are trusted first, the wording last."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from synkro.i18n import _l
from synkro.integrations.base import retry_after
from synkro.integrations.errors import ApiError, Busy, Gone, Lost, Refused
from synkro.integrations.http import Answer, common_failure

SENTENCES = {
    "telegram_ok": _l("Connected: @%(bot)s can write to “%(chat)s”."),
    "telegram_token_form": _l("This is not a bot token. It looks like 123456789:AAE… and comes from @BotFather."),
    "telegram_token_refused": _l("Telegram does not accept the bot token. Take a new one from @BotFather."),
    "telegram_chat_form": _l("This is not a chat ID. It is a number, for groups with a minus, or a public @name."),
    "telegram_topic_form": _l("The topic ID is a number."),
    "telegram_choose_chat": _l("The bot works. Add it to the group and enter the chat ID."),
    "telegram_no_chat": _l("Telegram does not know this chat. Add the bot to the group and check the chat ID."),
    "telegram_removed": _l("The bot is not in the group. Add it again."),
    "telegram_blocked": _l("The bot may not write to this person: they have blocked it or never started it."),
    "telegram_no_rights": _l("The bot has no right to write in this group. Give it the right to send messages."),
    "telegram_migrated": _l("The group has become a supergroup with a new ID (%(chat_id)s)."),
    "telegram_no_topic": _l("The topic does not exist or is closed. The message goes to the group itself."),
    "telegram_plain": _l("Telegram did not take the formatting. The message was sent as plain text."),
    "telegram_too_long": _l("The message is too long for Telegram."),
    "telegram_rejected": _l("Telegram did not accept our request."),
    "telegram_unknown": _l("Telegram gave no answer, so the message may have been sent. Look into the group first."),
}

_WORDS = (
    # A part of the description in lower case, kind, our code; the first that fits wins.
    ("can't parse entities", Gone, "telegram_plain"),
    ("thread not found", Gone, "telegram_no_topic"),
    ("topic_closed", Gone, "telegram_no_topic"),
    ("topic_deleted", Gone, "telegram_no_topic"),
    ("too long", Gone, "telegram_too_long"),
    ("chat not found", Gone, "telegram_no_chat"),
    ("chat_id is empty", Gone, "telegram_no_chat"),
    ("not enough rights", Refused, "telegram_no_rights"),
    ("need administrator rights", Refused, "telegram_no_rights"),
    ("have no rights", Refused, "telegram_no_rights"),
    ("chat_write_forbidden", Refused, "telegram_no_rights"),
    ("blocked by the user", Refused, "telegram_blocked"),
    ("user is deactivated", Refused, "telegram_blocked"),
    ("can't initiate conversation", Refused, "telegram_blocked"),
)


def judge(answer: Answer) -> ApiError | None:
    """None for a success. The description is read, never repeated."""
    body = answer.json_or_none()
    body = body if isinstance(body, dict) else {}
    status = _status(answer.status, body)
    if status < 300:
        return None
    inner = body.get("parameters")
    parameters: dict[str, Any] = inner if isinstance(inner, dict) else {}
    if isinstance(chat_id := parameters.get("migrate_to_chat_id"), int):
        return Gone("telegram_migrated", chat_id=chat_id)
    if status in (401, 404):
        return Refused("telegram_token_refused", status=status)
    if status == 413:
        return Gone("telegram_too_long")
    if status == 429:
        wait = parameters.get("retry_after")
        return Busy("busy", service=answer.service, retry_after=wait if isinstance(wait, int) else retry_after(answer))
    if status == 504:
        # A gateway gave up waiting; the server behind it may have gone on
        return Lost("server_error", service=answer.service)
    return _by_words(status, str(body.get("description", "")).lower()) or common_failure(replace(answer, status=status))


def _status(status: int, body: dict[str, Any]) -> int:
    """The vendor's status. `ok: false` is believed under any HTTP status."""
    told = body.get("error_code")
    return told if body.get("ok") is False and isinstance(told, int) else status


def _by_words(status: int, said: str) -> ApiError | None:
    if status not in (400, 403, 409):
        return None
    for part, kind, code in _WORDS:
        if part in said:
            return kind(code)
    return Refused("telegram_removed") if status == 403 else Gone("telegram_rejected")
