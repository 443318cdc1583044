"""Pages of people for staff: find, invite, let in and out, give and take rights."""

from __future__ import annotations

import re
import uuid

import pytest
from flask import Flask
from sqlalchemy import select, text

from synkro.models import Tenant, User
from synkro.models.states import Role
from synkro.services.auth import sessions
from synkro.tenancy import db
from tests.support.having import assert_has
from tests.support.people import Cast, audited, by_email, found, path_of
from tests.support.sessions import stale
from tests.support.web_client import Enter


def test_people_of_all_companies_and_staff_are_listed(enter: Enter) -> None:
    page = enter("lite").get("/admin/people").text
    assert all(f">{name}</a>" in page for name in ("User", "Settings", "Other", "Lite", "Admin"))


def test_the_page_of_a_person_still_says_who_reads_it(enter: Enter, cast: Cast) -> None:
    page = enter("admin").get(path_of(cast["user"])).text
    assert "<strong>Admin</strong>" in page
    assert "<h1>User</h1>" in page


def test_filters_stay_in_the_links_of_the_list(enter: Enter) -> None:
    page = enter("admin").get("/admin/people?q=example&company=alfa&role=settings").text
    assert "/admin/people?standing=active&amp;q=example&amp;company=alfa&amp;role=settings" in page
    assert re.findall(r'<a href="/admin/people/[0-9a-f-]{36}">(\w+)</a>', page) == ["Settings"]


def test_nobody_found_says_what_to_do(enter: Enter) -> None:
    page = enter("admin").get("/admin/people?q=nobody").text
    assert "Nobody is like this" in page
    assert "Invite somebody" in page


def test_words_of_the_search_are_text(enter: Enter) -> None:
    page = enter("admin").get("/admin/people?q=<script>alert(1)</script>").text
    assert "<script>alert" not in page


def test_somebody_is_invited_and_the_link_is_shown_once(enter: Enter, tenant: Tenant) -> None:
    admin = enter("admin")
    answer = admin.send("/admin/people/new", email="New@Example.com", name="Дана", company="ALFA", rank="settings")
    made = by_email("New@example.com")
    assert made is not None
    assert_has(made, role="user", tenant_id=tenant.id, can_manage_settings=True, name="Дана")
    assert made.invited_at is not None
    shown = re.search(r'id="link">([^<]+)<', answer.text)
    assert shown is not None
    assert shown[1].startswith("http")
    assert 'id="link"' not in admin.get(path_of(made)).text
    (row,) = audited("user_created")
    assert_has(row, actor="admin@example.com", tenant_id=tenant.id, details={"role": "settings"})


def test_an_invited_person_has_no_way_in_yet_and_is_invited_again(enter: Enter) -> None:
    admin = enter("admin")
    first = admin.send("/admin/people/new", email="new@example.com", company="alfa")
    made = by_email("new@example.com")
    assert made is not None
    assert "Invited" in admin.get(path_of(made)).text
    again = admin.send(f"{path_of(made)}/invitation")
    links = [re.search(r'id="link">([^<]+)<', page.text) for page in (first, again)]
    assert all(links)
    assert len({link[1] for link in links if link}) == 2


@pytest.mark.parametrize("act", ["access", "enable"])
def test_who_loses_an_invitation_is_to_be_invited_again(enter: Enter, cast: Cast, act: str) -> None:
    admin, says = enter("admin"), "This person has no password yet. Invite again."
    admin.send("/admin/people/new", email="new@example.com", company="alfa")
    made = by_email("new@example.com")
    assert made is not None
    for person, is_told in ((made, True), (cast["user"], False)):
        if act == "enable":
            admin.send(f"{path_of(person)}/disable")
        fields = {"rank": "settings", "company": "alfa"} if act == "access" else {}
        assert admin.send(f"{path_of(person)}/{act}", **fields).status_code == 303
        assert (says in admin.get(path_of(person)).text) is is_told


def test_who_has_a_password_is_not_invited_again(enter: Enter, cast: Cast) -> None:
    assert enter("admin").send(f"{path_of(cast['user'])}/invitation").status_code == 409


def test_lower_staff_give_no_rights_with_fields_unknown_to_the_form(enter: Enter) -> None:
    answer = enter("lite").send(
        "/admin/people/new",
        email="new@example.com",
        company="alfa",
        rank="super_admin",
        role="super_admin",
        can_manage_settings="y",
    )
    assert answer.status_code == 422
    assert by_email("new@example.com") is None


@pytest.mark.parametrize(
    ("wrong", "status", "sentence"),
    [
        ({"email": "no mail"}, 422, "not an e-mail address"),
        ({"email": ""}, 422, "Fill this in"),
        ({"email": "USER@example.com"}, 409, "already an account"),
        ({"company": "nobody"}, 422, "no company with this short name"),
        ({"company": ""}, 422, "A user belongs to a company"),
        ({"company": "\x00"}, 422, "no company with this short name"),
        ({"rank": "super_admin"}, 422, "staff to none"),
        ({"rank": "king"}, 422, "Not a valid choice"),
        ({"email": "<script>alert(1)</script>@example.com"}, 422, "not an e-mail address"),
        ({"email": "a@example.com\r\nBcc: b@example.com"}, 422, "not an e-mail address"),
        ({"email": "a\u202e@example.com"}, 422, "not an e-mail address"),
        ({"email": "a\x00@example.com"}, 422, "not an e-mail address"),
        ({"email": "a" * 10_000 + "@example.com"}, 422, "not an e-mail address"),
        ({"name": "<svg onload=alert(1)>"}, 422, "angle brackets"),
        ({"name": "x" * 10_000}, 422, "at most 200"),
    ],
)
def test_a_wrong_invitation_invites_nobody_and_keeps_what_was_typed(
    enter: Enter, wrong: dict[str, str], status: int, sentence: str
) -> None:
    typed = {"email": "new@example.com", "name": "Dana", "company": "alfa", "rank": "user", **wrong}
    answer = enter("admin").send("/admin/people/new", **typed)
    assert answer.status_code == status
    assert sentence in answer.text
    assert "<script>alert" not in answer.text
    assert "<svg onload" not in answer.text
    kept = {name: words for name, words in typed.items() if name not in (*wrong, "rank")}
    assert all(f'value="{words}"' in answer.text for words in kept.values())
    assert db.session.execute(select(User).where(User.invited_at.is_not(None))).first() is None


def test_a_person_is_renamed_disabled_and_enabled(enter: Enter, cast: Cast) -> None:
    lite, user, path = enter("lite"), enter("user"), path_of(cast["user"])
    assert lite.send(f"{path}/name", name="Dana").status_code == 303
    assert lite.send(f"{path}/disable").status_code == 303
    assert user.get("/dashboard").status_code == 302
    assert_has(found(cast["user"]), name="Dana", is_active=False)
    assert lite.send(f"{path}/enable").status_code == 303
    assert found(cast["user"]).is_active


def test_a_wrong_name_stays_beside_what_is_wrong(enter: Enter, cast: Cast) -> None:
    answer = enter("admin").send(f"{path_of(cast['user'])}/name", name="Da<b>na")
    assert answer.status_code == 422
    assert 'value="Da&lt;b&gt;na"' in answer.text
    assert found(cast["user"]).name == "User"


def test_a_role_is_given_with_a_fresh_password_only(enter: Enter, cast: Cast) -> None:
    admin, path = enter("admin"), f"{path_of(cast['user'])}/access"
    stale()
    answer = admin.send(path, rank="admin_lite", company="")
    assert answer.location.split("?")[0] == "/confirm"
    assert found(cast["user"]).role == Role.USER


def test_a_role_is_changed(enter: Enter, cast: Cast) -> None:
    admin, user, path = enter("admin"), enter("user"), f"{path_of(cast['user'])}/access"
    assert admin.send(path, rank="admin_lite", company="alfa").status_code == 303
    changed = found(cast["user"])
    assert_has(changed, role=Role.ADMIN_LITE, tenant_id=None)
    assert user.get("/dashboard").status_code == 302


@pytest.mark.parametrize("fields", [{}, {"rank": "king"}, {"rank": "user", "company": "nobody"}, {"rank": "user"}])
def test_a_wrong_role_changes_nothing(enter: Enter, cast: Cast, fields: dict[str, str]) -> None:
    assert enter("admin").send(f"{path_of(cast['settings'])}/access", **fields).status_code == 422
    assert found(cast["settings"]).can_manage_settings


@pytest.mark.parametrize("act", ["factor", "delete"])
def test_what_cannot_be_undone_wants_a_fresh_password(enter: Enter, cast: Cast, act: str) -> None:
    admin = enter("admin")
    stale()
    answer = admin.send(f"{path_of(cast['user'])}/{act}")
    assert answer.location.split("?")[0] == "/confirm"
    assert by_email("user@example.com") is not None


def test_a_second_factor_is_reset(enter: Enter, cast: Cast) -> None:
    assert enter("admin").send(f"{path_of(cast['user'])}/factor").status_code == 303
    (row,) = audited("second_factor_reset")
    assert_has(row, actor="admin@example.com", object_id=str(cast["user"].id))


def test_everybody_is_signed_out_where_a_chief_says_so(enter: Enter, cast: Cast) -> None:
    user = enter("user")
    assert enter("admin").send(f"{path_of(cast['user'])}/sign-out").status_code == 303
    assert user.get("/dashboard").status_code == 302
    assert sessions.of(cast["user"].id) == []


def test_a_person_is_deleted(enter: Enter, cast: Cast) -> None:
    answer = enter("admin").send(f"{path_of(cast['user'])}/delete")
    assert_has(answer, status_code=303, location="/admin/people")
    assert by_email("user@example.com") is None


@pytest.mark.parametrize("act", ["delete", "factor", "sign-out", "access"])
@pytest.mark.parametrize("who", ["lite", "settings"])
def test_whoever_tries_more_is_refused_and_written_down(enter: Enter, cast: Cast, act: str, who: str) -> None:
    answer = enter(who).send(f"{path_of(cast['user'])}/{act}", rank="super_admin")
    assert answer.status_code == 403
    assert [row.actor for row in audited("overstepped")] == [f"{who}@example.com"]
    assert found(cast["user"]).role == Role.USER


@pytest.mark.parametrize("act", ["name", "disable", "enable", "invitation", "reset-link"])
@pytest.mark.parametrize("whom", ["lite", "admin"])
def test_lower_staff_never_touch_staff(enter: Enter, cast: Cast, act: str, whom: str) -> None:
    lite = enter("lite")
    answer = lite.send(f"{path_of(cast[whom])}/{act}", **({"name": "Mine"} if act == "name" else {}))
    assert answer.status_code == 403
    assert "Ask a super administrator." in answer.text
    assert [row.details for row in audited("overstepped")] != []
    page = lite.get(path_of(cast[whom])).text
    assert f"{path_of(cast[whom])}/" not in page


@pytest.mark.parametrize("act", ["disable", "delete", "factor", "access"])
def test_nobody_shuts_himself_out(enter: Enter, cast: Cast, act: str) -> None:
    admin = enter("admin")
    answer = admin.send(f"{path_of(cast['admin'])}/{act}", **({"rank": "admin_lite"} if act == "access" else {}))
    assert answer.status_code == 409
    assert found(cast["admin"]).role == Role.SUPER_ADMIN
    page = admin.get(path_of(cast["admin"])).text
    assert f"{path_of(cast['admin'])}/{act}" not in page


def test_the_one_who_was_demoted_a_moment_ago_can_do_nothing_more(app: Flask, enter: Enter, cast: Cast) -> None:
    admin = enter("admin")
    token = admin.token()
    db.session.execute(text("update users set role = 'admin_lite' where email = 'admin@example.com'"))
    db.session.commit()
    answer = admin.post(f"{path_of(cast['user'])}/delete", data={"csrf_token": token})
    assert answer.status_code == 403
    assert by_email("user@example.com") is not None


@pytest.mark.parametrize("address", ["1", uuid.uuid4(), "0" * 4_000, "%00", "new/../x"])
def test_an_address_of_nobody_is_not_found(enter: Enter, address: object) -> None:
    assert enter("admin").get(f"/admin/people/{address}").status_code in (400, 404)


def test_an_id_of_another_kind_is_nobody(enter: Enter, tenant: Tenant) -> None:
    admin = enter("admin")
    assert admin.get(f"/admin/people/{tenant.id}").status_code == 404
    for act in ("name", "disable", "enable", "sign-out", "factor", "delete", "invitation", "reset-link"):
        fields = {"name": "x"} if act == "name" else {}
        assert admin.send(f"/admin/people/{tenant.id}/{act}", **fields).status_code == 404
