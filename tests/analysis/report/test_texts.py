"""The report as people get it."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest

from synkro.analysis.ai.answer import Answer
from synkro.analysis.figures.definitions import CUT
from synkro.analysis.report.texts import plain_text, telegram_parts
from tests.support.deals_and_chats import identity
from tests.support.reports import FIGURES_ONLY, REPORT


def words(*parts: str) -> list[str]:
    """Of Telegram's HTML, without our tags."""
    return re.findall(r"\w+", html.unescape(re.sub(r"<[^>]*>", " ", "\n".join(parts))))


def test_telegram_says_what_the_text_says() -> None:
    confirmed = replace(REPORT, answer=replace(REPORT.answer, unconfirmed=()))  # type: ignore[type-var]
    sent = words(*telegram_parts(confirmed, identity).parts)
    assert sent == [*re.findall(r"\w+", plain_text(confirmed, identity)), "Open", "the", "report"]


@pytest.mark.parametrize("limit", [150, 300, 3_900])
def test_a_smaller_limit_makes_more_parts_with_the_same_words(limit: int) -> None:
    parts = telegram_parts(REPORT, identity, limit, most=100).parts
    assert all(len(part.encode("utf-16-le")) // 2 <= limit for part in parts)
    assert words(*parts) == words(*telegram_parts(REPORT, identity, 10**6).parts)


def test_strangers_markup_is_only_text() -> None:
    sent = "\n".join(telegram_parts(REPORT, identity).parts)
    assert "&lt;b&gt;fine&lt;/b&gt;" in sent
    assert set(re.findall(r"<(\w+)", sent)) == {"b", "i", "a"}


def test_markdown_of_strangers_is_escaped() -> None:
    text = plain_text(REPORT, identity)
    assert "\\*slow\\*" in text
    assert "\\[quick\\](x)" in text
    assert "# Company \\<1\\>" in text


@pytest.mark.parametrize("line", ["# title", "- item", "1. item", "> quote", "=== x"])
def test_a_line_cannot_begin_a_block_of_its_own(line: str) -> None:
    text = plain_text(replace(REPORT, answer=Answer(line)), identity)
    assert f"- {line}" not in text


def test_without_the_ai_the_reason_is_said() -> None:
    assert "Figures only. The budget is used up." in plain_text(FIGURES_ONLY, identity)
    assert "Figures only" not in plain_text(REPORT, identity)


def test_an_analysis_that_is_not_whole_is_told_with_its_reason() -> None:
    report = replace(REPORT, ai_gap="The key is refused.")
    assert "Not all dialogs were analysed. The key is refused." in plain_text(report, identity)
    assert "Not all dialogs" not in plain_text(REPORT, identity)


def test_dialogs_that_were_cut_are_counted_beside_the_coverage() -> None:
    outcomes = {**REPORT.figures["chats_by_outcome"], "analysed_in_part": 2}
    report = replace(REPORT, figures={**REPORT.figures, "chats_by_outcome": outcomes})
    coverage = plain_text(report, identity).split("## Coverage")[1]
    assert str(CUT) % {"count": 2} in coverage
    assert "newest part" not in plain_text(REPORT, identity)


def test_the_sandbox_is_marked_in_every_form() -> None:
    practice = replace(REPORT, sandbox=True)
    assert "SANDBOX" in plain_text(practice, identity)
    assert "SANDBOX" in telegram_parts(practice, identity).parts[0]
    assert "SANDBOX" not in plain_text(REPORT, identity)


def test_every_number_comes_from_the_figures() -> None:
    body = plain_text(FIGURES_ONLY, identity).split("## ", 1)[1].replace("9 of 10 within", "")
    # 60 s, 180 s, 276 s and 60 s again are the only durations of the fixture.
    allowed = {"0", "1", "2", "3", "4", "500", "1 min", "3 min", "4 min"}
    assert set(re.findall(r"\d[\d\u00a0]*(?: min| h| s| d)?", body)) <= allowed


def test_unconfirmed_claims_stand_apart() -> None:
    text = plain_text(REPORT, identity)
    assert text.index("Not confirmed by any message") < text.index("Somebody was rude")


def test_unconfirmed_claims_do_not_go_to_the_group() -> None:
    assert "Somebody was rude" not in "".join(telegram_parts(REPORT, identity).parts)


def test_only_an_https_address_becomes_a_link() -> None:
    assert "<a " not in "".join(telegram_parts(replace(REPORT, url="http://synkro.test/r/7"), identity).parts)


def test_times_without_data_say_so_once() -> None:
    silent = dict.fromkeys(
        ("first_response_median_s", "first_response_p90_s", "response_median_s", "response_p90_s"), None
    )
    figures = {**FIGURES_ONLY.figures, **silent}
    text = plain_text(replace(FIGURES_ONLY, figures=figures), identity)
    assert "Around the clock. First response: no data. All responses: no data\n" in text


def test_no_figures_at_all_still_make_a_report() -> None:
    empty = replace(FIGURES_ONLY, figures={**FIGURES_ONLY.figures, "by_manager": []})
    assert "Managers" not in plain_text(empty, identity)
