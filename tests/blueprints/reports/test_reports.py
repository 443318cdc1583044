"""The list of reports, the page of one, comments."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest

from synkro.models import Tenant, User
from synkro.models.states import ReportStatus, StepStatus
from synkro.services.reports import reports
from synkro.tenancy import db, tenant_scope
from tests.support.rows import BODY, NOON, make_report, manager, quote, set_step
from tests.support.web_client import Browser, Enter

EVIL = "<script>alert('x')</script>"
ROW = '<th scope="row">'


@pytest.fixture
def user(enter: Enter) -> Browser:
    return enter("user")


def page(user: Browser, report_id: uuid.UUID) -> str:
    answer = user.get(f"/reports/{report_id}")
    assert answer.status_code == 200
    return answer.text


def test_empty_list_says_what_to_do(user: Browser) -> None:
    assert "No reports yet" in user.get("/reports").text


def test_list_is_paged(user: Browser, tenant: Tenant) -> None:
    for day in range(21):
        make_report(tenant, NOON - timedelta(days=day), body=None)
    first, second = (user.get(f"/reports?page={n}").text for n in (1, 2))
    assert first.count(ROW) == 20
    assert second.count(ROW) == 1
    assert "19.11.2026" in first
    assert 'href="/reports?page=2"' in first
    assert "30.10.2026" in second


@pytest.mark.parametrize("number", ["0", "-1", "999999999999999999999", "9" * 5000, "x", "", "1.5", "\x00", "१"])
def test_odd_page_numbers_open_a_page(user: Browser, tenant: Tenant, number: str) -> None:
    make_report(tenant)
    answer = user.get("/reports", query_string={"page": number})
    assert answer.status_code == 200
    assert answer.text.count(ROW) == 1


def test_list_is_of_the_own_company(enter: Enter, tenant: Tenant) -> None:
    make_report(tenant)
    assert ROW not in enter("other").get("/reports").text


def test_page_shows_figures_with_what_they_mean(user: Browser, tenant: Tenant) -> None:
    text = page(user, make_report(tenant))
    for piece in ("A calm day", "1\u00a0136", "6 min", "1\u00a0500\u00a0000", "no data", "19.11.2026", "Almaty"):
        assert piece in text
    assert "Deals changed inside the period, without deleted ones and the incoming stage." in text


def test_page_shows_what_was_lost_on_the_way(user: Browser, tenant: Tenant) -> None:
    text = page(user, make_report(tenant))
    assert re.search(r'no phone\s+<b class="num">16</b>', text)
    assert re.search(r'<b class="num">85</b>\s*<span>Analysed</span>', text)


def test_findings_stand_beside_their_messages(user: Browser, tenant: Tenant) -> None:
    text = page(user, make_report(tenant))
    for piece in ("Two clients wait for a price", "How much is it?", "+7 701 ••• 45 67", "Everybody is happy"):
        assert piece in text
    assert "Dana: answers fast" in text


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        ("file", "[file] Offer.pdf", "File: Offer.pdf</blockquote>"),
        ("voice", "[voice]", "Voice message</blockquote>"),
        ("hologram", "[hologram] hello", "Attachment: hello</blockquote>"),
        ("image", "What the picture says", "<blockquote>What the picture says</blockquote>"),
        ("text", "[text] is what I wrote", "<blockquote>[text] is what I wrote</blockquote>"),
    ],
)
def test_message_without_words_is_named(user: Browser, tenant: Tenant, kind: str, text: str, shown: str) -> None:
    claim = {**BODY["findings"][0], "evidence": [quote(text, kind=kind)]}
    assert shown in page(user, make_report(tenant, body={**BODY, "findings": [claim]}))


def test_quote_of_an_older_report_has_no_kind(user: Browser, tenant: Tenant) -> None:
    said = quote("[file] Offer.pdf")
    del said["kind"]
    claim = {**BODY["findings"][0], "evidence": [said]}
    text = page(user, make_report(tenant, body={**BODY, "findings": [claim]}))
    assert "<blockquote>[file] Offer.pdf</blockquote>" in text


def test_moments_are_of_the_companys_zone(user: Browser, tenant: Tenant) -> None:
    assert "19 Nov, 11:30" in page(user, make_report(tenant))


def hostile() -> dict[str, Any]:
    evidence = [quote(EVIL, client=EVIL, phone=EVIL)]
    return {
        "text": f"# {EVIL}\n\n{EVIL}\n\n[x](javascript:alert(1))\n",
        "findings": [{"kind": EVIL, "text": EVIL, "evidence": evidence}],
        "unconfirmed": [EVIL],
        "managers": [{"name": EVIL, "remark": EVIL, "evidence": evidence}],
    }


def test_hostile_text_stays_text(user: Browser, tenant: Tenant) -> None:
    report_id = make_report(tenant, body=hostile(), summary=EVIL, figures={"by_manager": [manager(EVIL)]})
    user.send(f"/reports/{report_id}/comments", text=EVIL)
    for path in (f"/reports/{report_id}", "/reports", "/dashboard"):
        text = user.get(path).text
        assert "<script>alert" not in text, path
        assert "&lt;script&gt;alert" in text, path
        assert 'href="javascript' not in text, path


def test_text_that_is_gone_is_with_the_client(user: Browser, tenant: Tenant) -> None:
    text = page(user, make_report(tenant, body=None))
    assert "The full text and the findings lie in your company&#39;s Supabase" in text
    assert 'id="findings"' not in text


BY_HOUR = [0] * 9 + [5, 9, 12, 4] + [0] * 11


@pytest.mark.parametrize(
    ("open_hours", "bands", "outside"),
    [
        ([10, 11, 12, 13], [(10, 4)], 1),
        ([9, 11, 12, 22, 23], [(9, 1), (11, 2), (22, 2)], 1),
        ([], [], 4),
        ([*range(24)], [(0, 24)], 0),
    ],
    ids=str,
)
def test_chart_shades_the_hours_that_the_figures_used(
    user: Browser, tenant: Tenant, open_hours: list[int], bands: list[tuple[int, int]], outside: int
) -> None:
    figures = {"inbound_by_hour": BY_HOUR, "open_hours": open_hours}
    page = user.get(f"/reports/{make_report(tenant, figures=figures)}").text
    drawn = re.findall(r'class="band" x="([\d.]+)%" y="0"\s+width="([\d.]+)%"', page)
    hours = [(round(float(x) * 0.24), round(float(width) * 0.24)) for x, width in drawn]
    assert hours == bands
    assert page.count("bar--off") == outside
    assert "outside working hours" in page


def test_chart_of_a_report_that_does_not_know_its_hours_shades_none(user: Browser, tenant: Tenant) -> None:
    page = user.get(f"/reports/{make_report(tenant, figures={'inbound_by_hour': BY_HOUR})}").text
    assert 'class="bar"' in page
    assert not any(words in page for words in ('class="band"', "bar--off", "outside working hours"))


def test_report_of_figures_alone_says_why(user: Browser, tenant: Tenant) -> None:
    bare = {**BODY, "findings": [], "managers": [], "unconfirmed": []}
    report_id = make_report(tenant, body=bare, summary="", status=ReportStatus.FIGURES_ONLY)
    with tenant_scope(tenant.id):
        report = reports.find(report_id)
        assert report is not None
        run_id = report.run_id
    set_step(tenant, run_id, 6, status=StepStatus.DONE, colour="yellow", code="ai_not_connected")
    text = page(user, report_id)
    assert "The AI is not connected, so the dialogs were not analysed." in text
    assert "There is no summary in this report." in text


def test_report_of_an_analysis_that_is_not_whole_says_why(user: Browser, tenant: Tenant) -> None:
    report_id = make_report(tenant)
    assert "Not all dialogs were analysed" not in page(user, report_id)
    with tenant_scope(tenant.id):
        report = reports.find(report_id)
        assert report is not None
        run_id = report.run_id
    set_step(tenant, run_id, 6, status=StepStatus.DONE, colour="yellow", code="ai_key_invalid")
    text = page(user, report_id)
    assert "Not all dialogs were analysed" in text
    assert "Google does not accept the API key." in text


def test_report_counts_the_dialogs_that_were_cut(user: Browser, tenant: Tenant) -> None:
    report_id = make_report(tenant, figures={"chats_by_outcome": {"analysed": 80, "analysed_in_part": 3}})
    assert "only the newest part was sent to the AI: 3" in page(user, report_id)


def test_silence_is_told_as_time_since_the_clients_last_message(user: Browser, tenant: Tenant) -> None:
    text = page(user, make_report(tenant))
    assert "since the client&#39;s last message: 8" in text
    assert "Waiting longer than" not in text


def test_older_report_without_newer_figures_opens(user: Browser, tenant: Tenant) -> None:
    report_id = make_report(tenant)
    with tenant_scope(tenant.id):
        report = reports.find(report_id)
        assert report is not None
        report.figures, report.coverage = {"leads_in_window": 3}, [{"stage": "new", "count": 3, "lost": {"why": 1}}]
        db.session.commit()
    assert "no data" in page(user, report_id)


def test_neighbours_lead_on(user: Browser, tenant: Tenant) -> None:
    old, middle, new = (make_report(tenant, NOON + timedelta(days=day)) for day in (-1, 0, 1))
    text = page(user, middle)
    assert f'href="/reports/{old}"' in text
    assert f'href="/reports/{new}"' in text


def test_comment_is_added(user: Browser, tenant: Tenant) -> None:
    report_id = make_report(tenant)
    answer = user.send(f"/reports/{report_id}/comments", text="Call them at ten")
    assert answer.location == f"/reports/{report_id}#comments"
    text = page(user, report_id)
    assert "Call them at ten" in text
    assert "<b>User</b>" in text
    assert "Call them at ten" in user.get("/reports").text


@pytest.mark.parametrize("text", ["", "   ", "\x00", "x" * 4001])
def test_comment_that_can_not_be_is_refused(user: Browser, tenant: Tenant, text: str) -> None:
    report_id = make_report(tenant)
    assert user.send(f"/reports/{report_id}/comments", text=text).status_code == 422
    with tenant_scope(tenant.id):
        assert reports.comments(report_id) == []


def test_stranger_can_not_comment(enter: Enter, tenant: Tenant, cast: dict[str, User]) -> None:
    report_id = make_report(tenant)
    assert enter("other").send(f"/reports/{report_id}/comments", text="Hello").status_code == 404
    with tenant_scope(tenant.id):
        assert reports.comments(report_id) == []
