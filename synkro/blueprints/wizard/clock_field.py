"""A local time of day in a form, and the minutes of the day that it stands for."""

from __future__ import annotations

from datetime import time
from typing import Any

from wtforms import TimeField

from synkro.i18n import _l

NO_TIME = _l("Write a time like 09:30")


class ClockField(TimeField):  # type: ignore[misc]  # wtforms ships no types
    """A local time in whole minutes. 24:00 is the midnight that ends the day, which browsers write as 00:00."""

    data: time | None

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, format=["%H:%M", "%H:%M:%S"], invalid_value_message=NO_TIME, **named)

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(["00:00" if typed.strip() == "24:00" else typed for typed in valuelist])
        self.data = self.data.replace(second=0) if self.data else None


def minutes_of(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def clock_of(minutes: int) -> time:
    return time(minutes // 60 % 24, minutes % 60)
