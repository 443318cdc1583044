"""Which rows of the audit somebody wants to see."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask_babel import gettext
from flask_wtf import FlaskForm
from wtforms import DateField, Field, Form, SelectField, StringField, ValidationError
from wtforms.validators import Length, Optional

from synkro.blueprints.admin.audit_words import ACTS
from synkro.i18n import _l
from synkro.models import Tenant
from synkro.models.audit import STAFF_CHAIN
from synkro.services.audit.trail import Asked

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 1, 1)
STAFF = "staff"


def _sensible(_form: Form, field: Field) -> None:
    """Outside of this no act lies, and the calendar of Python ends."""
    if field.data and not FIRST_DAY <= field.data <= LAST_DAY:
        raise ValidationError(_l("Choose a day"))


class AuditFilter(FlaskForm):  # type: ignore[misc]  # flask-wtf ships no types
    class Meta:
        csrf = False  # it only reads

    since = DateField(_l("From"), [Optional(), _sensible])
    until = DateField(_l("To"), [Optional(), _sensible])
    actor = StringField(_l("Who"), [Length(max=200, message=_l("At most 200 characters"))])
    act = SelectField(_l("What happened"), default="")

    def __init__(self, args: object) -> None:
        super().__init__(args)
        known = sorted(((act, str(words)) for act, words in ACTS.items()), key=lambda pair: pair[1])
        self.act.choices = [("", gettext("All acts")), *known]

    def validate_until(self, field: Field) -> None:
        if field.data and self.since.data and field.data < self.since.data:
            raise ValidationError(_l("The end of the period must not be before its start"))

    def asked(self, zone: ZoneInfo) -> Asked | None:
        """None where something was filled in wrongly. Both days are whole and belong to the period."""
        if not self.validate():
            return None
        return Asked(
            since=_midnight(self.since.data, zone),
            until=_midnight(self.until.data + timedelta(days=1), zone) if self.until.data else None,
            actor=(self.actor.data or "").strip(),
            company=self.wanted_company(),
            act=self.act.data or "",
        )

    def wanted_company(self) -> uuid.UUID | None:
        return None


class StaffAuditFilter(AuditFilter):
    company = SelectField(_l("Company"), default="")

    def __init__(self, args: object, companies: Iterable[Tenant]) -> None:
        super().__init__(args)
        named = [(str(tenant.id), tenant.name) for tenant in companies]
        self.company.choices = [("", gettext("All companies")), (STAFF, gettext("Staff")), *named]

    def wanted_company(self) -> uuid.UUID | None:
        if self.company.data == STAFF:
            return STAFF_CHAIN
        return uuid.UUID(self.company.data) if self.company.data else None


def _midnight(day: date | None, zone: ZoneInfo) -> datetime | None:
    return datetime.combine(day, time.min, zone) if day else None
