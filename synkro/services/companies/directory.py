"""Who there is, for staff: companies and people, searched, filtered and paged in SQL."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from synkro.models import Credential, Tenant, User
from synkro.models.states import Role, TenantStatus
from synkro.services.companies.staff import Rank
from synkro.services.shared import paging
from synkro.services.shared.paging import One, Page
from synkro.tenancy import db, system_scope

PAGE = 50
LONGEST_QUERY = 100


class Standing(StrEnum):
    ACTIVE = "active"
    INVITED = "invited"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class CountedPage(Page[One], Generic[One]):
    """counts: how many there are of each kind under the other filters, "" for all of them."""

    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Company:
    tenant: Tenant
    people: int


@dataclass(frozen=True, slots=True)
class Person:
    """company: None for staff."""

    person: User
    company: Tenant | None
    standing: Standing
    has_factor: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What people are looked for by; '' and None for any. company: its short name, or its name in full."""

    text: str = ""
    company: str = ""
    tenant_id: uuid.UUID | None = None
    rank: str = ""
    standing: str = ""


INVITED = and_(User.is_active, func.coalesce(Credential.password_hash, "") == "")
STANDINGS: dict[str, ColumnElement[bool]] = {
    Standing.ACTIVE: and_(User.is_active, Credential.password_hash != ""),
    Standing.INVITED: INVITED,
    Standing.DISABLED: ~User.is_active,
}


def companies(text: str, status: str, page: int) -> CountedPage[Company]:
    """By name. status: of TenantStatus, anything else means all."""
    found = _like(text, Tenant.name, Tenant.slug)
    counts = _counts(select(Tenant.id).where(*found), {one: Tenant.status == one for one in TenantStatus})
    people = select(func.count()).where(User.tenant_id == Tenant.id).scalar_subquery()
    rows = select(Tenant, people).where(*found).order_by(func.lower(Tenant.name), Tenant.id)
    if status in counts:
        rows = rows.where(Tenant.status == status) if status else rows
    shown = paging.read(rows, counts.get(status, counts[""]), page, PAGE)
    return CountedPage([Company(*row) for row in shown.rows], shown.page, shown.pages, counts)


def people(wanted: Wanted, page: int) -> CountedPage[Person]:
    """By e-mail. A filter with a word that is none means all."""
    standing = wanted.standing if wanted.standing in STANDINGS else ""
    with system_scope("staff audit: people of every company and how they sign in"):
        found = _conditions(wanted)
        entering = select(User.id).outerjoin(Credential, Credential.user_id == User.id)
        counts = _counts(entering.where(*found), STANDINGS)
        rows = _joined(select(User, Tenant, INVITED, Credential.totp_confirmed_at.is_not(None))).where(*found)
        if standing:
            rows = rows.where(STANDINGS[standing])
        shown = paging.read(rows.order_by(func.lower(User.email)), counts[standing], page, PAGE)
        return CountedPage([_person(row) for row in shown.rows], shown.page, shown.pages, counts)


def person(person_id: uuid.UUID) -> Person | None:
    with system_scope("staff audit: people of every company and how they sign in"):
        statement = _joined(select(User, Tenant, INVITED, Credential.totp_confirmed_at.is_not(None)))
        row = db.session.execute(statement.where(User.id == person_id)).one_or_none()
        return _person(row) if row else None


def suggestions(most: int = 200) -> list[tuple[str, str]]:
    """(short name, name) of companies to choose from, those that are being deleted left out."""
    statement = select(Tenant.slug, Tenant.name).where(Tenant.status != TenantStatus.DELETING)
    return [(slug, name) for slug, name in db.session.execute(statement.order_by(Tenant.name).limit(most))]


def _joined(statement: Any) -> Any:
    """Of User, with the company and the way of signing in."""
    return (
        statement.select_from(User)
        .outerjoin(Tenant, Tenant.id == User.tenant_id)
        .outerjoin(Credential, Credential.user_id == User.id)
    )


def _person(row: Any) -> Person:
    user, company, is_invited, has_factor = row
    standing = Standing.INVITED if is_invited else Standing.ACTIVE if user.is_active else Standing.DISABLED
    return Person(user, company, standing, bool(has_factor))


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found = _like(wanted.text, User.email, User.name)
    if wanted.tenant_id:
        found.append(User.tenant_id == wanted.tenant_id)
    if named := _searchable(wanted.company):
        called = or_(Tenant.slug == named.lower(), func.lower(Tenant.name) == func.lower(named))
        found.append(User.tenant_id.in_(select(Tenant.id).where(called)))
    if wanted.rank in (Rank.USER, Rank.SETTINGS):
        found += [User.role == Role.USER, User.can_manage_settings.is_(wanted.rank == Rank.SETTINGS)]
    elif wanted.rank in tuple(Rank):
        found.append(User.role == wanted.rank)
    return found


def _like(text: str, *columns: Any) -> list[ColumnElement[bool]]:
    named = _searchable(text)
    return [or_(*(column.icontains(named, autoescape=True) for column in columns))] if named else []


def _searchable(text: str) -> str:
    # PostgreSQL takes no zero byte in a text
    return text.replace("\x00", "").strip()[:LONGEST_QUERY]


def _counts(statement: Select[Any], kinds: dict[Any, ColumnElement[bool]]) -> dict[str, int]:
    """All kinds in one query."""
    columns = [func.count().filter(condition) for condition in kinds.values()]
    row = db.session.execute(statement.with_only_columns(func.count(), *columns)).one()
    return dict(zip(("", *(str(kind) for kind in kinds)), row, strict=True))
