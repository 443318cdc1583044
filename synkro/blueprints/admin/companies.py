"""Companies, for staff: who uses Synkro, never what companies read."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from synkro.blueprints.admin.forms import FIELD_OF, CompanyFilter, CompanyName, Deletion, NewCompany
from synkro.blueprints.shared.form_errors import errors_on
from synkro.blueprints.shared.paging import asked_page, pager
from synkro.models.states import Role
from synkro.services.companies import directory, staff, tenants
from synkro.services.companies.directory import Wanted
from synkro.services.connections import hosts
from synkro.web.access import access

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

Shown = tuple[str, int]
"""A page and its status."""


@blueprint.get("")
@access(Role.SUPER_ADMIN, Role.ADMIN_LITE)
def home() -> str:
    form, status = CompanyFilter(request.args), request.args.get("status", "")
    text = form.q.data or ""
    found = directory.companies(text, status, asked_page(request.args))
    kept: dict[str, Any] = {"q": text or None, "status": status or None}
    return render_template(
        "admin/home.html",
        form=form,
        found=found,
        status=status if status in found.counts else "",
        pager=pager(found, lambda number: url_for("admin.home", page=number, **kept)),
    )


@blueprint.route("/companies/new", methods=["GET", "POST"])
@access(Role.SUPER_ADMIN, form=True)
def create() -> Response | Shown:
    form = NewCompany()
    if request.method != "POST":
        return render_template("admin/new_company.html", form=form), 200
    if not form.validate():
        return render_template("admin/new_company.html", form=form), 422
    with errors_on(form, FIELD_OF) as act:
        made = tenants.create(form.slug.data.strip(), form.name.data, form.timezone.data.strip(), by=current_user)
    if act.refused:
        return render_template("admin/new_company.html", form=form), act.refused
    flash(gettext("The company is created. Invite its people now."))
    return _to(made.id)


@blueprint.get("/companies/<uuid:tenant_id>")
@access(Role.SUPER_ADMIN, Role.ADMIN_LITE)
def company(tenant_id: uuid.UUID) -> str:
    return _page(tenant_id)


@blueprint.post("/companies/<uuid:tenant_id>/name")
@access(Role.SUPER_ADMIN, form=True)
def rename(tenant_id: uuid.UUID) -> Response | Shown:
    form = CompanyName()
    with errors_on(form, FIELD_OF) as act:
        tenants.rename(current_user, tenant_id, form.name.data or "")
    if act.refused:
        return _page(tenant_id, name=form), act.refused
    flash(gettext("The name is saved."))
    return _to(tenant_id)


@blueprint.post("/companies/<uuid:tenant_id>/pause")
@access(Role.SUPER_ADMIN)
def pause(tenant_id: uuid.UUID) -> Response:
    tenants.pause(current_user, tenant_id)
    flash(gettext("The company is paused: no new reports are made."))
    return _to(tenant_id)


@blueprint.post("/companies/<uuid:tenant_id>/resume")
@access(Role.SUPER_ADMIN)
def resume(tenant_id: uuid.UUID) -> Response:
    tenants.resume(current_user, tenant_id)
    flash(gettext("The company works again."))
    return _to(tenant_id)


@blueprint.post("/companies/<uuid:tenant_id>/delete")
@access(Role.SUPER_ADMIN, fresh="password", form=True)
def delete(tenant_id: uuid.UUID) -> Response | Shown:
    form = Deletion()
    with errors_on(form, FIELD_OF) as act:
        tenants.delete(current_user, tenant_id, form.slug.data or "")
    if act.refused:
        return _page(tenant_id, deletion=form), act.refused
    flash(gettext("The company is shut. It is erased in seven days, unless you take this back."), "warning")
    return _to(tenant_id)


@blueprint.post("/companies/<uuid:tenant_id>/keep")
@access(Role.SUPER_ADMIN)
def keep(tenant_id: uuid.UUID) -> Response:
    tenants.keep(current_user, tenant_id)
    flash(gettext("The deletion is taken back. The company is paused: resume it when you are ready."))
    return _to(tenant_id)


def _to(tenant_id: uuid.UUID) -> Response:
    return redirect(url_for("admin.company", tenant_id=tenant_id), 303)


def _page(tenant_id: uuid.UUID, *, name: CompanyName | None = None, deletion: Deletion | None = None) -> str:
    """With the forms as they were sent, where one was."""
    tenant, is_chief = tenants.get(tenant_id), staff.is_chief(current_user)
    return render_template(
        "admin/company.html",
        tenant=tenant,
        people=directory.people(Wanted(tenant_id=tenant_id), 1),
        name=name or CompanyName(formdata=None, data={"name": tenant.name}),
        deletion=deletion or Deletion(formdata=None),
        hosts=hosts.waiting(tenant_id) if is_chief else [],
        is_chief=is_chief,
        rank_of=staff.rank_of,
    )
