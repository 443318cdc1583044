"""What Telegram says when it refuses, in our words. Status and parameters are trusted first, the wording last."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from synkro.i18n import _l
from synkro.integrations.base import retry_after
from synkro.integrations.errors import ApiError, Busy, Gone, Lost, Refused
from synkro.integrations.http.calls import HttpAnswer, common_failure

SENTENCES = {
    "telegram_ok": _l("Connected: @%(bot)s can write to “%(chat)s”."),
    "telegram_token_form": _l("This is not a bot token. It looks like 123456789:AAE… and comes from @BotFather."),
    "telegram_token_refused": _l("Telegram does not accept the bot token. Take a new one from @BotFather."),
    "telegram_chat_form": _l("This is not a chat ID. It is a number, for groups with a minus, or a public @name."),
    "telegram_topic_form": _l("The topic ID is a number."),
    "telegram_choose_chat": _l("The bot works. Now choose the group that gets the reports."),
    "telegram_no_groups": _l(
        "The bot @%(bot)s works, but it may not be added to groups. Send /setjoingroups to @BotFather, choose the bot,"
        " press Enable, then check again."
    ),
    "telegram_no_chat": _l("Telegram does not know this chat. Add the bot to the group and check the chat ID."),
    "telegram_removed": _l("The bot is not in the group. Add it again."),
    "telegram_blocked": _l("The bot may not write to this person: they have blocked it or never started it."),
    "telegram_no_rights": _l("The bot has no right to write in this group. Give it the right to send messages."),
    "telegram_migrated": _l(
        "The group has become a supergroup with a new ID (%(chat_id)s). Synkro follows it by itself."
    ),
    "telegram_no_topic": _l("The topic does not exist or is closed. The message goes to the group itself."),
    "telegram_plain": _l("Telegram did not take the formatting. The message was sent as plain text."),
    "telegram_too_long": _l("The message is too long for Telegram."),
    "telegram_rejected": _l("Telegram did not accept our request."),
    "telegram_webhook": _l(
        "Another program uses this bot: its messages go to that program. Take a bot of its own for Synkro, or type the"
        " chat ID by hand."
    ),
    "telegram_polled": _l(
        "Another program reads this bot's messages right now. Stop it, take a bot of its own for Synkro, or type the"
        " chat ID by hand."
    ),
    "telegram_code_not_seen": _l(
        "The code was not seen yet. Send the line that stands here, in the group in which the bot is, and look again."
    ),
    "telegram_chats_found": _l("The code has arrived. Chats found: %(count)s."),
    "telegram_test_sent": _l("The test message has arrived in the group. Its number there: %(message_id)s."),
    "telegram_test_moved": _l(
        "The group has become a supergroup. Its new ID (%(chat_id)s) is saved, and the test message has arrived there."
    ),
    "telegram_test_no_topic": _l(
        "The topic does not exist or is closed, so the test message went to the group itself. Choose another topic."
    ),
    "telegram_report_sent": _l("The test report has arrived in the group. Messages: %(messages)s."),
    "telegram_report_first": _l(
        "There is nothing to report yet. Make the test analysis in the AI step first, or load the dialogs in the Radist"
        " step."
    ),
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
    ("webhook is active", Refused, "telegram_webhook"),
    ("other getupdates request", Refused, "telegram_polled"),
    ("not enough rights", Refused, "telegram_no_rights"),
    ("need administrator rights", Refused, "telegram_no_rights"),
    ("have no rights", Refused, "telegram_no_rights"),
    ("chat_write_forbidden", Refused, "telegram_no_rights"),
    ("blocked by the user", Refused, "telegram_blocked"),
    ("user is deactivated", Refused, "telegram_blocked"),
    ("can't initiate conversation", Refused, "telegram_blocked"),
)


def check_answer(answer: HttpAnswer) -> ApiError | None:
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
