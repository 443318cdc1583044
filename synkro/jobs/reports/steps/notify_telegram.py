"""Step 8: the report into the group. Telegram has no way to ask "did it arrive", so nothing unsure is sent again."""

from __future__ import annotations

import html
import re

from flask_babel import force_locale, gettext

from synkro.analysis.ai.answer import Answer
from synkro.analysis.report.texts import Told, telegram_parts
from synkro.integrations.errors import ApiError, Unsure
from synkro.integrations.telegram.client import Telegram
from synkro.jobs.reports.rendering import as_report
from synkro.jobs.reports.step import Ctx, Done, Step
from synkro.models import Delivery
from synkro.models.plan import StepKey
from synkro.models.states import DeliveryStatus
from synkro.services.connections import telegram_group
from synkro.services.connections.integrations import NotConnected
from synkro.services.reports import deliveries, holding, reports, steps
from synkro.services.reports.artifacts import FINAL
from synkro.tenancy import end_reading


class NotifyTelegram(Step):
    key = StepKey.NOTIFY_TELEGRAM

    def run(self, ctx: Ctx) -> Done:
        try:
            telegram = ctx.connect(Telegram)
        except NotConnected:
            return Done("telegram_not_connected")
        if not telegram.chat_id:
            return Done("telegram_choose_chat")
        steps.hold(ctx.claim)
        if holding.holds(ctx.run):
            return Done(holding.HELD)
        told = _told(ctx)
        remark = _deliver_all(ctx, telegram, told.parts)
        notices = ("telegram_shortened",) if told.left_out else ()
        return Done(remark, {"chat_id": telegram.chat_id, "lines": told.left_out}, notices)


def _told(ctx: Ctx) -> Told:
    """The messages, each whole by itself. Rendered from what was saved, so a second try sends the same words."""
    report = reports.find(reports.id_for(ctx.run.id))
    final = ctx.page(FINAL)
    if report is None or final is None:
        raise LookupError(FINAL)
    end_reading()
    said, (code, params) = final.rows[0]["answer"], final.rows[0]["reason"]
    answer = Answer.from_json(said) if said else None
    with force_locale(ctx.run.language):
        return telegram_parts(as_report(ctx.run, report.figures, answer, (code, params)), gettext)


def _deliver_all(ctx: Ctx, telegram: Telegram, parts: list[str]) -> str | None:
    """The remark of the step: before all others that somebody has to look whether a part arrived."""
    rows = deliveries.plan(reports.id_for(ctx.run.id), deliveries.TELEGRAM, telegram.chat_id, len(parts))
    found = []
    for row, part in zip(rows, parts, strict=True):
        ctx.beat(row.part - 1, len(parts))
        found.append(_deliver(telegram, row, part))
    ctx.beat(len(parts), len(parts))
    return max(filter(None, found), key=deliveries.IN_DOUBT.__contains__, default=None)


def _plain(part: str) -> str:
    """The same words without tags. Everything that is not a tag was escaped by us, so `<` only opens tags."""
    return html.unescape(re.sub(r"<[^>]+>", "", part))


def _deliver(telegram: Telegram, row: Delivery, part: str) -> str | None:
    """Send a part that was not sent. The code of a remark, or None."""
    if row.status == DeliveryStatus.SENT:
        return row.code
    if row.status in (DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN):
        # an earlier try was killed between "sending" and the answer: it may have arrived
        deliveries.end(row, DeliveryStatus.UNKNOWN, code="telegram_earlier_unknown")
        return "telegram_earlier_unknown"
    if not deliveries.begin(row):
        return "telegram_earlier_unknown"
    try:
        sent = telegram.send(part, _plain(part))
    except Unsure as error:
        deliveries.end(row, DeliveryStatus.UNKNOWN, code=error.code)
        return error.code
    except ApiError as error:
        deliveries.end(row, DeliveryStatus.FAILED, code=error.code)
        raise
    telegram_group.follow(telegram, sent)  # before "sent" is written: a part that was sent is not looked at again
    deliveries.end(row, DeliveryStatus.SENT, message_id=sent.message_id, code=sent.notice)
    return sent.notice
