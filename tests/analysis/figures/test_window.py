"""Windows cut by zone and day boundary."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synkro.analysis.figures.window import (
    PeriodKind,
    Window,
    day_window,
    latest_closed,
    month_window,
    parse_instant,
    period_window,
    week_window,
)
from tests.support.having import assert_has

ALMATY = ZoneInfo("Asia/Almaty")
ZONES = st.sampled_from(["Asia/Almaty", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Asia/Kathmandu", "UTC"])
DAYS = st.dates(date(2005, 1, 1), date(2035, 1, 1))
HOURS = st.integers(0, 23)
KINDS: st.SearchStrategy[PeriodKind] = st.sampled_from(["daily", "weekly", "monthly"])


def test_a_day_starts_at_the_boundary_hour_of_the_zone() -> None:
    window = day_window(date(2026, 11, 20), ALMATY, 6)
    assert window == Window(datetime(2026, 11, 20, 1, tzinfo=UTC), datetime(2026, 11, 21, 1, tzinfo=UTC))


def test_the_day_of_the_zone_change_is_an_hour_longer() -> None:
    window = day_window(date(2024, 2, 29), ALMATY)
    assert window.end - window.start == timedelta(hours=25)
    assert window.start == datetime(2024, 2, 28, 18, tzinfo=UTC)


def test_the_end_is_outside_to_the_microsecond() -> None:
    window = day_window(date(2026, 11, 20), ALMATY)
    assert window.contains(window.start)
    assert window.contains(window.end - timedelta(microseconds=1))
    assert not window.contains(window.end)
    assert not window.contains(window.start - timedelta(microseconds=1))


@given(st.integers(0, 2_000_000_000), st.integers(0, 999_999), st.integers(-3, 3))
def test_seconds_and_instants_agree(second: int, micros: int, shift: int) -> None:
    start = datetime.fromtimestamp(second, UTC) + timedelta(microseconds=micros)
    window = Window(start, start + timedelta(seconds=2))
    asked = max(second + shift, 0)
    assert window.contains_second(asked) == window.contains(datetime.fromtimestamp(asked, UTC))


def test_an_absurd_second_is_outside_and_does_not_overflow() -> None:
    assert not day_window(date(2026, 1, 1), ALMATY).contains_second(10**30)


@given(DAYS, ZONES, HOURS)
def test_days_follow_each_other_without_gap_or_overlap(day: date, zone: str, hour: int) -> None:
    today = day_window(day, ZoneInfo(zone), hour)
    assert today.end == day_window(day + timedelta(days=1), ZoneInfo(zone), hour).start


@given(DAYS, ZONES, HOURS)
def test_a_week_and_a_month_are_made_of_their_days(day: date, zone: str, hour: int) -> None:
    key = ZoneInfo(zone)
    week, month = week_window(day, key, hour), month_window(day, key, hour)
    assert_has(week, start=day_window(day, key, hour).start, end=day_window(day + timedelta(6), key, hour).end)
    assert month.start == day_window(day.replace(day=1), key, hour).start
    following = (day.replace(day=1) + timedelta(31)).replace(day=1)
    assert month.end == day_window(following, key, hour).start


@given(KINDS, st.datetimes(datetime(2012, 3, 1), datetime(2035, 1, 1)), ZONES, HOURS, st.integers(0, 6))  # noqa: DTZ001
def test_the_latest_closed_period_has_ended_and_the_next_has_not(
    kind: PeriodKind, moment: datetime, zone: str, hour: int, weekday: int
) -> None:
    now, key = moment.replace(tzinfo=UTC), ZoneInfo(zone)
    window = latest_closed(kind, now, key, hour, weekday)
    last = window.end.astimezone(key).date()
    following = {
        "daily": last,
        "weekly": last + timedelta(6),
        "monthly": (last + timedelta(31)).replace(day=1) - timedelta(1),
    }
    assert window.end <= now
    assert period_window(last, following[kind], key, hour).end > now


def test_a_week_ends_where_its_weekday_begins() -> None:
    window = latest_closed("weekly", datetime(2026, 11, 21, tzinfo=UTC), ALMATY, 6, weekday=0)
    assert window == week_window(date(2026, 11, 9), ALMATY, 6)


def test_a_day_is_closed_at_the_very_instant_it_ends() -> None:
    day = day_window(date(2026, 11, 20), ALMATY, 6)
    assert latest_closed("daily", day.end, ALMATY, 6) == day


def test_a_month_that_closed_a_minute_ago_is_the_latest() -> None:
    now = datetime(2026, 10, 31, 19, 1, tzinfo=UTC)
    assert latest_closed("monthly", now, ALMATY) == month_window(date(2026, 10, 5), ALMATY)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-20T06:00", datetime(2026, 11, 20, 1, tzinfo=UTC)),
        ("2024-02-20 06:00", datetime(2024, 2, 20, 0, tzinfo=UTC)),
        ("2026-11-20T06:00Z", datetime(2026, 11, 20, 6, tzinfo=UTC)),
        ("2026-11-20T06:00:00.5+03:00", datetime(2026, 11, 20, 3, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-20", datetime(2026, 11, 19, 19, tzinfo=UTC)),
    ],
)
def test_an_instant_without_offset_is_local(text: str, instant: datetime) -> None:
    assert parse_instant(text, ALMATY) == instant


@pytest.mark.parametrize("text", ["", "yesterday", "0001-01-01T00:00", "2026-02-30", "9999-12-31T23:59-12:00"])
def test_what_is_no_instant_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        parse_instant(text, ALMATY)


def test_a_window_refuses_naive_and_reversed_ends() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="aware"):
        Window(now.replace(tzinfo=None), now)
    with pytest.raises(ValueError, match="before"):
        Window(now, now - timedelta(1))


def test_a_day_that_a_zone_skipped_is_empty() -> None:
    window = day_window(date(2011, 12, 30), ZoneInfo("Pacific/Apia"))
    assert window.start == window.end


def test_a_period_past_the_calendar_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="range"):
        day_window(date.max, ALMATY)
