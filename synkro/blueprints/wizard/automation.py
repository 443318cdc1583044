"""The last step of the set-up: when reports are made and where they go."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from synkro.blueprints.shared import formats, reader
from synkro.blueprints.shared.form_errors import ABOVE, errors_on
from synkro.blueprints.wizard.automation_form import ScheduleForm, schedule_form
from synkro.models import Tenant
from synkro.models.states import Role, TenantStatus
from synkro.services.connections import automations, setup
from synkro.services.reports import schedules
from synkro.web.access import access

blueprint = Blueprint("automation", __name__, url_prefix="/settings/automation")

SHOWN_RUNS = 3
FIELD_OF = {"no_time_left": "not_later_than", "schedule_locked": ABOVE}


@blueprint.get("")
@access(Role.USER, settings=True)
def show() -> str:
    return _page(schedule_form(None, automations.current(reader.my_company())))


@blueprint.post("")
@access(Role.USER, settings=True, form=True)
def save() -> Response | tuple[str, int]:
    tenant = reader.my_company()
    form = schedule_form(request.form, automations.current(tenant))
    if not form.validate():
        return _page(form), 422
    with errors_on(form, FIELD_OF, others=ABOVE) as act:
        is_new = automations.save(tenant.id, form.choice())
    if act.refused:
        return _page(form), act.refused
    flash(gettext("Saved.") if is_new else gettext("Nothing has changed."))
    return redirect(url_for("automation.show") + "#next", 303)


def _page(form: ScheduleForm) -> str:
    tenant, steps = reader.my_company(), setup.steps()
    return render_template(
        "wizard/automation.html",
        shown={"kind": setup.AUTOMATION, "steps": steps, "step": steps[-1]},
        form=form,
        runs=_runs(tenant),
        is_saved=schedules.of_tenant() is not None,
        is_paused=tenant.status == TenantStatus.PAUSED,
        zone_text=formats.zone_text(tenant.timezone),
    )


def _runs(tenant: Tenant) -> list[dict[str, Any]]:
    zone = ZoneInfo(tenant.timezone)
    planned = schedules.next_runs(tenant, SHOWN_RUNS)
    return [{"at": one.at, "window_text": formats.period(one.window.start, one.window.end, zone)} for one in planned]
