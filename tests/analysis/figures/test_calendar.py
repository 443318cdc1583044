"""Working time between two instants."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synkro.analysis.figures.calendar import WorkingHours

ALMATY = ZoneInfo("Asia/Almaty")
KOLKATA = ZoneInfo("Asia/Kolkata")
ALWAYS = WorkingHours(ALMATY, (((0, 24 * 60),),) * 7)
OFFICE = WorkingHours.same_each_day(ALMATY, range(5), time(9), time(18))
MOMENTS = st.datetimes(datetime(2024, 2, 20), datetime(2024, 3, 12), timezones=st.just(UTC))  # noqa: DTZ001
HOUR = 3_600


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=ALMATY)  # type: ignore[arg-type]


def test_an_evening_question_waits_only_from_the_morning() -> None:
    assert OFFICE.seconds_between(local(2026, 11, 19, 17, 30), local(2026, 11, 20, 9, 10)) == 40 * 60


def test_a_weekend_does_not_count() -> None:
    assert OFFICE.seconds_between(local(2026, 11, 20, 18), local(2026, 11, 23, 9)) == 0


def test_a_lunch_break_does_not_count() -> None:
    hours = WorkingHours(ALMATY, (((540, 780), (840, 1080)),) * 7)
    assert hours.seconds_between(local(2026, 11, 20, 12, 30), local(2026, 11, 20, 14, 30)) == HOUR


@given(MOMENTS, MOMENTS)
def test_all_day_every_day_is_the_clock_even_where_the_zone_changes(first: datetime, second: datetime) -> None:
    start, end = min(first, second), max(first, second)
    assert ALWAYS.seconds_between(start, end) == (end - start).total_seconds()


@given(MOMENTS, st.integers(0, 4 * 24 * 60), st.integers(0, 4 * 24 * 60))
def test_time_adds_up_over_a_cut(start: datetime, first: int, second: int) -> None:
    cut, end = start + timedelta(minutes=first), start + timedelta(minutes=first + second)
    parts = OFFICE.seconds_between(start, cut) + OFFICE.seconds_between(cut, end)
    assert parts == pytest.approx(OFFICE.seconds_between(start, end))


@given(MOMENTS, st.integers(0, 3_000))
def test_working_time_equals_a_count_of_minutes(start: datetime, minutes: int) -> None:
    first = start.replace(second=0, microsecond=0)
    spoken = [(first + timedelta(minutes=n)).astimezone(ALMATY) for n in range(minutes)]
    expected = sum(moment.weekday() < 5 and 9 <= moment.hour < 18 for moment in spoken)
    assert OFFICE.seconds_between(first, first + timedelta(minutes=minutes)) == expected * 60


def test_nothing_lies_between_an_end_and_an_earlier_start() -> None:
    assert OFFICE.seconds_between(local(2026, 11, 20, 15), local(2026, 11, 20, 10)) == 0


@pytest.mark.parametrize("week", [(), (((600, 540),),) * 7, (((0, 700), (600, 800)),) * 7, (((-1, 5),),) * 7])
def test_a_calendar_that_makes_no_sense_is_refused(week: tuple[tuple[tuple[int, int], ...], ...]) -> None:
    with pytest.raises(ValueError, match="working hours"):
        WorkingHours(ALMATY, week)


def test_hours_of_the_day_are_those_of_the_days_in_question() -> None:
    monday = datetime(2026, 11, 16, tzinfo=ALMATY)
    hours = WorkingHours(ALMATY, (((570, 780), (840, 1080)), *[()] * 4, ((600, 840),), ()))
    assert hours.hours_of_day(monday, monday + timedelta(days=1)) == [9, 10, 11, 12, 14, 15, 16, 17]
    assert hours.hours_of_day(monday + timedelta(days=1), monday + timedelta(days=2)) == []
    assert hours.hours_of_day(monday, monday + timedelta(days=7)) == list(range(9, 18))
    assert hours.hours_of_day(monday.replace(hour=16, minute=30), monday + timedelta(days=1)) == [16, 17]


def test_hours_at_the_ends_of_the_day_and_in_a_zone_of_half_hours() -> None:
    start = datetime(2026, 11, 16, tzinfo=KOLKATA)
    always = WorkingHours(KOLKATA, (((0, 1440),),) * 7)
    assert always.hours_of_day(start, start + timedelta(days=1)) == list(range(24))
    night = WorkingHours(KOLKATA, (((0, 60), (1410, 1440)),) * 7)
    assert night.hours_of_day(start, start + timedelta(days=1)) == [0, 23]
