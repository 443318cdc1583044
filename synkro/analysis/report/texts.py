"""The report in the forms people get: Markdown for storage and the command line, HTML parts for Telegram."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from synkro.analysis.report.sections import ReportText, Section, heading, sections
from synkro.analysis.report.telegram import Row, split
from synkro.analysis.report.wording import Translate, number
from synkro.analysis.text.cleaning import one_line

TELEGRAM_LIMIT = 3_900
"""UTF-16 units of raw HTML; Telegram allows 4,096 after parsing, and parsing never lengthens a text."""

MOST_PARTS = 6
"""Messages of one report. Telegram lets a bot send 20 a minute to a group, and nobody reads more."""
MANAGERS_FIRST = 20
"""So many managers come before the findings where there is not room for all; a list of them begins with the busiest."""

LINE_LIMIT = 8_000
_URL_LIMIT = 500
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~])")
_BLOCK_START = re.compile(r"^((?:\d+(?=[.)]))?)([#>+=.)-])")

__all__ = ["ReportText", "Told", "plain_text", "telegram_parts"]


def plain_text(report: ReportText, gettext: Translate) -> str:
    """Markdown. Strangers' text is escaped, so it stays text wherever it is rendered."""
    head = heading(report, gettext)
    blocks = ["\n\n".join((f"# {_plain(head.title)}", *(_plain(line) for line in head.lines)))]
    blocks += [_block(section) for section in sections(report, gettext)]
    return "\n\n".join(blocks) + "\n"


@dataclass(frozen=True, slots=True)
class Told:
    """parts: messages to send in this order, each whole by itself. left_out: lines that did not fit into them."""

    parts: list[str]
    left_out: int


def telegram_parts(report: ReportText, gettext: Translate, limit: int = TELEGRAM_LIMIT, most: int = MOST_PARTS) -> Told:
    """Tags: b, i and one a (only for an https address).

    Of what does not fit into `most` parts, whole findings are left out from the end, and managers of a long list; how
    many is said above the link. Figures and the link are always told.
    """
    told = [section for section in sections(report, gettext) if section.of != "doubt"]
    leaving = list(_leaving(told))

    def parts(count: int) -> list[str]:
        return split(_rows(report, gettext, told, Counter(leaving[:count])), limit)

    count = 0
    if len(parts(0)) > most and leaving:
        # without one more line there are never more parts, so the least count can be searched for by halves
        count = 1 + bisect_left(range(1, len(leaving)), x=True, key=lambda count: len(parts(count)) <= most)
    return Told(parts(count), count)


def _leaving(told: Sequence[Section]) -> Iterator[int]:
    """Whose last line goes, as the section's place: managers of a long list first, then findings, then the rest."""
    managers = [at for at, section in enumerate(told) if section.of == "manager" for _ in _lines(section)]
    findings = [at for at, section in enumerate(told) if section.of == "finding" for _ in _lines(section)]
    yield from managers[MANAGERS_FIRST:]
    yield from reversed(findings)
    yield from managers[:MANAGERS_FIRST]


def _rows(report: ReportText, gettext: Translate, told: Sequence[Section], left_out: Counter[int]) -> Iterator[Row]:
    """left_out: place of a section -> how many of its last lines are not told."""
    head = heading(report, gettext)
    yield Row(_line(head.title), "b")
    yield from (Row(_line(line), "i") for line in head.lines)
    for at, section in enumerate(told):
        lines = _lines(section)
        if kept := lines[: len(lines) - left_out[at]]:
            yield Row("")
            yield Row(_line(section.title), "b")
            yield from (Row(f"• {line}") for line in kept)
    yield from _more(told, left_out, gettext)
    if report.url.startswith("https://") and len(report.url) <= _URL_LIMIT:
        yield Row("")
        yield Row(gettext("Open the report"), href=report.url)


def _more(told: Sequence[Section], left_out: Counter[int], gettext: Translate) -> Iterator[Row]:
    says = {
        "finding": gettext("More findings in the report: %(count)s"),
        "manager": gettext("More managers in the report: %(count)s"),
    }
    for of, sentence in says.items():
        if count := sum(left_out[at] for at, section in enumerate(told) if section.of == of):
            yield Row("")
            yield Row(sentence % {"count": number(count)}, "i")


def _lines(section: Section) -> list[str]:
    return [line for line in map(_line, section.lines) if line]


def _block(section: Section) -> str:
    lines = "\n".join(f"- {_plain(line)}" for line in _lines(section))
    return f"## {_plain(section.title)}\n\n{lines}"


def _plain(line: str) -> str:
    return _BLOCK_START.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", _line(line)))


def _line(text: str) -> str:
    return one_line(text, LINE_LIMIT)
