"""Who did what: for staff of every company, for a company its own."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext

from synkro.blueprints.admin import audit_csv
from synkro.blueprints.admin.audit_form import AuditFilter, StaffAuditFilter
from synkro.blueprints.admin.audit_words import act_words, actor_words, details_words, thing_words
from synkro.blueprints.shared import reader
from synkro.models.states import Role
from synkro.services.audit import export, trail
from synkro.services.audit.trail import Asked, Entry
from synkro.services.companies import tenants
from synkro.services.shared.paging import CursorPage
from synkro.web.access import access

blueprint = Blueprint("audit", __name__)

GREATEST_ID = 2**63 - 1
Answer = str | tuple[str, int]
Export = Response | str | tuple[str, int]


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A line of admin/audit.html. company: '' where the page is a company's own."""

    at: datetime
    actor: str
    address: str
    act: str
    thing: str
    thing_id: str
    company: str
    details: str


@blueprint.get("/admin/audit")
@access(Role.SUPER_ADMIN)
def staff() -> Answer:
    companies = {tenant.id: tenant.name for tenant in tenants.listed()}

    def row(entry: Entry) -> AuditRow:
        return _row(entry, entry.actor or gettext("Erased with the company"), _company(companies, entry.tenant_id))

    return _list(_staff_form(), trail.page_of_all, row)


@blueprint.get("/admin/audit.csv")
@access(Role.SUPER_ADMIN, fresh="password")
def staff_export() -> Export:
    form = _staff_form()
    asked = form.asked(reader.zone())
    if asked is None:
        return staff()  # with what is wrong beside its field
    companies = {tenant.id: tenant.name for tenant in tenants.listed()}
    columns = audit_csv.columns(lambda entry: entry.actor, reader.zone())
    columns.insert(5, (gettext("Company"), lambda entry: _company(companies, entry.tenant_id)))
    export.note_export_of_all(asked)
    return audit_csv.answer(export.exported(export.rows_of_all, asked), columns)


@blueprint.get("/audit")
@access(Role.USER, settings=True)
def company() -> Answer:
    return _list(AuditFilter(request.args), trail.page, lambda entry: _row(entry, _who(entry), ""))


@blueprint.get("/audit.csv")
@access(Role.USER, settings=True, fresh="password")
def company_export() -> Export:
    asked = AuditFilter(request.args).asked(reader.zone())
    if asked is None:
        return company()
    export.note_export(asked)
    read = export.rows_of(reader.my_company().id)
    return audit_csv.answer(export.exported(read, asked), audit_csv.columns(_who, reader.zone()))


def _staff_form() -> StaffAuditFilter:
    return StaffAuditFilter(request.args, tenants.listed())


def _list(
    form: AuditFilter, read: Callable[[Asked, int, int], CursorPage[Entry]], row: Callable[[Entry], AuditRow]
) -> Answer:
    """422 without rows where the filter cannot be."""
    asked = form.asked(reader.zone())
    page = read(asked, _asked_id("before"), _asked_id("after")) if asked else CursorPage([])
    chosen = {name: value for name, value in form.data.items() if value}
    own = str(request.endpoint).removesuffix("_export")
    drawn = render_template(
        "admin/audit.html",
        form=form,
        rows=[row(entry) for entry in page.rows],
        is_filtered=bool(chosen),
        own_url=url_for(own),
        newest_url=url_for(own, **chosen) if page.newer else "",
        newer_url=url_for(own, **chosen, after=page.newer) if page.newer else "",
        older_url=url_for(own, **chosen, before=page.older) if page.older else "",
        export_url=url_for(f"{own}_export", **chosen) if page.rows else "",
    )
    return drawn if asked else (drawn, 422)


def _asked_id(name: str) -> int:
    """0: from the newest; so is what is no id."""
    return min(max(request.args.get(name, 0, type=int), 0), GREATEST_ID)


def _row(entry: Entry, who: str, company_name: str) -> AuditRow:
    return AuditRow(
        at=entry.at,
        actor=actor_words(who),
        address=entry.address,
        act=act_words(entry.act),
        thing=thing_words(entry.object_type),
        thing_id=entry.object_id,
        company=company_name,
        details=details_words(entry.details),
    )


def _who(entry: Entry) -> str:
    """For a company the staff is one."""
    return entry.actor or (gettext("Synkro staff") if entry.is_known else gettext("Not known any more"))


def _company(names: dict[uuid.UUID, str], tenant_id: uuid.UUID | None) -> str:
    if tenant_id is None:
        return str(gettext("Staff"))
    return names.get(tenant_id) or str(gettext("Deleted company %(id)s", id=str(tenant_id)[:8]))
