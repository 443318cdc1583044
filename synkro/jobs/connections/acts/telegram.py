"""Telegram: the groups in which the company's code was sent, a test message, a test report."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import force_locale, gettext
from rq.timeouts import JobTimeoutException

from synkro.analysis.report.wording import moment
from synkro.infra import clock
from synkro.integrations.base import SAMPLE
from synkro.integrations.errors import Unsure
from synkro.integrations.telegram.chats import Found, chats_with
from synkro.integrations.telegram.client import Sent, Telegram
from synkro.jobs.connections.acts.telegram_report import trial_report
from synkro.jobs.connections.acts.tried import Acts, Tried, client, last
from synkro.models import Tenant, Trial
from synkro.services.companies import tenants
from synkro.services.connections import integrations, telegram_code, telegram_group
from synkro.tenancy import end_reading

MOST_CHATS = 20
SECONDS = 20
"""For one message, so that its end is known before that of the trial."""


def chats(_trial: Trial) -> Tried:
    """Offers the chats in which a code of this company was sent, and no others: other companies may share the bot."""
    telegram = client(Telegram)
    config = integrations.find(telegram.kind)
    codes = telegram_code.taken(config) if config else frozenset()
    end_reading()
    waiting = telegram.waiting()
    found = chats_with(codes, waiting.updates)[:MOST_CHATS]
    result = {"chats": _targets(found), "is_cut": waiting.is_cut}
    if not found:
        return Tried("yellow", "telegram_code_not_seen", {}, result)
    return Tried("green", "telegram_chats_found", {"count": len(found)}, result)


def _targets(found: Sequence[Found]) -> list[dict[str, Any]]:
    """Where reports may go: the topics of the code first, then the chat itself. {chat_id, title, type, topic_id, topic,
    has_topics}."""
    return [
        {
            "chat_id": str(chat.id),
            "title": chat.title,
            "type": chat.type,
            "topic_id": str(topic.id) if topic else "",
            "topic": topic.name if topic else "",
            "has_topics": bool(chat.topics),
        }
        for chat in found
        for topic in (*chat.topics, None)
    ]


def message(trial: Trial) -> Tried:
    """The proof of the connection. Green when Telegram has given the message a number."""
    telegram = client(Telegram)
    if not telegram.chat_id:
        return Tried("yellow", "telegram_choose_chat")
    text = _greeting(_company(trial))
    try:
        sent = telegram.test_message(text, SECONDS)
    except (Unsure, JobTimeoutException):  # it may have arrived: only a person may send it again
        return Tried("yellow", "telegram_unknown")
    known = {"message_id": sent.message_id, "chat_id": sent.chat_id}
    if sent.notice == "telegram_migrated":
        telegram_group.follow(telegram, sent)
        return Tried("green", "telegram_test_moved", known)
    if sent.notice == "telegram_no_topic":
        return Tried("yellow", "telegram_test_no_topic", known)
    return Tried("yellow", sent.notice, known) if sent.notice else Tried("green", "telegram_test_sent", known)


def report(trial: Trial) -> Tried:
    """What the test analysis has said, else the figures of the sample, as the report of a run would look."""
    telegram = client(Telegram)
    if not telegram.chat_id:
        return Tried("yellow", "telegram_choose_chat")
    company = _company(trial)
    with force_locale(company.language):
        parts = trial_report(
            company.name, last("ai", "analysis") or {}, (last("radist", SAMPLE) or {}).get("dialogs", ())
        )
    end_reading()
    if not parts:
        return Tried("yellow", "telegram_report_first")
    sent: list[Sent] = []
    for part in parts:
        try:
            sent.append(telegram.send(part, _plain(part), SECONDS))
        except (Unsure, JobTimeoutException):
            return Tried("yellow", "telegram_unknown")
        telegram_group.follow(telegram, sent[-1])
    known = {"messages": len(sent), "message_id": sent[-1].message_id, "chat_id": sent[-1].chat_id}
    notice = next((one.notice for one in sent if one.notice), None)
    return Tried("yellow", notice, known) if notice else Tried("green", "telegram_report_sent", known)


def _company(trial: Trial) -> Tenant:
    company = tenants.get(trial.tenant_id)
    end_reading()
    return company


def _greeting(company: Tenant) -> str:
    now = moment(clock.now().astimezone(ZoneInfo(company.timezone)))
    words: dict[str, Any] = {"company": company.name, "time": now}
    with force_locale(company.language):
        return str(gettext("Synkro: a test message for %(company)s, %(time)s. The reports will come here.", **words))


def _plain(part: str) -> str:
    """The same words without tags: everything that is not a tag was escaped by us."""
    return html.unescape(re.sub(r"<[^>]+>", "", part))


ACTS: Acts = {"chats": chats, "message": message, "report": report}
