"""What comes next by a schedule: at the chosen time of the wall, in every zone, without a gap or an overlap."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
import time_machine
from hypothesis import example, given
from hypothesis import strategies as st

from synkro.models import Automation, Tenant
from synkro.models.states import RunKind, TenantStatus
from synkro.services.reports import schedules
from synkro.services.reports.schedules import Planned
from synkro.tenancy import db, tenant_scope

ALMATY = ZoneInfo("Asia/Almaty")
ZONES = sorted(available_timezones() - {"Factory", "localtime"})
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0, tzinfo=None))
SCHEDULES = st.builds(
    Automation,
    kind=st.sampled_from([RunKind.DAILY, RunKind.WEEKLY, RunKind.MONTHLY]),
    at=TIMES,
    weekday=st.integers(0, 6),
    boundary_hour=st.integers(0, 23),
)
YEAR_2015, YEAR_2035 = 1_420_070_400, 2_051_222_400
MOMENTS = st.integers(YEAR_2015, YEAR_2035).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
NUUK_AT_NIGHT = Automation(kind=RunKind.DAILY, at=time(23, 30), weekday=0, boundary_hour=23)
"""There the clock jumps from 23:00 to the next day."""
BEFORE_THE_JUMP = datetime(2026, 3, 27, 12, tzinfo=UTC)
IN_THE_GAP = Automation(kind=RunKind.DAILY, at=time(2, 30), weekday=0, boundary_hour=2)
"""In Berlin neither 2:00 nor 2:30 is there on the 29th of March 2026."""
TWO_HOURS = Automation(kind=RunKind.DAILY, at=time(3, 0), weekday=0, boundary_hour=2)
"""In Troll the clock jumps from 1:00 to 3:00."""


def next_of(automation: Automation, zone: str, now: datetime, count: int = 5) -> list[Planned]:
    return list(islice(schedules.coming(automation, ZoneInfo(zone), now), count))


@given(SCHEDULES, st.sampled_from(ZONES), MOMENTS)
@example(NUUK_AT_NIGHT, "America/Nuuk", BEFORE_THE_JUMP)
@example(IN_THE_GAP, "Europe/Berlin", BEFORE_THE_JUMP)
@example(TWO_HOURS, "Antarctica/Troll", BEFORE_THE_JUMP)
def test_runs_follow_one_another_without_gap_or_overlap(automation: Automation, zone: str, now: datetime) -> None:
    runs = next_of(automation, zone, now)
    assert runs[0].at > now
    for earlier, later in pairwise(runs):
        assert earlier.at.astimezone(UTC) < later.at.astimezone(UTC)
        assert earlier.window.end == later.window.start
    assert all(run.at >= run.window.end for run in runs)


@given(SCHEDULES, st.sampled_from(ZONES), MOMENTS)
@example(NUUK_AT_NIGHT, "America/Nuuk", BEFORE_THE_JUMP)
@example(IN_THE_GAP, "Europe/Berlin", BEFORE_THE_JUMP)
def test_every_run_is_at_the_chosen_time_of_the_wall(automation: Automation, zone: str, now: datetime) -> None:
    for run in next_of(automation, zone, now):
        if run.at.time() != automation.at:
            assert not on_the_wall(automation.at, run.at) or run.at == run.window.end


def on_the_wall(at: time, day: datetime) -> bool:
    """Whether the clock shows this time on the day, or on the one before it where the day was jumped into."""
    zone = day.tzinfo
    moments = [datetime.combine((day - timedelta(days=back)).date(), at, zone) for back in (0, 1)]
    return all(moment.astimezone(UTC).astimezone(zone).time() == at for moment in moments)


@given(SCHEDULES, st.sampled_from(ZONES), MOMENTS)
@example(NUUK_AT_NIGHT, "America/Nuuk", BEFORE_THE_JUMP)
@example(IN_THE_GAP, "Europe/Berlin", BEFORE_THE_JUMP)
def test_what_is_shown_is_the_window_that_the_tick_takes(automation: Automation, zone: str, now: datetime) -> None:
    for run in next_of(automation, zone, now):
        assert schedules.closed_window(automation, ZoneInfo(zone), run.at) == run.window


@given(TIMES, st.sampled_from(ZONES), MOMENTS)
def test_the_next_time_of_the_wall_is_within_the_next_two_days(at: time, zone: str, now: datetime) -> None:
    found = schedules.next_at(at, now, ZoneInfo(zone))
    assert now < found <= now + timedelta(hours=49)


def test_half_an_hour_is_part_of_a_zone() -> None:
    daily = Automation(kind=RunKind.DAILY, at=time(9, 15), weekday=0, boundary_hour=0)
    (run,) = next_of(daily, "Asia/Kolkata", datetime(2026, 11, 20, 12, tzinfo=UTC), 1)
    assert run.at.astimezone(UTC) == datetime(2026, 11, 21, 3, 45, tzinfo=UTC)
    assert run.window.end == datetime(2026, 11, 20, 18, 30, tzinfo=UTC)


def plan(tenant: Tenant, **changes: object) -> None:
    with tenant_scope(tenant.id):
        automation = schedules.of_tenant()
        assert automation is not None
        for name, value in changes.items():
            setattr(automation, name, value)
        db.session.commit()


def test_three_mondays_are_named(tenant: Tenant) -> None:
    plan(tenant, kind=RunKind.WEEKLY, at=time(7), weekday=0)
    with time_machine.travel(datetime(2026, 11, 21, tzinfo=UTC), tick=False), tenant_scope(tenant.id):
        found = schedules.next_runs(tenant, 3)
    assert [f"{one.at:%d.%m %H:%M}" for one in found] == ["23.11 07:00", "30.11 07:00", "07.12 07:00"]


@pytest.mark.parametrize(
    ("kind", "status"), [(RunKind.MANUAL, TenantStatus.ACTIVE), (RunKind.DAILY, TenantStatus.PAUSED)]
)
def test_nothing_is_named_where_nothing_comes(tenant: Tenant, kind: RunKind, status: TenantStatus) -> None:
    plan(tenant, kind=kind)
    tenant.status = status
    with tenant_scope(tenant.id):
        assert schedules.next_runs(tenant, 3) == []


def test_until_it_has_its_own_a_company_has_office_hours(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        assert schedules.working_hours(ALMATY).week == ((((540, 1080),),) * 5) + ((), ())


def test_a_company_may_work_at_night(tenant: Tenant) -> None:
    plan(tenant, working_hours={"week": [[[0, 1440]], *([[]] * 6)]})
    with tenant_scope(tenant.id):
        hours = schedules.working_hours(ALMATY)
    monday = datetime(2026, 11, 23, tzinfo=ALMATY)
    assert hours.seconds_between(monday, monday + timedelta(days=2)) == 24 * 3600
