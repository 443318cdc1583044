"""What staff may do, and what is written down when somebody tries more."""

from __future__ import annotations

from enum import StrEnum

from synkro.errors import AppError
from synkro.i18n import _l
from synkro.models import User
from synkro.models.states import Role
from synkro.services import audit
from synkro.tenancy import db, system_scope


class Rank(StrEnum):
    """A role as people choose it: the right to manage settings is a step of its own."""

    USER = "user"
    SETTINGS = "settings"
    ADMIN_LITE = "admin_lite"
    SUPER_ADMIN = "super_admin"


def rank_of(person: User) -> Rank:
    return Rank.SETTINGS if person.role == Role.USER and person.can_manage_settings else Rank(person.role)


def is_chief(by: User, _person: User | None = None) -> bool:
    return by.role == Role.SUPER_ADMIN


def may_look_after(by: User, person: User) -> bool:
    """Staff of the lower rank look after the users of companies, never after staff."""
    return is_chief(by) or (by.role == Role.ADMIN_LITE and person.role == Role.USER)


def may_invite(by: User, role: Role, *, can_manage_settings: bool) -> bool:
    """Staff of the lower rank give no rights."""
    return is_chief(by) or (by.role == Role.ADMIN_LITE and role == Role.USER and not can_manage_settings)


def must_be_chief(by: User | None, act: str, thing: str, thing_id: object = "") -> None:
    """by None: the command line, which may all. Raises AppError."""
    if by is not None and not is_chief(by):
        raise overstep(by, act, thing, thing_id)


def overstep(by: User, act: str, thing: str, thing_id: object = "") -> AppError:
    """The refusal to raise. That somebody tried is written down first, apart from what the caller rolls back."""
    note_overstep(by, act, thing, thing_id)
    return AppError(403, "not_allowed", _l("Your role does not allow this. Ask a super administrator."))


def note_overstep(by: User, act: str, thing: str = "", thing_id: object = "") -> None:
    """Write down that the person tried what is closed to the own role."""
    with system_scope("staff audit: somebody tried what he may not do"):
        audit.record("overstepped", thing, thing_id, actor=by.email, tenant_id=by.tenant_id, tried=act)
        db.session.commit()
