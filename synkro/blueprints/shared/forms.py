"""What people fill in, with the words for what is wrong."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask_wtf import FlaskForm
from flask_wtf.form import _Auto
from wtforms import (
    BooleanField,
    DateField,
    EmailField,
    HiddenField,
    PasswordField,
    RadioField,
    SelectChoice,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional

from synkro.analysis.figures.window import Window, latest_closed, period_window
from synkro.blueprints.shared import refused
from synkro.i18n import _l
from synkro.infra import clock
from synkro.services.reports.reports import LONGEST_COMMENT

WEEK_DAYS = 7


class PostedForm(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types
    """What people send: what a form does not have cannot be sent with it, so that nobody tries in vain or in hope.

    A view that reads one says so with access(form=True). formdata None: it is only shown, not read. Raises AppError.
    """

    def __init__(self, formdata: Any = _Auto, **named: Any) -> None:
        super().__init__(formdata, **named)
        if formdata is not None and self.is_submitted():
            refused.unknown_fields({field.name for field in self})


class SignInForm(PostedForm):
    email = EmailField(_l("E-mail"), [InputRequired(_l("Fill this in"))])
    password = PasswordField(_l("Password"), [InputRequired(_l("Fill this in"))])
    next = HiddenField()


class ThemeForm(PostedForm):
    theme = StringField()
    next = HiddenField()


class LanguageForm(PostedForm):
    language = StringField()
    next = HiddenField()


class TrialForm(PostedForm):
    newest = BooleanField()
    """To take the newest there is, whatever it belongs to."""


class RunForm(PostedForm):
    span = RadioField(
        _l("Period"),
        choices=[
            SelectChoice("yesterday", _l("Yesterday")),
            SelectChoice("week", _l("7 days")),
            SelectChoice("own", _l("Custom")),
        ],
        default="yesterday",
    )
    start = DateField(_l("From"), [Optional()])
    end = DateField(_l("To"), [Optional()])

    def window(self, zone: ZoneInfo, boundary_hour: int) -> Window | None:
        """The period that was asked for, in whole local days; None, with an error at the field, when it cannot be."""
        last = _last_closed_day(zone, boundary_hour)
        if self.span.data == "yesterday":
            return period_window(last, last, zone, boundary_hour)
        if self.span.data == "week":
            return period_window(last - timedelta(days=WEEK_DAYS - 1), last, zone, boundary_hour)
        return self._own_window(zone, boundary_hour)

    def _own_window(self, zone: ZoneInfo, boundary_hour: int) -> Window | None:
        if missing := [field for field in (self.start, self.end) if field.data is None]:
            for field in missing:
                field.errors = [_l("Choose a day")]
            return None
        try:
            return period_window(self.start.data, self.end.data, zone, boundary_hour)
        except ValueError:
            self.end.errors = [_l("The end of the period must not be before its start")]
            return None


def _last_closed_day(zone: ZoneInfo, boundary_hour: int) -> date:
    return latest_closed("daily", clock.now(), zone, boundary_hour).start.astimezone(zone).date()


class CommentForm(PostedForm):
    text = TextAreaField(
        _l("Your comment"),
        [
            InputRequired(_l("Fill this in")),
            Length(max=LONGEST_COMMENT, message=_l("A comment has 1 to 4000 characters")),
        ],
        id="comment-text",  # the full text of the report has the id "text" on the same page
    )
