"""Which reports fall due, and when: local wall time, whatever the zone of the server."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from datetime import time as wall
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from synkro.jobs.engine import tick
from synkro.models import JobRun, Tenant
from synkro.models.states import RunKind, RunStatus, TenantStatus
from synkro.services.reports import runs, schedules
from synkro.tenancy import db, system_scope, tenant_scope
from tests.support.runs_by_hand import KEYS, at_once, begin, failed

ALMATY = ZoneInfo("Asia/Almaty")
HOUR = timedelta(hours=1)


def local(*parts: int, zone: ZoneInfo = ALMATY) -> datetime:
    return datetime(*parts, tzinfo=zone)  # type: ignore[arg-type,misc]


def plan(tenant: Tenant, kind: RunKind, at: wall, *, since: datetime, weekday: int = 0, boundary_hour: int = 0) -> None:
    with tenant_scope(tenant.id):
        automation = schedules.of_tenant()
        assert automation is not None
        automation.kind, automation.at, automation.weekday = kind, at, weekday
        automation.boundary_hour, automation.updated_at = boundary_hour, since
        db.session.commit()


def ticked(moment: datetime) -> None:
    with time_machine.travel(moment, tick=False):
        tick.tick()


def made(tenant: Tenant) -> list[JobRun]:
    with tenant_scope(tenant.id):
        return list(db.session.execute(select(JobRun).order_by(JobRun.window_start)).scalars())


def windows(tenant: Tenant, zone: ZoneInfo = ALMATY) -> list[str]:
    edges = [(run.window_start.astimezone(zone), run.window_end.astimezone(zone)) for run in made(tenant)]
    return [f"{start:%d.%m %H} - {end:%d.%m %H}" for start, end in edges]


def end_all(tenant: Tenant) -> None:
    """The active run comes to its end."""
    with tenant_scope(tenant.id):
        if run := runs.active():
            run.status = RunStatus.SUCCEEDED
            db.session.commit()


LONG_AGO = local(2026, 1, 1)


def test_thirty_days_with_two_schedulers_give_thirty_runs(app: Flask, tenant: Tenant) -> None:
    plan(tenant, RunKind.DAILY, wall(7, 0), since=local(2026, 3, 1))
    first = local(2026, 3, 2, 6, 50)
    for hour in range(0, 30 * 24, 6):
        with time_machine.travel(first + hour * HOUR + timedelta(minutes=15), tick=False):
            at_once(app, tenant, 2, lambda _: tick.tick())
        end_all(tenant)
    found = made(tenant)
    assert len(found) == 30
    assert len({run.window_start for run in found}) == 30
    assert found[-1].window_end - found[0].window_start == timedelta(days=30)


def test_ticks_at_once_start_a_due_report_once(app: Flask, tenant: Tenant) -> None:
    plan(tenant, RunKind.DAILY, wall(7, 0), since=LONG_AGO)
    with time_machine.travel(local(2026, 3, 2, 7, 1), tick=False):
        at_once(app, tenant, 6, lambda _: tick.tick())
    assert len(made(tenant)) == 1


@pytest.fixture(params=["UTC", "America/Los_Angeles", "Pacific/Kiritimati"])
def server_zone(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


@pytest.mark.usefixtures("server_zone")
def test_the_zone_of_the_server_does_not_matter(tenant: Tenant) -> None:
    plan(tenant, RunKind.DAILY, wall(7, 0), since=LONG_AGO)
    ticked(local(2026, 3, 2, 6, 59))
    assert made(tenant) == []
    ticked(local(2026, 3, 2, 7, 0))
    assert windows(tenant) == ["01.03 00 - 02.03 00"]


def test_a_weekly_report_right_after_midnight_has_the_whole_week(tenant: Tenant) -> None:
    plan(tenant, RunKind.WEEKLY, wall(0, 15), since=LONG_AGO)
    ticked(local(2026, 3, 9, 0, 14))
    assert made(tenant) == []
    ticked(local(2026, 3, 9, 0, 15))  # a Monday there; Sunday in UTC
    assert windows(tenant) == ["02.03 00 - 09.03 00"]


def test_a_weekly_report_may_end_on_another_day(tenant: Tenant) -> None:
    plan(tenant, RunKind.WEEKLY, wall(8, 0), since=LONG_AGO, weekday=4)
    ticked(local(2026, 3, 9, 12))
    assert windows(tenant) == ["27.02 00 - 06.03 00"]


def test_a_monthly_report_has_the_month_before(tenant: Tenant) -> None:
    plan(tenant, RunKind.MONTHLY, wall(9, 0), since=LONG_AGO)
    ticked(local(2026, 3, 1, 9))
    assert windows(tenant) == ["01.02 00 - 01.03 00"]


def test_the_day_on_which_almaty_turned_its_clocks_back_has_25_hours(tenant: Tenant) -> None:
    plan(tenant, RunKind.DAILY, wall(9, 0), since=local(2024, 2, 1))
    for day, utc_hour in ((29, 3), (1, 4)):  # 9:00 there is 3:00 UTC until the 29th of February, 4:00 after it
        month = 2 if day == 29 else 3
        at = datetime(2024, month, day, utc_hour, tzinfo=UTC)
        before = len(made(tenant))
        ticked(at - timedelta(minutes=1))
        assert len(made(tenant)) == before
        ticked(at)
        assert len(made(tenant)) == before + 1
        end_all(tenant)
    ticked(local(2024, 3, 2, 9))
    end_all(tenant)
    lengths = [run.window_end - run.window_start for run in made(tenant)]
    assert sorted(lengths) == [24 * HOUR, 24 * HOUR, 25 * HOUR]
    edges = [(run.window_start, run.window_end) for run in made(tenant)]
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(edges))


def test_a_day_that_ends_at_six_is_reported_with_its_night(tenant: Tenant) -> None:
    plan(tenant, RunKind.DAILY, wall(7, 0), since=LONG_AGO, boundary_hour=6)
    ticked(local(2026, 3, 2, 7))
    assert windows(tenant) == ["01.03 06 - 02.03 06"]


def test_a_report_before_the_end_of_the_day_comes_next_morning(tenant: Tenant) -> None:
    plan(tenant, RunKind.DAILY, wall(5, 0), since=LONG_AGO, boundary_hour=6)
    ticked(local(2026, 3, 2, 5))
    assert windows(tenant) == ["28.02 06 - 01.03 06"]


def test_a_schedule_set_after_its_hour_begins_with_the_next_window(tenant: Tenant) -> None:
    plan(tenant, RunKind.DAILY, wall(7, 0), since=local(2026, 3, 2, 12))
    ticked(local(2026, 3, 2, 12, 1))
    assert made(tenant) == []
    ticked(local(2026, 3, 3, 7))
    assert windows(tenant) == ["02.03 00 - 03.03 00"]


def test_missed_days_give_one_report(tenant: Tenant) -> None:
    plan(tenant, RunKind.DAILY, wall(7, 0), since=LONG_AGO)
    ticked(local(2026, 3, 2, 7))
    end_all(tenant)
    for minute in range(3):
        ticked(local(2026, 3, 6, 15, minute))
        end_all(tenant)
    assert windows(tenant) == ["01.03 00 - 02.03 00", "05.03 00 - 06.03 00"]


def test_an_active_run_delays_a_report_and_does_not_lose_it(tenant: Tenant) -> None:
    plan(tenant, RunKind.DAILY, wall(7, 0), since=LONG_AGO)
    with time_machine.travel(local(2026, 3, 2, 6, 30), tick=False):
        begin(tenant, start=local(2026, 2, 20))
    ticked(local(2026, 3, 2, 7))
    assert len(made(tenant)) == 1
    end_all(tenant)
    ticked(local(2026, 3, 2, 9))
    assert windows(tenant)[-1] == "01.03 00 - 02.03 00"


def test_a_failed_report_is_not_begun_by_the_clock_again(tenant: Tenant) -> None:
    plan(tenant, RunKind.DAILY, wall(7, 0), since=LONG_AGO)
    ticked(local(2026, 3, 2, 7))
    failed(tenant, made(tenant)[0].id, KEYS[0])
    ticked(local(2026, 3, 2, 8))
    assert [run.status for run in made(tenant)] == [RunStatus.FAILED]


def test_a_paused_company_gets_none(tenant: Tenant) -> None:
    plan(tenant, RunKind.DAILY, wall(7, 0), since=LONG_AGO)
    tenant.status = TenantStatus.PAUSED
    db.session.commit()
    ticked(local(2026, 3, 2, 7))
    assert made(tenant) == []


def test_a_company_that_asks_by_hand_gets_none(tenant: Tenant) -> None:
    plan(tenant, RunKind.MANUAL, wall(7, 0), since=LONG_AGO)
    ticked(local(2026, 3, 2, 7))
    assert made(tenant) == []


def test_each_company_has_its_own_morning(tenant: Tenant, other_tenant: Tenant) -> None:
    other_tenant.timezone = "Europe/Moscow"
    db.session.commit()
    for one in (tenant, other_tenant):
        plan(one, RunKind.DAILY, wall(7, 0), since=LONG_AGO)
    ticked(local(2026, 3, 2, 7))
    assert len(made(tenant)) == 1
    assert len(made(other_tenant)) == 0
    ticked(local(2026, 3, 2, 9))
    assert windows(other_tenant, ZoneInfo("Europe/Moscow")) == ["01.03 00 - 02.03 00"]


def test_companies_that_fall_due_at_once_all_get_theirs(tenant: Tenant, other_tenant: Tenant) -> None:
    for one in (tenant, other_tenant):
        plan(one, RunKind.DAILY, wall(7, 0), since=LONG_AGO)
    ticked(local(2026, 3, 2, 7))
    assert [len(made(one)) for one in (tenant, other_tenant)] == [1, 1]


@pytest.mark.parametrize(
    ("kind", "now", "at"),
    [
        (RunKind.DAILY, local(2026, 3, 2, 6), local(2026, 3, 2, 7)),
        (RunKind.DAILY, local(2026, 3, 2, 8), local(2026, 3, 3, 7)),
        (RunKind.WEEKLY, local(2026, 3, 3, 8), local(2026, 3, 9, 7)),
        (RunKind.MONTHLY, local(2026, 3, 3, 8), local(2026, 4, 1, 7)),
    ],
)
def test_what_comes_next_is_what_the_tick_does(tenant: Tenant, kind: RunKind, now: datetime, at: datetime) -> None:
    plan(tenant, kind, wall(7, 0), since=LONG_AGO)
    with time_machine.travel(now, tick=False), tenant_scope(tenant.id):
        planned = schedules.next_run(tenant)
    assert planned is not None
    assert planned.at == at
    ticked(now)
    end_all(tenant)
    ticked(at - timedelta(minutes=1))
    before = len(made(tenant))
    ticked(at)
    assert len(made(tenant)) == before + 1
    assert made(tenant)[-1].window_end == planned.window.end


def test_nothing_comes_next_for_a_paused_company(tenant: Tenant) -> None:
    plan(tenant, RunKind.DAILY, wall(7, 0), since=LONG_AGO)
    tenant.status = TenantStatus.PAUSED
    with tenant_scope(tenant.id):
        assert schedules.next_run(tenant) is None


def test_what_is_due_is_asked_of_all_companies_at_once(tenant: Tenant) -> None:
    plan(tenant, RunKind.DAILY, wall(7, 0), since=LONG_AGO)
    with time_machine.travel(local(2026, 3, 2, 7), tick=False), system_scope("test"):
        assert [due.tenant_id for due in schedules.due_now()] == [tenant.id]
