"""The staff's start page: who uses Synkro, never what companies read."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for

from synkro.access import access
from synkro.blueprints.paging import asked_page, pager
from synkro.models.states import Role
from synkro.services import tenants

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

PAGE = 50


@blueprint.get("")
@access(Role.SUPER_ADMIN, Role.ADMIN_LITE)
def home() -> str:
    companies = tenants.listed()
    pages = max(1, -(-len(companies) // PAGE))
    page = min(asked_page(request.args), pages)
    return render_template(
        "admin/home.html",
        counts=tenants.counts(),
        tenants=companies[(page - 1) * PAGE : page * PAGE],
        pager=pager(page, pages, lambda number: url_for("admin.home", page=number)),
    )
