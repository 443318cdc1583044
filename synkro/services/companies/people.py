"""People: invite, rename, let in and out, give and take rights, delete. Each act is written down with it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.exc import IntegrityError

from synkro.errors import AppError
from synkro.i18n import _l
from synkro.models import Credential, ReportComment, Tenant, User
from synkro.models.states import Role, TenantStatus
from synkro.services import audit
from synkro.services.auth import links, second_factor, sessions
from synkro.services.companies import staff
from synkro.services.mail import company_notices, outbox
from synkro.services.shared.names import valid_email, valid_name
from synkro.tenancy import db, system_scope

AnswerCheck = Callable[[User, User], bool]

# In all of these `by` is who acts, None for the command line. What he may not do is refused and written down.


def invite(
    by: User | None, email: str, name: str, role: Role, tenant: Tenant | None, *, can_manage_settings: bool = False
) -> tuple[User, str]:
    """A new person without a password, and the link to the first one. Raises AppError with what is wrong."""
    if by and not staff.may_invite(by, role, can_manage_settings=can_manage_settings):
        raise staff.overstep(by, "user_invited", "user")
    _must_fit(role, tenant)
    person = User(email=valid_email(email), name=valid_name(name), role=role, tenant_id=tenant.id if tenant else None)
    person.can_manage_settings = can_manage_settings and role == Role.USER
    with system_scope("staff audit: people are invited to any company"):
        try:
            db.session.add(person)
            db.session.flush()
            db.session.add(Credential(user_id=person.id, password_hash=""))
            _note(by, "user_created", person, role=_rights(person))
            db.session.commit()
        except IntegrityError:
            raise AppError(409, "email_taken", _l("There is already an account with this e-mail")) from None
    url = links.invite(person, _name(by))
    company_notices.person_invited(person)
    return person, url


def invite_again(by: User | None, person_id: uuid.UUID) -> str:
    """A new link for somebody who has no password yet; the old one ends. Raises AppError."""
    with _changing(by, person_id, "user_invited") as person:
        pass  # judged; the link is written down by itself
    return links.invite(person, _name(by))


def make_reset_link(by: User | None, person_id: uuid.UUID) -> str:
    """A link to a new password, sent, and answered to be passed on by hand; the older ones end. Raises AppError."""
    with _changing(by, person_id, "reset_link_made") as person:
        _must_not_be_leaving(db.session.get(Tenant, person.tenant_id) if person.tenant_id else None)
        url, letter_id = links.offer(person)
        _note(by, "reset_link_made", person)
    outbox.enqueue(letter_id)
    return url


def rename(by: User | None, person_id: uuid.UUID, name: str) -> None:
    """Raises AppError."""
    name = valid_name(name)
    with _changing(by, person_id, "user_renamed") as person:
        if name != person.name:
            person.name = name
            _note(by, "user_renamed", person)


def disable(by: User | None, person_id: uuid.UUID) -> None:
    """Out at once, in every browser. Twice is once. Raises AppError."""
    with _changing(by, person_id, "user_disabled") as person:
        _must_not_be_missed(by, person)
        if person.is_active:
            person.is_active = False
            _shut_out(person)
            _note(by, "user_disabled", person)


def enable(by: User | None, person_id: uuid.UUID) -> None:
    """Twice is once. Raises AppError."""
    with _changing(by, person_id, "user_enabled") as person:
        if not person.is_active:
            person.is_active = True
            _note(by, "user_enabled", person)


def set_access(
    by: User | None, person_id: uuid.UUID, role: Role, tenant: Tenant | None, *, can_manage_settings: bool
) -> None:
    """Another role, company or right. The person signs in anew. Raises AppError."""
    with _changing(by, person_id, "user_access_changed", staff.is_chief) as person:
        _must_fit(role, tenant)
        before, left = _rights(person), person.tenant_id
        wanted = role, tenant.id if tenant else None, can_manage_settings and role == Role.USER
        if wanted == (person.role, person.tenant_id, person.can_manage_settings):
            return
        _must_not_be_missed(by, person)
        person.role, person.tenant_id, person.can_manage_settings = wanted
        _shut_out(person)
        # who leaves a company leaves a trace there, and one where he comes
        for company in {left, person.tenant_id}:
            changes = {"before": before, "after": _rights(person)}
            audit.record("user_access_changed", "user", person.id, actor=_name(by), tenant_id=company, **changes)


def sign_out_everywhere(by: User | None, person_id: uuid.UUID) -> None:
    """Raises AppError."""
    with _changing(by, person_id, "user_signed_out", staff.is_chief) as person:
        sessions.end_all(person.id)
        _note(by, "user_signed_out", person)


def reset_factor(by: User | None, person_id: uuid.UUID) -> None:
    """For somebody who lost the second factor. One's own is changed by showing it. Raises AppError."""
    with _changing(by, person_id, "second_factor_reset", staff.is_chief) as person:
        _must_be_another(by, person)
    second_factor.reset(person_id, actor=_name(by))


def delete(by: User | None, person_id: uuid.UUID) -> None:
    """With sessions, links and codes. What he wrote stays, without a name. Raises AppError."""
    with _changing(by, person_id, "user_deleted", staff.is_chief) as person:
        _must_not_be_missed(by, person)
        _note(by, "user_deleted", person, before=_rights(person))
        db.session.execute(update(ReportComment).where(ReportComment.author_id == person.id).values(author=""))
        db.session.delete(person)


@contextmanager
def _changing(
    by: User | None, person_id: uuid.UUID, act: str, may: AnswerCheck = staff.may_look_after
) -> Iterator[User]:
    """The person, held with all chiefs and the one who acts until all is committed: of two acts at once one waits.

    So who acts is judged by the rights he has now, not by those at the start of the request.
    """
    with system_scope("staff audit: people of any company are looked after"):
        named = User.id.in_([person_id, by.id] if by else [person_id])
        chief = and_(User.role == Role.SUPER_ADMIN, User.is_active)
        statement = select(User).where(or_(named, chief)).order_by(User.id).with_for_update(key_share=True)
        held = {one.id: one for one in db.session.execute(statement).scalars()}
        person = held.get(person_id)
        if person is None:
            raise AppError(404, "no_user", _l("There is no such person"))
        acting = held.get(by.id) if by else None
        if by and not (acting and acting.is_active and may(acting, person)):
            raise staff.overstep(by, act, "user", person_id)
        yield person
        db.session.commit()


def _shut_out(person: User) -> None:
    """Nothing that was given out for the rights of before opens anything later."""
    sessions.end_all(person.id)
    links.end_all(person.id)


def _must_fit(role: Role, tenant: Tenant | None) -> None:
    if (role == Role.USER) != (tenant is not None):
        raise AppError(422, "role_and_tenant", _l("A user belongs to a company, staff to none"))
    _must_not_be_leaving(tenant)


def _must_not_be_leaving(tenant: Tenant | None) -> None:
    if tenant and tenant.status == TenantStatus.DELETING:
        raise AppError(409, "tenant_deleting", _l("The company is being deleted. Take the deletion back first."))


def _must_be_another(by: User | None, person: User) -> None:
    if by and by.id == person.id:
        raise AppError(409, "yourself", _l("This cannot be done to your own account. Ask another super administrator."))


def _must_not_be_missed(by: User | None, person: User) -> None:
    """The rows of all chiefs are held here, so two who take each other's role leave one."""
    _must_be_another(by, person)
    if person.role != Role.SUPER_ADMIN or not person.is_active:
        return
    others = and_(User.role == Role.SUPER_ADMIN, User.is_active, User.id != person.id)
    if not db.session.execute(select(func.count()).select_from(User).where(others)).scalar_one():
        raise AppError(409, "last_super_admin", _l("The last super administrator stays"))


def _rights(person: User) -> str:
    return str(staff.rank_of(person))


def _name(by: User | None) -> str:
    return by.email if by else audit.OPERATOR


def _note(by: User | None, act: str, person: User, **details: object) -> None:
    audit.record(act, "user", person.id, actor=_name(by), tenant_id=person.tenant_id, **details)
