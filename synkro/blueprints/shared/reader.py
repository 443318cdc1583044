"""Who reads the page: the person, the company, language, theme, time zone and the way around."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import g, has_request_context, session, url_for
from flask_babel import gettext
from flask_login import current_user
from werkzeug.local import LocalProxy

from synkro import i18n
from synkro.extensions import settings
from synkro.models import Tenant, User
from synkro.services.auth import accounts
from synkro.services.companies import tenants

LANGUAGES = (("ru", "Русский"), ("kk", "Қазақша"), ("en", "English"))
THEMES = ("light", "dark")


def is_signed_in() -> bool:
    return has_request_context() and bool(current_user.is_authenticated)


def me() -> User:
    """The person as a row of this request's session: the one of Flask-Login was read before the scope was entered."""
    return accounts.get(current_user.id)


def company() -> Tenant | None:
    """None for staff and visitors. Read once a request."""
    if not is_signed_in() or current_user.tenant_id is None:
        return None
    if "company" not in g:
        g.company = tenants.get(current_user.tenant_id)
    return g.company  # type: ignore[no-any-return]


def my_company() -> Tenant:
    """Where the view is open to users of a company only."""
    tenant = company()
    if tenant is None:
        raise LookupError("nobody's company was asked for")
    return tenant


def zone_name() -> str:
    tenant = company()
    return tenant.timezone if tenant else i18n.timezone()


def zone() -> ZoneInfo:
    return ZoneInfo(zone_name())


def language() -> str:
    """The person's own choice, else the visitor's, else what the browser asks for."""
    own = current_user.language if is_signed_in() else ""
    chosen = own or (session.get("language") if has_request_context() else "")
    return str(chosen) if chosen in i18n.LANGUAGES else i18n.locale()


def theme() -> str:
    """light, dark or '' for what the device says."""
    own = current_user.theme if is_signed_in() else ""
    chosen = own or session.get("theme", "")
    return chosen if chosen in THEMES else ""


def start_page(user: User) -> str:
    return url_for("admin.home") if user.is_staff else url_for("dashboard.overview")


def context() -> dict[str, Any]:
    """What base.html and layout.html need."""
    return {
        "language": language(),
        "languages": LANGUAGES,
        "theme": theme(),
        "sandbox": settings().sandbox,
        # looked up only where a page shows it: the block that renews itself does not
        "person": LocalProxy(_person),
    }


def _person() -> dict[str, str]:
    tenant = company()
    name = current_user.name or current_user.email
    return {"name": name, "company": tenant.name if tenant else gettext("Staff")}
