"""The ways through the cabinet: each group of pages names its own, a person is shown those that are open to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask import url_for
from flask_babel import LazyString
from flask_login import current_user

from synkro.blueprints.shared import reader
from synkro.models import User
from synkro.models.states import Role


@dataclass(frozen=True, slots=True)
class Entry:
    """key: what a page sets as `here`. icon: a name of static/icons.svg."""

    key: str
    title: LazyString
    icon: str
    endpoint: str
    is_for: Callable[[User], bool]


def shown(entries: Iterable[Entry]) -> list[dict[str, str]]:
    """{key, title, icon, url} of those that the reader may open; none for visitors."""
    if not reader.is_signed_in():
        return []
    return [
        {"key": one.key, "title": str(one.title), "icon": one.icon, "url": url_for(one.endpoint)}
        for one in entries
        if one.is_for(current_user)
    ]


def staff(user: User) -> bool:
    return user.is_staff


def super_admins(user: User) -> bool:
    return user.role == Role.SUPER_ADMIN


def company_people(user: User) -> bool:
    return not user.is_staff


def settings_people(user: User) -> bool:
    """Of a company, with the right to its settings."""
    return not user.is_staff and user.can_manage_settings
