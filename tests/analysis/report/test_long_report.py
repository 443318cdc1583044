"""A report that is longer than the messages of a group."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from synkro.analysis.ai.answer import Answer, Finding, Remark
from synkro.analysis.report.sections import ReportText
from synkro.analysis.report.telegram import units
from synkro.analysis.report.texts import MOST_PARTS, TELEGRAM_LIMIT, Told, telegram_parts
from tests.support.deals_and_chats import identity
from tests.support.reports import REPORT

LINK = '<a href="https://synkro.test/r/7">Open the report</a>'
FIGURES = ("<b>Deals</b>", "Sum of won deals: 500", "<b>Dialogs</b>", "<b>Response times</b>", "<b>Coverage</b>")
WORDS = st.text(st.sampled_from("абв &<🔥"), min_size=1, max_size=1_000)


def long_report(findings: list[str], remarks: int = 0, managers: int = 2) -> ReportText:
    """Each finding and each manager can be told from the others."""
    found = tuple(Finding("risk", f"finding-{n}. {text} .", ("d1m1",)) for n, text in enumerate(findings))
    said = tuple(Remark("Aliya", f"remark-{n}", ("d1m1",)) for n in range(remarks))
    row: dict[str, Any] = REPORT.figures["by_manager"][0]
    rows = [{**row, "manager_id": n, "name": f"Manager-{n}"} for n in range(managers)]
    return replace(REPORT, answer=Answer("Fine", found, said), figures={**REPORT.figures, "by_manager": rows})


def told(report: ReportText) -> Told:
    return telegram_parts(report, identity)


def numbers(word: str, text: str) -> list[int]:
    return [int(found) for found in re.findall(rf"{word}-(\d+)", text)]


@settings(max_examples=25)
@given(st.lists(WORDS, max_size=90), st.integers(0, 100), st.integers(0, 250))
def test_figures_and_the_link_arrive_however_long_it_is(findings: list[str], remarks: int, managers: int) -> None:
    parts = told(long_report(findings, remarks, managers)).parts
    assert len(parts) <= MOST_PARTS
    assert all(units(part) <= TELEGRAM_LIMIT for part in parts)
    assert parts[-1].endswith(LINK)
    assert all(words in "\n".join(parts) for words in FIGURES)


@settings(max_examples=25)
@given(st.lists(WORDS, max_size=90), st.integers(0, 250))
def test_what_is_left_out_are_whole_lines_and_all_are_counted(findings: list[str], managers: int) -> None:
    given_away = told(long_report(findings, managers=managers))
    text = "\n".join(given_away.parts)
    kept = numbers("finding", text), numbers("Manager", text)
    assert [list(range(len(one))) for one in kept] == list(kept)
    missing = (len(findings) - len(kept[0]), managers - len(kept[1]))
    said = [int(count) for count in re.findall(r"More (?:findings|managers) in the report: (\d+)", text)]
    assert said == [count for count in missing if count]
    assert given_away.left_out == sum(missing)


def test_as_much_is_told_as_there_is_room_for() -> None:
    report = long_report(["x" * 380] * 60)
    shorter = told(report)
    assert len(shorter.parts) == MOST_PARTS
    assert shorter.left_out == 60 - len(numbers("finding", "".join(shorter.parts)))
    assert 0 < shorter.left_out < 15


def test_a_short_report_is_told_whole() -> None:
    whole = told(long_report(["x" * 380] * 10))
    assert whole.left_out == 0
    assert "in the report:" not in "".join(whole.parts)


def test_a_company_of_many_managers_still_reads_the_findings() -> None:
    text = "\n".join(told(long_report(["x" * 380] * 20, managers=2_000)).parts)
    assert len(numbers("finding", text)) == 20
    assert len(numbers("Manager", text)) >= 20


def test_it_is_the_same_each_time() -> None:
    report = long_report(["x" * 380] * 60)
    assert told(report) == told(report)
