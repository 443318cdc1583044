"""A short report on the dialogs that were tried out, in the form that reports have, and never to be taken for one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flask_babel import gettext, ngettext

from synkro.analysis.report.telegram import Row, split
from synkro.analysis.report.texts import TELEGRAM_LIMIT
from synkro.analysis.report.wording import number
from synkro.analysis.text.cleaning import one_line
from synkro.i18n import _l

MOST_FINDINGS = 8
TITLES = {
    "risk": _l("Risks"),
    "loss": _l("Losses"),
    "praise": _l("Well done"),
    "idea": _l("Ideas"),
    "question": _l("Questions"),
}
"""Kinds of findings in the order in which reports have them."""
LONGEST_LINE, LONGEST_SUMMARY = 300, 1_000


def trial_report(company: str, said: Mapping[str, Any], dialogs: Sequence[Mapping[str, Any]]) -> list[str]:
    """Messages of Telegram's HTML in the language in force; none where there is nothing to tell.

    said: of the test analysis, {summary, findings: [{kind, text}], dialogs}. dialogs: {messages: [{direction}]} each,
    for the figures where the AI has said nothing.
    """
    if told := list(_told(said)):
        return split([*_head(company, said.get("dialogs")), *told], TELEGRAM_LIMIT)
    return split([*_head(company, len(dialogs)), *_figures(dialogs)], TELEGRAM_LIMIT) if dialogs else []


def _head(company: str, dialogs: Any) -> Iterator[Row]:
    title = gettext("Test report")
    if isinstance(dialogs, int):
        title = ngettext("Test report on %(num)s dialog", "Test report on %(num)s dialogs", dialogs)
    yield Row(f"{title}: {one_line(company, LONGEST_LINE)}", "b")
    yield Row(gettext("A trial from the settings, not a report on a period."), "i")


def _told(said: Mapping[str, Any]) -> Iterator[Row]:
    """What the AI has said and could prove; what is too much for a message is counted."""
    if summary := one_line(str(said.get("summary") or ""), LONGEST_SUMMARY):
        yield from _section(gettext("Summary"), [summary])
    room = MOST_FINDINGS
    found = [one for one in _dicts(said.get("findings")) if one.get("text")]
    for kind, title in TITLES.items():
        texts = [one_line(str(one["text"]), LONGEST_LINE) for one in found if one.get("kind") == kind][:room]
        room -= len(texts)
        if texts:
            yield from _section(str(title), texts)
    if more := len(found) - (MOST_FINDINGS - room):
        yield Row(gettext("More findings in the AI step: %(count)s.", count=number(more)), "i")


def _figures(dialogs: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """Without a word of the AI: what can be counted in the messages."""
    spoken = [[one.get("direction") for one in _dicts(dialog.get("messages"))] for dialog in dialogs]
    every = [direction for directions in spoken for direction in directions]
    lines = [
        gettext("Messages from clients: %(count)s", count=number(every.count("in"))),
        gettext("Messages to clients: %(count)s", count=number(every.count("out"))),
        gettext("Unanswered: %(count)s", count=number(sum(found[-1:] == ["in"] for found in spoken))),
    ]
    yield from _section(gettext("Dialogs"), lines)
    yield Row(gettext("Figures only: the AI was not asked yet."), "i")


def _section(title: str, lines: Sequence[str]) -> Iterator[Row]:
    yield Row("")
    yield Row(title, "b")
    yield from (Row(f"• {line}") for line in lines)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
