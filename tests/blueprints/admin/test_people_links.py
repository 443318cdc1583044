"""Links that let people in, on the pages of staff: who sees one, when, and what a fresh password is asked for."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import text

from synkro.extensions import redis, remember, settings, vault
from synkro.mail import Letter
from synkro.models import Tenant, User
from synkro.models.states import Role
from synkro.services.companies import people
from synkro.services.mail import outbox
from synkro.tenancy import db, system_scope
from tests.support.having import assert_has
from tests.support.people import Cast, audited, by_email, path_of
from tests.support.rows import make_report
from tests.support.sessions import stale
from tests.support.web_client import Enter

NEW = "kettle anchor violet ninety"


def link_in(page: str) -> str:
    found = re.search(r'id="link">([^<]+)<', page)
    return found[1] if found else ""


def with_mail(app: Flask) -> None:
    """No letter leaves here: no worker runs."""
    remember(app, replace(settings(), mail_url="smtp://mail.example:587"), vault(), redis())


def fail_a_letter(person: User, code: str) -> None:
    with system_scope("test: a letter"):
        letter = Letter(person.email, "Subject", "text", "<p>text</p>", "en")
        letter_id = outbox.put(person.id, letter, datetime.now(UTC) + timedelta(hours=1))
        db.session.commit()
    claimed = outbox.claim(letter_id)
    assert claimed is not None
    outbox.mark_failed(claimed, code, passing=False)


def test_lower_staff_see_no_link_that_would_let_them_in(enter: Enter, cast: Cast) -> None:
    lite, path = enter("lite"), path_of(cast["settings"])
    lite.send("/admin/people/new", email="new@example.com", company="alfa")
    invited = by_email("new@example.com")
    assert invited is not None
    for act in (f"{path}/reset-link", f"{path_of(invited)}/invitation"):
        answer = lite.send(act)
        assert answer.status_code == 303
        assert "a super administrator has to pass the link on" in lite.get(answer.location).text


def test_a_link_to_a_new_password_is_shown_once_and_works(enter: Enter, cast: Cast) -> None:
    staff, path = enter("admin"), path_of(cast["user"])
    assert f'action="{path}/reset-link"' in staff.get(path).text
    shown = link_in(staff.send(f"{path}/reset-link").text)
    assert "/reset?t=" in shown
    assert link_in(staff.get(path).text) == ""
    visitor = enter("nobody")
    visitor.get(shown[shown.index("/reset") :])
    answer = visitor.send("/reset", password=NEW)
    assert_has(answer, status_code=303, location="/login")


def test_a_link_that_a_letter_brings_is_not_shown(app: Flask, enter: Enter, cast: Cast) -> None:
    admin = enter("admin")
    with_mail(app)
    answer = admin.send(f"{path_of(cast['user'])}/reset-link")
    assert_has(answer, status_code=303, location=path_of(cast["user"]))
    assert "is on its way" in admin.get(path_of(cast["user"])).text


@pytest.mark.parametrize("act", ["reset-link", "invitation"])
def test_where_letters_do_not_arrive_the_next_link_is_shown(app: Flask, enter: Enter, cast: Cast, act: str) -> None:
    admin = enter("admin")
    with_mail(app)
    fail_a_letter(cast["user"], "mail_address_refused")
    if act == "invitation":
        with system_scope("test: no password yet"):
            db.session.execute(text("update credentials set password_hash = ''"))
            db.session.commit()
    assert link_in(admin.send(f"{path_of(cast['user'])}/{act}").text)


@pytest.mark.parametrize("change", ["deleted", "promoted", "moved"])
def test_what_somebody_did_for_the_company_stays_his_own(
    enter: Enter, cast: Cast, tenant: Tenant, other_tenant: Tenant, change: str
) -> None:
    """Told by what he was when he acted, not by what he is now."""
    enter("user").send(f"/reports/{make_report(tenant)}/comments", text="Well done")
    if change == "deleted":
        people.delete(None, cast["user"].id)
    else:
        role, company = (Role.ADMIN_LITE, None) if change == "promoted" else (Role.USER, other_tenant)
        people.set_access(None, cast["user"].id, role, company, can_manage_settings=False)
    page = enter("settings").get("/audit?actor=user@example.com&act=comment_added").text
    assert "<span>user@example.com</span>" in page
    assert "Synkro staff" not in page


def test_what_staff_did_stays_hidden_when_they_join_the_company(enter: Enter, cast: Cast, tenant: Tenant) -> None:
    enter("lite").send(f"{path_of(cast['user'])}/name", name="Dana")
    people.set_access(None, cast["lite"].id, Role.USER, tenant, can_manage_settings=True)
    reader = enter("settings")
    assert "Synkro staff" in reader.get("/audit?act=user_renamed").text
    assert "user_renamed" not in reader.get("/audit.csv?actor=lite").text


def test_nobody_is_invited_with_an_old_password(enter: Enter) -> None:
    admin = enter("admin")
    stale()
    answer = admin.send("/admin/people/new", email="new@example.com", rank="super_admin")
    assert answer.location.split("?")[0] == "/confirm"
    assert by_email("new@example.com") is None


def test_no_new_invitation_is_made_with_an_old_password(enter: Enter) -> None:
    admin = enter("admin")
    admin.send("/admin/people/new", email="new@example.com", company="alfa")
    made = by_email("new@example.com")
    assert made is not None
    stale()
    assert admin.send(f"{path_of(made)}/invitation").location.split("?")[0] == "/confirm"
    assert len(audited("user_invited")) == 1


def test_a_link_to_a_new_password_wants_a_fresh_one(enter: Enter, cast: Cast) -> None:
    lite = enter("lite")
    stale()
    answer = lite.send(f"{path_of(cast['user'])}/reset-link")
    assert answer.location.split("?")[0] == "/confirm"
    assert audited("reset_link_made") == []


@pytest.mark.parametrize(
    "change",
    [
        "update credentials set password_hash = '' where user_id = :id",
        "update users set is_active = false where id = :id",
        "update tenants set status = 'deleting' where id = (select tenant_id from users where id = :id)",
    ],
)
def test_who_could_not_use_a_link_is_offered_none(enter: Enter, cast: Cast, change: str) -> None:
    admin, path = enter("admin"), path_of(cast["user"])
    with system_scope("test: a person who may not come in"):
        db.session.execute(text(change), {"id": cast["user"].id})
        db.session.commit()
    assert f"{path}/reset-link" not in admin.get(path).text
    assert admin.send(f"{path}/reset-link").status_code == 409


def test_a_letter_that_was_not_sent_is_told_with_what_to_do(enter: Enter, cast: Cast) -> None:
    fail_a_letter(cast["user"], "mail_login")
    page = enter("lite").get(path_of(cast["user"])).text
    assert "The latest letter was not sent" in page
    assert "The mail server did not let Synkro in. Check the user and the password in MAIL_URL." in page


def test_a_trouble_of_another_release_is_told_too(enter: Enter, cast: Cast) -> None:
    fail_a_letter(cast["user"], "mail_of_tomorrow")
    assert "Something broke on our side." in enter("admin").get(path_of(cast["user"])).text


def test_of_one_whose_letters_arrive_no_trouble_is_told(enter: Enter, cast: Cast) -> None:
    fail_a_letter(cast["other"], "mail_login")
    assert "was not sent" not in enter("admin").get(path_of(cast["user"])).text
