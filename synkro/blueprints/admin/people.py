"""People of all companies and staff: find, invite, let in and out, give and take rights."""

from __future__ import annotations

import uuid

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.wrappers import Response

from synkro import mail
from synkro.blueprints.admin.forms import FIELD_OF, RIGHTS, Access, AnyInvitation, Invitation, PeopleFilter, PersonName
from synkro.blueprints.shared.form_errors import errors_on
from synkro.blueprints.shared.paging import asked_page, pager
from synkro.errors import AppError
from synkro.i18n import _l
from synkro.models import Tenant
from synkro.models.states import Role
from synkro.services.companies import directory, people, staff, tenants
from synkro.services.companies.directory import Standing, Wanted
from synkro.services.mail import mail_failures
from synkro.web.access import access

blueprint = Blueprint("people", __name__, url_prefix="/admin/people")

STAFF = (Role.SUPER_ADMIN, Role.ADMIN_LITE)
Shown = tuple[str, int]
"""A page and its status."""


@blueprint.get("")
@access(*STAFF)
def index() -> str:
    form, standing = PeopleFilter(request.args), request.args.get("standing", "")
    wanted = Wanted(form.q.data or "", form.company.data or "", None, form.role.data or "", standing)
    found = directory.people(wanted, asked_page(request.args))
    kept = {**form.address(), **({"standing": standing} if standing else {})}
    return render_template(
        "admin/people.html",
        form=form,
        found=found,
        standing=standing if standing in found.counts else "",
        rank_of=staff.rank_of,
        companies=directory.suggestions(),
        pager=pager(found, lambda number: url_for("people.index", page=number, **kept)),
    )


@blueprint.route("/new", methods=["GET", "POST"])
@access(*STAFF, fresh="password", form=True)
def new() -> Response | Shown:
    kind = AnyInvitation if staff.is_chief(current_user) else Invitation
    form = kind(company=request.args.get("company", ""))
    if request.method != "POST":
        return _form_page(form), 200
    if not form.validate():
        return _form_page(form), 422
    role, settings = form.rights()
    with errors_on(form, FIELD_OF) as act:
        company = _company(form.company.data)
        person, link = people.invite(
            current_user, form.email.data, form.name.data or "", role, company, can_manage_settings=settings
        )
    if act.refused:
        return _form_page(form), act.refused
    return _handed_over(person.id, "" if mail.is_configured() else link, gettext("The invitation is on its way."))


def _form_page(form: Invitation) -> str:
    return render_template("admin/new_person.html", form=form, companies=directory.suggestions())


def _company(named: str | None) -> Tenant | None:
    """By its short name. None where nothing is typed."""
    if not named or not named.strip():
        return None
    found = tenants.by_slug(named.strip().lower().replace("\x00", ""))
    if found is None:
        raise AppError(422, "no_tenant", _l("There is no company with this short name"))
    return found


def _letters_arrive(person_id: uuid.UUID) -> bool:
    """Asked before a new letter, which has no trouble yet."""
    return mail.is_configured() and mail_failures.of(person_id) is None


def _handed_over(person_id: uuid.UUID, link: str, says: str) -> Response | Shown:
    """link: to be shown, this once: it must not stand in an address or a cookie. '': its letter will do.

    Whoever sees it could come in with it, so staff of the lower rank do not.
    """
    if link and staff.is_chief(current_user):
        return _page(person_id, link=link), 200
    if link:
        flash(gettext("Letters do not arrive, so a super administrator has to pass the link on."), "warning")
    else:
        flash(says)
    return _to(person_id)


@blueprint.get("/<uuid:person_id>")
@access(*STAFF)
def show(person_id: uuid.UUID) -> str:
    return _page(person_id)


@blueprint.post("/<uuid:person_id>/invitation")
@access(*STAFF, fresh="password")
def invite_again(person_id: uuid.UUID) -> Response | Shown:
    arrives = _letters_arrive(person_id)
    link = people.invite_again(current_user, person_id)
    return _handed_over(person_id, "" if arrives else link, gettext("The invitation is on its way."))


@blueprint.post("/<uuid:person_id>/reset-link")
@access(*STAFF, fresh="password")
def make_reset_link(person_id: uuid.UUID) -> Response | Shown:
    arrives = _letters_arrive(person_id)
    link = people.make_reset_link(current_user, person_id)
    return _handed_over(person_id, "" if arrives else link, gettext("The link to a new password is on its way."))


@blueprint.post("/<uuid:person_id>/name")
@access(*STAFF, form=True)
def rename(person_id: uuid.UUID) -> Response | Shown:
    form = PersonName()
    with errors_on(form, FIELD_OF) as act:
        people.rename(current_user, person_id, form.name.data or "")
    if act.refused:
        return _page(person_id, name=form), act.refused
    flash(gettext("The name is saved."))
    return _to(person_id)


@blueprint.post("/<uuid:person_id>/disable")
@access(*STAFF)
def disable(person_id: uuid.UUID) -> Response:
    people.disable(current_user, person_id)
    flash(gettext("Disabled and signed out everywhere."))
    return _to(person_id)


@blueprint.post("/<uuid:person_id>/enable")
@access(*STAFF)
def enable(person_id: uuid.UUID) -> Response:
    people.enable(current_user, person_id)
    flash(gettext("Enabled again."))
    _warn_without_password(person_id)
    return _to(person_id)


@blueprint.post("/<uuid:person_id>/access")
@access(Role.SUPER_ADMIN, fresh="password", form=True)
def set_access(person_id: uuid.UUID) -> Response | Shown:
    form = Access()
    if not form.validate():
        return _page(person_id, rights=form), 422
    role, settings = RIGHTS[form.rank.data]
    with errors_on(form, FIELD_OF) as act:
        company = _company(form.company.data) if role == Role.USER else None
        people.set_access(current_user, person_id, role, company, can_manage_settings=settings)
    if act.refused:
        return _page(person_id, rights=form), act.refused
    flash(gettext("Saved. The person signs in anew."))
    _warn_without_password(person_id)
    return _to(person_id)


@blueprint.post("/<uuid:person_id>/sign-out")
@access(Role.SUPER_ADMIN)
def sign_out(person_id: uuid.UUID) -> Response:
    people.sign_out_everywhere(current_user, person_id)
    flash(gettext("Signed out everywhere."))
    return _to(person_id)


@blueprint.post("/<uuid:person_id>/factor")
@access(Role.SUPER_ADMIN, fresh="password")
def reset_factor(person_id: uuid.UUID) -> Response:
    people.reset_factor(current_user, person_id)
    flash(gettext("The second factor is reset. The person signs in with the password and sets up a new one."))
    return _to(person_id)


@blueprint.post("/<uuid:person_id>/delete")
@access(Role.SUPER_ADMIN, fresh="password")
def delete(person_id: uuid.UUID) -> Response:
    people.delete(current_user, person_id)
    flash(gettext("The person is deleted."))
    return redirect(url_for("people.index"), 303)


def _warn_without_password(person_id: uuid.UUID) -> None:
    """The act before has ended the invitation, and nobody else would say so."""
    shown = directory.person(person_id)
    if shown and shown.standing == Standing.INVITED:
        flash(gettext("This person has no password yet. Invite again."), "warning")


def _to(person_id: uuid.UUID) -> Response:
    return redirect(url_for("people.show", person_id=person_id), 303)


def _page(person_id: uuid.UUID, *, name: PersonName | None = None, rights: Access | None = None, link: str = "") -> str:
    """With the forms as they were sent, where one was. link: to a password, to be passed on by hand."""
    shown = directory.person(person_id)
    if shown is None:
        raise AppError(404, "no_user", _l("There is no such person"))
    held = {"rank": staff.rank_of(shown.person), "company": shown.company.slug if shown.company else ""}
    return render_template(
        "admin/person.html",
        shown=shown,
        rank=held["rank"],
        link=link,
        name=name or PersonName(formdata=None, data={"name": shown.person.name}),
        rights=rights or Access(formdata=None, data=held),
        companies=directory.suggestions(),
        trouble=mail_failures.of(person_id),
        is_chief=staff.is_chief(current_user),
        may_edit=staff.may_look_after(current_user, shown.person),
        is_me=shown.person.id == current_user.id,
    )
