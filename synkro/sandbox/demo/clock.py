"""Dates for the demonstration company: its files tell times relative to the day of `now`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Almaty")


class Clock:
    """Reads stamps "[DAY ]HH:MM[:SS]" in Almaty time; day 0 is the day of `now`, -1 the day before."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._midnight = datetime.combine(now.astimezone(ZONE).date(), time(), ZONE)

    def moment(self, stamp: str, default_day: int = 0) -> datetime:
        """The moment a stamp means, be it past or future."""
        day, _, clock = stamp.rpartition(" ")
        return self._midnight + timedelta(int(day or default_day), _seconds(clock))

    def unix(self, stamp: str) -> int:
        """The moment in unix seconds, or `now` if it lies ahead."""
        return int(min(self.moment(stamp), self._now).timestamp())

    def into_the_past(self, moments: list[datetime]) -> Iterator[datetime]:
        """A talk of today, ended before `now` and not begun before midnight: moved, and squeezed where it must be."""
        end = self._now - timedelta(seconds=1)  # an outbound message adds a fraction of a second
        late = max(moments[-1] - end, timedelta())
        passed = max(end - self._midnight, timedelta())
        room = passed / max(moments[-1] - moments[0], timedelta(seconds=1))
        for moment in moments:
            moved = moment - late
            if moments[0] - late < self._midnight:
                moved = self._midnight + (moment - moments[0]) * min(room, 1.0)
            yield moved.replace(microsecond=0)


def _seconds(clock: str) -> int:
    hours, minutes, seconds = (int(part) for part in f"{clock}:00".split(":")[:3])
    return hours * 3600 + minutes * 60 + seconds
