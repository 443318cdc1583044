"""Finding companies and people: what is found, in which order, by how many queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import event, text

from synkro.models import Credential, Tenant, User
from synkro.models.states import Role, TenantStatus
from synkro.services.companies import directory
from synkro.services.companies.directory import Standing, Wanted
from synkro.tenancy import db, system_scope

Cast = dict[str, User]


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements of the block."""
    said: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        said.append(statement)

    event.listen(db.engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        event.remove(db.engine, "before_cursor_execute", hear)


def add_people(tenant: Tenant, count: int, **fields: object) -> None:
    rows = [User(email=f"p{n:03}@example.com", role=Role.USER, tenant_id=tenant.id, **fields) for n in range(count)]
    db.session.add_all(rows)
    db.session.commit()


def names(wanted: Wanted) -> list[str]:
    return [row.person.email.partition("@")[0] for row in directory.people(wanted, 1).rows]


def test_people_are_listed_by_e_mail(cast: Cast) -> None:
    assert names(Wanted()) == ["admin", "lite", "other", "settings", "user"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(text="SETT"), ["settings"]),
        (Wanted(text="other@example"), ["other"]),
        (Wanted(company="alfa"), ["settings", "user"]),
        (Wanted(company="BETA "), ["other"]),
        (Wanted(company="no-such"), []),
        (Wanted(rank="user"), ["other", "user"]),
        (Wanted(rank="settings"), ["settings"]),
        (Wanted(rank="admin_lite"), ["lite"]),
        (Wanted(rank="super_admin"), ["admin"]),
        (Wanted(rank="king", standing="dead"), ["admin", "lite", "other", "settings", "user"]),
        (Wanted(company="alfa", rank="user", text="us"), ["user"]),
        (Wanted(text="\x00"), ["admin", "lite", "other", "settings", "user"]),
        (Wanted(text="us\x00er"), ["user"]),
        (Wanted(text="x" * 10_000), []),
        (Wanted(text="' or true --"), []),
    ],
)
def test_people_are_narrowed_down(cast: Cast, wanted: Wanted, expected: list[str]) -> None:
    assert names(wanted) == expected


@pytest.mark.parametrize("sign", ["%", "_", "/", "\\"])
def test_signs_of_a_pattern_mean_themselves(cast: Cast, sign: str) -> None:
    assert names(Wanted(text=sign)) == []
    cast["user"].name = f"a{sign}b"
    db.session.commit()
    assert names(Wanted(text=f"A{sign}B")) == ["user"]


def test_a_cyrillic_name_is_found_in_any_case(cast: Cast) -> None:
    cast["user"].name = "Әсем Қуанышқызы"
    db.session.commit()
    assert names(Wanted(text="әСЕМ қУ")) == ["user"]


def test_standings_are_told_and_counted(cast: Cast) -> None:
    cast["other"].is_active = False
    db.session.commit()
    with system_scope("test: one has no password yet"):
        db.session.get_one(Credential, cast["user"].id).password_hash = ""
        db.session.commit()
    found = directory.people(Wanted(), 1)
    told = {row.person.email: row.standing for row in found.rows}
    assert told["user@example.com"] == Standing.INVITED
    assert told["other@example.com"] == Standing.DISABLED
    assert told["admin@example.com"] == Standing.ACTIVE
    assert found.counts == {"": 5, "active": 3, "invited": 1, "disabled": 1}
    assert [names(Wanted(standing=word)) for word in ("invited", "disabled")] == [["user"], ["other"]]


def test_a_second_factor_is_told(cast: Cast) -> None:
    with system_scope("test: a second factor"):
        sql = text("update credentials set totp_confirmed_at = now() where user_id = :id")
        db.session.execute(sql, {"id": cast["user"].id})
        db.session.commit()
    found = {row.person.email: row.has_factor for row in directory.people(Wanted(), 1).rows}
    assert [email for email, has in found.items() if has] == ["user@example.com"]


def test_pages_follow_each_other_without_a_gap(tenant: Tenant) -> None:
    add_people(tenant, 120)
    pages = [directory.people(Wanted(), number) for number in (1, 2, 3)]
    assert [len(page.rows) for page in pages] == [50, 50, 20]
    assert len({row.person.id for page in pages for row in page.rows}) == 120
    assert pages[0].pages == 3


def test_a_page_behind_the_last_is_the_last(tenant: Tenant) -> None:
    add_people(tenant, 60)
    found = directory.people(Wanted(), 100_000)
    assert found.page == 2
    assert len(found.rows) == 10


@pytest.mark.parametrize(
    "look", [lambda: directory.people(Wanted(), 1), lambda: directory.companies("", "", 1)], ids=["people", "companies"]
)
def test_a_long_list_takes_as_many_queries_as_a_short_one(
    app: Flask, tenant: Tenant, look: Callable[[], directory.Page[object]]
) -> None:
    with counted() as short:
        look()
    add_people(tenant, 60)
    db.session.add_all(Tenant(slug=f"t{n}", name=f"T {n}") for n in range(60))
    db.session.commit()
    with counted() as long:
        assert len(look().rows) == 50
    assert len(long) == len(short)
    assert len([one for one in long if one.startswith("SELECT")]) == 2


def test_companies_tell_how_many_people_they_have(cast: Cast) -> None:
    found = directory.companies("", "", 1)
    assert [(row.tenant.slug, row.people) for row in found.rows] == [("alfa", 2), ("beta", 1)]


@pytest.mark.parametrize(
    ("words", "status", "expected"),
    [
        ("", "", ["alfa", "beta"]),
        ("ALF", "", ["alfa"]),
        ("", "paused", ["beta"]),
        ("alfa", "paused", []),
        ("%", "", []),
        ("\x00", "king", ["alfa", "beta"]),
    ],
)
def test_companies_are_narrowed_down(
    tenant: Tenant, other_tenant: Tenant, words: str, status: str, expected: list[str]
) -> None:
    other_tenant.status = TenantStatus.PAUSED
    db.session.commit()
    assert [row.tenant.slug for row in directory.companies(words, status, 1).rows] == expected


def test_companies_are_counted_by_status(tenant: Tenant, other_tenant: Tenant) -> None:
    other_tenant.status = TenantStatus.PAUSED
    db.session.commit()
    assert directory.companies("", "", 1).counts == {"": 2, "active": 1, "paused": 1, "deleting": 0}


def test_a_company_that_is_being_deleted_is_not_offered(tenant: Tenant, other_tenant: Tenant) -> None:
    other_tenant.status = TenantStatus.DELETING
    db.session.commit()
    assert directory.suggestions() == [("alfa", "Alfa")]
