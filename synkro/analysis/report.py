"""The report in the forms people get: Markdown for storage and the command line, HTML parts for Telegram."""

from __future__ import annotations

import re
from collections.abc import Iterator

from synkro.analysis.cleaning import one_line
from synkro.analysis.sections import Report, Section, heading, sections
from synkro.analysis.telegram import Row, split
from synkro.analysis.wording import Translate

TELEGRAM_LIMIT = 3_900
"""UTF-16 units of raw HTML; Telegram allows 4,096 after parsing, and parsing never lengthens a text."""

LINE_LIMIT = 8_000
_URL_LIMIT = 500
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~])")
_BLOCK_START = re.compile(r"^((?:\d+(?=[.)]))?)([#>+=.)-])")

__all__ = ["Report", "plain_text", "telegram_parts"]


def plain_text(report: Report, gettext: Translate) -> str:
    """Markdown. Strangers' text is escaped, so it stays text wherever it is rendered."""
    head = heading(report, gettext)
    blocks = ["\n\n".join((f"# {_plain(head.title)}", *(_plain(line) for line in head.lines)))]
    blocks += [_block(section) for section in sections(report, gettext)]
    return "\n\n".join(blocks) + "\n"


def telegram_parts(report: Report, gettext: Translate, limit: int = TELEGRAM_LIMIT) -> list[str]:
    """Messages to send in this order, each whole by itself. Tags: b, i and one a (only for an https address)."""
    return split(_rows(report, gettext), limit)


def _rows(report: Report, gettext: Translate) -> Iterator[Row]:
    head = heading(report, gettext)
    yield Row(_line(head.title), "b")
    yield from (Row(_line(line), "i") for line in head.lines)
    for section in sections(report, gettext):
        yield Row("")
        yield Row(_line(section.title), "b")
        yield from (Row(f"• {_line(line)}") for line in section.lines if _line(line))
    if report.url.startswith("https://") and len(report.url) <= _URL_LIMIT:
        yield Row("")
        yield Row(gettext("Open the report"), href=report.url)


def _block(section: Section) -> str:
    lines = "\n".join(f"- {_plain(line)}" for line in section.lines if _line(line))
    return f"## {_plain(section.title)}\n\n{lines}"


def _plain(line: str) -> str:
    return _BLOCK_START.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", _line(line)))


def _line(text: str) -> str:
    return one_line(text, LINE_LIMIT)
