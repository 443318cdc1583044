"""The page of the schedule, and the buttons of a report that waits."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
import time_machine
from sqlalchemy import delete, select

from synkro.models import AuditLog, Automation, IntegrationConfig, JobRun, Report, Tenant, User
from synkro.models.states import RunKind, TenantStatus
from synkro.services.companies import tenants
from synkro.services.connections import setup
from synkro.services.reports import artifacts, runs, schedules
from synkro.tenancy import db, tenant_scope
from tests.support.having import assert_has
from tests.support.rows import make_report
from tests.support.web_client import Browser, Enter

PATH = "/settings/automation"
FRIDAY = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def browser(enter: Enter) -> Browser:
    return enter("settings")


@pytest.fixture(autouse=True)
def friday() -> Iterator[None]:
    with time_machine.travel(FRIDAY, tick=True):
        yield


class Fields(HTMLParser):
    """What a browser would send of the form of the schedule."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._inside, self._select = False, ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        got = {name: value or "" for name, value in attrs}
        self._inside = got.get("action") == PATH if tag == "form" else self._inside
        if not self._inside:
            return
        if tag == "select":
            self._select = got["name"]
        if tag == "option" and "selected" in got:
            self.found[self._select] = got["value"]
        if tag == "input" and "name" in got and (got["type"] not in ("checkbox", "radio") or "checked" in got):
            self.found[got["name"]] = got.get("value", "on")


def form_of(browser: Browser) -> dict[str, str]:
    return Fields(browser.get(PATH).text).found


def save(browser: Browser, **changes: str | None) -> Any:
    fields = {**form_of(browser), **changes}
    return browser.post(PATH, data={name: value for name, value in fields.items() if value is not None})


def row(tenant: Tenant) -> Automation:
    with tenant_scope(tenant.id):
        automation = schedules.of_tenant()
        assert automation is not None
        return automation


def company(tenant: Tenant) -> Tenant:
    return db.session.get_one(Tenant, tenant.id, populate_existing=True)


def acts(tenant: Tenant) -> list[AuditLog]:
    with tenant_scope(tenant.id):
        own = select(AuditLog).where(AuditLog.tenant_id == tenant.id).order_by(AuditLog.seq)
        return list(db.session.execute(own).scalars())


WEEKLY = {"kind": "weekly", "weekday": "4", "at": "07:30", "timezone": "Asia/Kathmandu", "boundary_hour": "6"}


def test_what_was_chosen_is_kept(browser: Browser, tenant: Tenant) -> None:
    answer = save(browser, **WEEKLY, language="kk", mode="hold", not_later_than="10:00")
    assert_has(answer, status_code=303, location=f"{PATH}#next")
    kept = row(tenant)
    assert_has(kept, kind=RunKind.WEEKLY, weekday=4, at=time(7, 30), boundary_hour=6)
    assert_has(kept, is_held=True, not_later_than=time(10))
    assert_has(company(tenant), timezone="Asia/Kathmandu", language="kk")


def test_opening_and_saving_changes_nothing(browser: Browser, tenant: Tenant) -> None:
    save(browser, **WEEKLY, mode="hold", not_later_than="10:00", on_5="y", from_5="10:00", to_5="24:00", on_0=None)
    before, written = (row(tenant).updated_at, form_of(browser)), len(acts(tenant))
    assert save(browser).status_code == 303
    assert row(tenant).updated_at == before[0]
    assert {**form_of(browser), "csrf_token": ""} == {**before[1], "csrf_token": ""}
    assert len(acts(tenant)) == written


def test_the_next_three_are_shown_in_the_time_of_the_company(browser: Browser) -> None:
    save(browser, **WEEKLY)
    page = browser.get(PATH).text
    for piece in ("Friday, 27 November 2026, 07:30", "Friday, 4 December 2026, 07:30", "Friday, 11 December 2026"):
        assert piece in page
    assert "20.11.2026 06:00 – 27.11.2026 06:00" in page


def test_it_is_written_down_with_what_has_changed(browser: Browser, tenant: Tenant) -> None:
    save(browser)
    save(browser, at="08:00", language="en")
    last = acts(tenant)[-1]
    assert_has(last, act="schedule_saved", actor="settings@example.com", details={"fields": ["language", "at"]})


def test_another_time_begins_anew_and_other_days_and_words_do_not(browser: Browser, tenant: Tenant) -> None:
    save(browser)
    first = row(tenant).updated_at
    save(browser, on_5="y", not_later_than="12:00", mode="hold", language="en")
    assert row(tenant).updated_at == first
    save(browser, at="05:00")
    assert row(tenant).updated_at != first


def test_a_report_that_is_being_made_keeps_its_zone_and_language(browser: Browser, tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        run, _ = runs.start(company(tenant), RunKind.MANUAL, FRIDAY - timedelta(days=2), FRIDAY - timedelta(days=1))
    save(browser, timezone="Europe/Moscow", language="en")
    with tenant_scope(tenant.id):
        kept = db.session.get_one(JobRun, run.id)
    assert_has(kept, timezone="Asia/Almaty", language="ru")


def test_hours_are_kept_by_the_day_and_midnight_may_end_them(browser: Browser, tenant: Tenant) -> None:
    save(browser, on_0=None, from_1="00:00", to_1="24:00", from_2="22:00", to_2="00:00", on_6="y")
    assert row(tenant).working_hours == {
        "week": [[], [[0, 1440]], [[1320, 1440]], [[540, 1080]], [[540, 1080]], [], [[540, 1080]]]
    }


WRONG = {
    "no such zone": {"timezone": "Mars/Phobos"},
    "a zone that is a path": {"timezone": "../etc/passwd"},
    "no time": {"at": ""},
    "a time that is none": {"at": "25:00"},
    "a time of letters": {"at": "seven"},
    "another kind": {"kind": "hourly"},
    "an hour that is none": {"boundary_hour": "24"},
    "an hour of letters": {"boundary_hour": "six"},
    "a weekday that is none": {"weekday": "7"},
    "another language": {"language": "de"},
    "another mode": {"mode": "never"},
    "an end before its start": {"from_1": "18:00", "to_1": "09:00"},
    "an end at its start": {"from_1": "09:00", "to_1": "09:00"},
    "a working day without hours": {"from_1": "", "to_1": ""},
    "no working day": {f"on_{day}": None for day in range(7)},
    "no time to make it": {"at": "09:00", "not_later_than": "09:00"},
    "a field of its own": {"is_held": "1"},
    "a zero in the zone": {"timezone": "Asia/Almaty\x00"},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_what_cannot_be_is_refused_and_nothing_kept(
    browser: Browser, tenant: Tenant, changes: dict[str, str | None]
) -> None:
    save(browser, kind="daily")
    before, place = row(tenant), (company(tenant).timezone, company(tenant).language)
    answer = save(browser, **changes)
    after = row(tenant)
    assert answer.status_code == 422
    assert [(after.kind, after.at, after.working_hours), (company(tenant).timezone, company(tenant).language)] == [
        (before.kind, before.at, before.working_hours),
        place,
    ]


def test_a_day_off_needs_no_hours(browser: Browser, tenant: Tenant) -> None:
    assert save(browser, on_1=None, from_1="", to_1="").status_code == 303
    assert row(tenant).working_hours["week"][1] == []


def test_by_hand_the_two_times_do_not_meet(browser: Browser) -> None:
    assert save(browser, kind="manual", at="09:00", not_later_than="09:00").status_code == 303


@pytest.fixture
def nothing_chosen(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        db.session.execute(delete(Automation))
        db.session.commit()


@pytest.mark.usefixtures("nothing_chosen")
def test_a_step_that_is_not_open_is_shown_and_not_saved(browser: Browser, tenant: Tenant) -> None:
    assert "This step opens later" in browser.get(PATH).text
    answer = save(browser)
    assert answer.status_code == 409
    assert "until then there is nothing to report" in answer.text
    with tenant_scope(tenant.id):
        assert schedules.of_tenant() is None


@pytest.fixture
def usable(nothing_chosen: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every service was connected: the ways there have tests of their own."""
    monkeypatch.setattr(setup, "_state", lambda *_: ("unproved", ""))


def crm_says(tenant: Tenant, colour: str, zone: str) -> None:
    with tenant_scope(tenant.id):
        db.session.add(
            IntegrationConfig(
                tenant_id=tenant.id, kind="amocrm", check_colour=colour, check_params={"zone": zone}, settings={}
            )
        )
        db.session.commit()


@pytest.mark.usefixtures("usable")
@pytest.mark.parametrize(
    ("colour", "zone", "offered"),
    [
        ("green", "Europe/Moscow", "Europe/Moscow"),
        ("green", "US/Eastern", "US/Eastern"),
        ("red", "Europe/Moscow", "Asia/Almaty"),
        ("green", "", "Asia/Almaty"),
        ("green", "../Moscow", "Asia/Almaty"),
    ],
)
def test_the_zone_of_the_crm_is_proposed(
    browser: Browser, tenant: Tenant, colour: str, zone: str, offered: str
) -> None:
    crm_says(tenant, colour, zone)
    assert form_of(browser)["timezone"] == offered


@pytest.mark.usefixtures("usable")
def test_what_was_saved_goes_before_the_zone_of_the_crm(browser: Browser, tenant: Tenant) -> None:
    crm_says(tenant, "green", "Europe/Moscow")
    save(browser, timezone="Asia/Aqtau")
    assert form_of(browser)["timezone"] == "Asia/Aqtau"


@pytest.mark.usefixtures("usable")
def test_the_first_choice_makes_the_schedule(browser: Browser, tenant: Tenant) -> None:
    assert "Save the schedule, and the next three reports stand here." in browser.get(PATH).text
    assert save(browser).status_code == 303
    kept = row(tenant)
    assert_has(kept, kind=RunKind.DAILY, at=time(7), is_held=False)


def test_the_zones_of_the_neighbours_come_first(browser: Browser) -> None:
    page = browser.get(PATH).text
    places = [page.index(f'label="{group}"') for group in ("Kazakhstan", "Russia", "All other zones")]
    assert places == sorted(places)
    assert "Almaty (UTC+5)" in page
    assert "(UTC+5:45)" in page
    assert "(UTC−3:30)" in page


def test_a_paused_company_is_told_so(browser: Browser, tenant: Tenant) -> None:
    save(browser, kind="daily")
    company(tenant).status = TenantStatus.PAUSED
    db.session.commit()
    assert "The company is paused: no reports are made" in browser.get(PATH).text


def test_the_language_of_the_company_is_not_that_of_its_people(browser: Browser) -> None:
    save(browser, language="kk")
    assert "Working hours" in browser.get(PATH).text


@pytest.fixture
def held(tenant: Tenant, cast: dict[str, User]) -> uuid.UUID:
    report_id = make_report(tenant)
    with tenant_scope(tenant.id):
        report = db.session.get_one(Report, report_id)
        report.held_at = FRIDAY
        artifacts.put(report.run_id, artifacts.FINAL, 0, [{}], {})
        db.session.commit()
    return report_id


SEND = "Send to the group"


def test_a_report_that_waits_says_so(enter: Enter, held: uuid.UUID) -> None:
    page = enter("user").get(f"/reports/{held}").text
    assert "The group has not seen this report yet" in page
    assert SEND not in page


def test_a_report_that_goes_by_itself_says_when(enter: Enter, tenant: Tenant, held: uuid.UUID) -> None:
    with tenant_scope(tenant.id):
        db.session.get_one(Report, held).goes_at = FRIDAY + timedelta(hours=3)
        db.session.commit()
    assert "20 Nov 2026, 20:00" in enter("settings").get(f"/reports/{held}").text


def test_a_person_with_the_right_sends_it_on_once(browser: Browser, tenant: Tenant, held: uuid.UUID) -> None:
    assert SEND in browser.get(f"/reports/{held}").text
    first, second = (browser.send(f"/reports/{held}/release") for _ in range(2))
    assert first.status_code == 303
    assert second.status_code == 303
    assert [act.actor for act in acts(tenant) if act.act == "report_released"] == ["settings@example.com"]
    assert SEND not in browser.get(f"/reports/{held}").text


def test_a_report_that_does_not_wait_is_not_sent(browser: Browser, tenant: Tenant) -> None:
    assert browser.send(f"/reports/{make_report(tenant)}/release").status_code == 409


def test_the_report_of_another_company_is_none(browser: Browser, other_tenant: Tenant) -> None:
    assert browser.send(f"/reports/{make_report(other_tenant)}/release").status_code == 404


def test_a_zone_that_a_company_already_has_stays_on_offer(browser: Browser, tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        tenants.settle(tenant.id, "US/Eastern", "ru")
        db.session.commit()
    assert form_of(browser)["timezone"] == "US/Eastern"
