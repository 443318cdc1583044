"""The form of the schedule: zone, times, working hours, and what happens to a report before the group sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import time
from typing import Any, cast

from babel.dates import get_day_names
from flask_babel import get_locale
from wtforms import BooleanField, RadioField, SelectChoice, SelectField
from wtforms.fields import Field
from wtforms.validators import InputRequired, Optional

from synkro.analysis.figures.calendar import DayHours
from synkro.blueprints.shared.forms import PostedForm
from synkro.blueprints.shared.reader import LANGUAGES
from synkro.blueprints.wizard import zones
from synkro.blueprints.wizard.clock_field import ClockField, clock_of, minutes_of
from synkro.i18n import _l
from synkro.models.states import RunKind
from synkro.services.connections.automations import Choice

DAYS = range(7)
NOT_OFFERED = _l("Choose one of the values")
FILL_IN = _l("Fill this in")
MIDNIGHT = 24 * 60


def _select(label: Any, **named: Any) -> SelectField:
    return SelectField(label, invalid_choice_message=NOT_OFFERED, invalid_value_message=NOT_OFFERED, **named)


def _day_names() -> list[str]:
    """From Monday, in the reader's language, as a heading writes them."""
    names = get_day_names("wide", locale=get_locale())
    return [names[day].capitalize() for day in DAYS]


class ScheduleForm(PostedForm):
    timezone = _select(_l("Time zone"))
    boundary_hour = _select(
        _l("A day ends at"),
        coerce=int,
        choices=[SelectChoice(str(hour), f"{hour:02}:00") for hour in range(24)],
        description=_l("For companies that work at night: with 06:00 a day lasts from six to six."),
    )
    language = _select(
        _l("Language of reports"),
        choices=[SelectChoice(key, title) for key, title in LANGUAGES],
        description=_l("The language of your pages is chosen by each person for themselves."),
    )
    kind = RadioField(
        _l("How often"),
        choices=[
            SelectChoice(RunKind.DAILY, _l("Every day")),
            SelectChoice(RunKind.WEEKLY, _l("Every week")),
            SelectChoice(RunKind.MONTHLY, _l("Every month")),
            SelectChoice(RunKind.MANUAL, _l("By hand only")),
        ],
        invalid_choice_message=NOT_OFFERED,
    )
    at = ClockField(_l("Local time"), [InputRequired(FILL_IN)], description=_l("By the clock of the time zone above."))
    weekday = _select(
        _l("Day of the weekly report"),
        coerce=int,
        choices=lambda: [SelectChoice(str(day), name) for day, name in enumerate(_day_names())],
        description=_l("It is about the seven days before this one. Other reports do not look at it."),
    )
    mode = RadioField(
        _l("When a report is ready"),
        choices=[
            SelectChoice("send", _l("Send it to the group at once")),
            SelectChoice("hold", _l("Keep it until somebody has read it")),
        ],
        invalid_choice_message=NOT_OFFERED,
    )
    not_later_than = ClockField(
        _l("Not later than"),
        [Optional()],
        description=_l(
            "May be empty. A report that is kept goes by itself at this time; "
            "if one is late, people with the right to settings get a letter."
        ),
    )

    @property
    def days(self) -> Iterator[tuple[str, Field, Field, Field]]:
        """(name of the day, is it worked on, from, to) from Monday."""
        for day, name in enumerate(_day_names()):
            yield name, self[f"on_{day}"], self[f"from_{day}"], self[f"to_{day}"]

    def validate(self, *args: Any, **named: Any) -> bool:
        is_good = bool(super().validate(*args, **named))
        for _, on, opens, closes in self.days:
            if on.data and not opens.errors and not closes.errors:
                is_good &= _check_day(opens, closes)
        return is_good

    def choice(self) -> Choice:
        """What was chosen, once it is valid."""
        return Choice(
            timezone=self.timezone.data,
            language=self.language.data,
            kind=RunKind(self.kind.data),
            at=cast(time, self.at.data),
            weekday=self.weekday.data,
            boundary_hour=self.boundary_hour.data,
            week=tuple(_span(opens, closes) if on.data else () for _, on, opens, closes in self.days),
            is_held=self.mode.data == "hold",
            not_later_than=self.not_later_than.data,
        )


for _day in DAYS:
    setattr(ScheduleForm, f"on_{_day}", BooleanField())
    setattr(ScheduleForm, f"from_{_day}", ClockField(_l("Work begins"), [Optional()]))
    setattr(ScheduleForm, f"to_{_day}", ClockField(_l("Work ends"), [Optional()]))


def _check_day(opens: Field, closes: Field) -> bool:
    for field in (opens, closes):
        if field.data is None:
            field.errors = [FILL_IN]
            return False
    ((start, end),) = _span(opens, closes)
    if start >= end:
        closes.errors = [_l("The end must be after the start")]
    return start < end


def _span(opens: Field, closes: Field) -> DayHours:
    return ((minutes_of(opens.data), minutes_of(closes.data) or MIDNIGHT),)


def schedule_form(posted: Mapping[str, Any] | None, current: Choice) -> ScheduleForm:
    """posted: what was sent, or None for the form as it is first shown, with what is in force."""
    form = ScheduleForm(posted, data=_data(current))
    form.timezone.choices = zones.choices(current.timezone)
    return form


def _data(current: Choice) -> dict[str, Any]:
    names = ("timezone", "language", "at", "weekday", "boundary_hour", "not_later_than")
    data = {name: getattr(current, name) for name in names}
    return {**data, "kind": str(current.kind), "mode": "hold" if current.is_held else "send", **_week(current.week)}


def _week(week: tuple[DayHours, ...]) -> dict[str, Any]:
    """A day off shows office hours: nobody has to type them when it becomes a working day."""
    data: dict[str, Any] = {}
    for day, spans in enumerate(week):
        opens, closes = (spans[0][0], spans[-1][1]) if spans else (9 * 60, 18 * 60)
        data |= {f"on_{day}": bool(spans), f"from_{day}": clock_of(opens), f"to_{day}": clock_of(closes)}
    return data
