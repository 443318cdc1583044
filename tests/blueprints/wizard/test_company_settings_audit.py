"""The settings of a company in the hands of staff: who is let in, and who learns of it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text

from synkro.extensions import vault
from synkro.models import AuditLog, IntegrationConfig, StoredLetter, Tenant, User
from synkro.services.connections import staff_access
from synkro.tenancy import db, system_scope, tenant_scope
from tests.support.company_settings import PAGES, TYPED, acts, home, save, stored
from tests.support.practice import Practice
from tests.support.web_client import Enter


def letters() -> list[tuple[str, str]]:
    """(to, subject) of the letters on their way."""
    with system_scope("test: letters"):
        rows = db.session.execute(select(StoredLetter).order_by(StoredLetter.created_at)).scalars()
        opened = [json.loads(vault().open_bytes(row.sealed or b"", f"letter|{row.id}")) for row in rows]
        return [(one["to"], one["subject"]) for one in opened]


def test_the_password_is_asked_for_before_keys_are_saved(enter: Enter, tenant: Tenant) -> None:
    admin = enter("admin")
    with system_scope("test: an old sign-in"):
        db.session.execute(text("update sessions set confirmed_at = now() - interval '1 hour'"))
        db.session.commit()
    answer = admin.send(home(tenant, "radist"), **TYPED)
    assert answer.location is not None
    assert answer.location.startswith("/confirm?what=password")
    assert stored(tenant, "radist") == {}
    assert "Confirm that it is you" in admin.get(home(tenant, "radist")).text


def test_staff_of_the_lower_rank_are_refused_by_the_service_as_well(cast: dict[str, User], tenant: Tenant) -> None:
    with pytest.raises(Exception, match="not_allowed"):
        staff_access.save(cast["lite"], tenant.id, "radist", TYPED)
    assert stored(tenant, "radist") == {}


def test_only_a_super_admin_finds_the_way_there(enter: Enter, tenant: Tenant) -> None:
    page = f"/admin/companies/{tenant.id}"
    assert home(tenant) in enter("admin").get(page).text
    assert home(tenant) not in enter("lite").get(page).text


def test_nothing_can_be_tried_out_by_staff(app: Flask) -> None:
    """Samples, prompts and test analyses are the company's: there is no such door."""
    assert {rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint.startswith(PAGES)} == {
        f"{PAGES}{name}" for name in ("index", "show", "save", "check", "state")
    }


def test_visit_save_and_check_stand_in_the_audit_of_the_company(enter: Enter, practice: Practice) -> None:
    tenant, admin = practice.tenant, enter("admin")
    already = len(acts(tenant))
    admin.get(home(tenant))
    admin.send(home(tenant, "radist"), **TYPED)
    admin.send(home(tenant, "radist", "check"))
    assert acts(tenant)[already:] == [
        ("settings_opened", "admin@example.com", str(tenant.id)),
        ("integration_saved", "admin@example.com", "radist"),
        ("check_asked", "admin@example.com", "radist"),
    ]


def test_people_of_the_company_read_it_in_their_audit(enter: Enter, tenant: Tenant) -> None:
    enter("admin").send(home(tenant, "radist"), **TYPED)
    page = enter("settings").get("/audit").text
    assert "Connection saved" in page
    assert "Synkro staff" in page


def test_a_visit_is_written_down_once_an_hour(enter: Enter, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = enter("admin")
    for words in ((), ("radist",), ("radist", "state"), ("supabase",)):
        admin.get(home(tenant, *words))
    assert [act for act, _, _ in acts(tenant)] == ["settings_opened"]
    monkeypatch.setattr(staff_access, "VISIT", timedelta(0))
    admin.get(home(tenant))
    assert [act for act, _, _ in acts(tenant)] == ["settings_opened"] * 2


@pytest.mark.parametrize("words", [("radist", "state"), ("radist",), ()])
def test_no_part_of_it_can_be_seen_unnoticed(enter: Enter, tenant: Tenant, words: tuple[str, ...]) -> None:
    enter("admin").get(home(tenant, *words))
    assert [act for act, _, _ in acts(tenant)] == ["settings_opened"]


def test_values_are_not_written_down(enter: Enter, tenant: Tenant) -> None:
    enter("admin").send(home(tenant, "radist"), **TYPED)
    with tenant_scope(tenant.id):
        rows = db.session.execute(select(AuditLog)).scalars().all()
        assert not [row for row in rows if "typed-by-staff" in str(row.payload())]


def test_a_changed_key_is_told_by_letter(enter: Enter, tenant: Tenant) -> None:
    enter("admin").send(home(tenant, "radist"), **TYPED)
    assert [(to, "key" in subject.lower() or "ключ" in subject.lower()) for to, subject in letters()] == [
        ("settings@example.com", True)
    ]


def test_a_change_without_a_key_is_told_as_well(enter: Enter, tenant: Tenant) -> None:
    save(tenant, "telegram", bot_token="1:t")
    told = len(letters())
    enter("admin").send(home(tenant, "telegram"), message_thread_id="7")
    assert [to for to, _ in letters()[told:]] == ["settings@example.com"]


def test_a_save_of_the_company_itself_is_not_told_as_help(tenant: Tenant, cast: dict[str, User]) -> None:
    save(tenant, "telegram", chat_id="-100500")
    assert letters() == []


def test_a_foreign_company_is_untouched(enter: Enter, tenant: Tenant, other_tenant: Tenant) -> None:
    enter("admin").send(home(tenant, "radist"), **TYPED)
    assert stored(other_tenant, "radist") == {}
    assert acts(other_tenant) == []
    with system_scope("test: all rows"):
        assert len(db.session.execute(select(IntegrationConfig)).scalars().all()) == 1
