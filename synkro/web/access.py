"""Who may come in. Every view says so; one that says nothing is closed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, current_app, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from synkro.errors import NotOpen
from synkro.infra import clock
from synkro.infra.log import bind
from synkro.tenancy import tenant_scope
from synkro.web.answers import answer, wants_json

View = TypeVar("View", bound=Callable[..., Any])


FRESH = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Rule:
    """public: no sign-in. roles: who of the signed-in. settings: needs the right to manage settings as well.

    fresh: what must have been shown within FRESH: "password", "code" or "password code". half: the view is also open to
    a person whose second factor is due in this way ("code" to show it, "enrol" to set it up). limit: the class of
    synkro.web.limits. form: the view reads a PostedForm, which knows its fields; to any other nothing can be posted.
    """

    public: bool = False
    roles: frozenset[str] = frozenset()
    settings: bool = False
    fresh: str = ""
    half: str = ""
    limit: str = "api"
    form: bool = False

    def allows(self, user: Any) -> bool:
        return user.role in self.roles and (user.can_manage_settings or not self.settings)


def access(
    *roles: str,
    public: bool = False,
    settings: bool = False,
    fresh: str = "",
    half: str = "",
    limit: str = "api",
    form: bool = False,
) -> Callable[[View], View]:
    """See Rule."""
    rule = Rule(public, frozenset(roles), settings, fresh, half, limit, form)

    def declare(view: View) -> View:
        view.access = rule  # type: ignore[attr-defined]
        return view

    return declare


def rule_of(endpoint: str) -> Rule | None:
    return getattr(current_app.view_functions.get(endpoint), "access", None)


def identify(app: Flask) -> None:
    """Who asks, and in whose scope: before the limits, which count by person, and before the log's line."""
    app.view_functions["static"] = access(public=True, limit="static")(app.view_functions["static"])
    app.before_request(_enter_scope)
    app.teardown_request(_leave_scope)


def guard(app: Flask) -> None:
    """The gate."""
    app.before_request(_gate)


def _enter_scope() -> None:
    if request.endpoint == "static" or not current_user.is_authenticated:
        return
    bind(user_id=current_user.id, tenant_id=current_user.tenant_id)
    if current_user.tenant_id:
        entered = tenant_scope(current_user.tenant_id)
        entered.__enter__()
        request.environ["synkro.scope"] = entered


def _leave_scope(_error: BaseException | None) -> None:
    if entered := request.environ.pop("synkro.scope", None):
        entered.__exit__(None, None, None)


def _gate() -> Response | None:
    if request.endpoint is None:
        return None  # no such route: the 404 page
    rule = rule_of(request.endpoint)
    if rule is None:
        raise NotOpen
    if rule.public:
        return None
    if not current_user.is_authenticated:
        return _half_open(rule)
    if not rule.allows(current_user):
        raise NotOpen
    stale = _stale(rule)
    return _to_confirm(stale) if stale else None


def _half_open(rule: Rule) -> Response | None:
    """For a visitor, and for a person whose second factor is due: the page that confirms is behind that door, so who
    showed the password too long ago signs in anew."""
    due = current_session().needs if current_session() else ""
    if not due or due != rule.half:
        return _onward(DOORS[due])
    return _onward(DOORS[""]) if _stale(rule) else None


def _stale(rule: Rule) -> list[str]:
    return [what for what in rule.fresh.split() if not is_fresh(what)]


def current_session() -> Any:
    """The CurrentSession of this request, also of a person whose second factor is still due; None for a visitor."""
    return getattr(current_user, "current_session", None)


def is_fresh(what: str) -> bool:
    """what: "password" or "code"."""
    shown = current_session().confirmed_at if what == "password" else current_session().factor_at
    return shown is not None and clock.now() - shown < FRESH


DOORS = {"": "auth.sign_in", "code": "second_factor.ask", "enrol": "second_factor.enrol"}
"""Where somebody is sent who is not in yet, by what is due."""


def _onward(http_client: str) -> Response:
    if request.headers.get("HX-Request"):
        # a redirect would put the sign-in page inside the block that polls
        response = answer(401, "signed_out")
        response.headers["HX-Redirect"] = url_for(http_client)
        return response
    if wants_json():
        return answer(401, "signed_out")
    return redirect(url_for(http_client, next=_wanted()))


def _to_confirm(stale: list[str]) -> Response:
    """One after the other, and then on."""
    if wants_json():
        return answer(403, "confirm_first")
    onward = _wanted()
    for what in reversed(stale):
        onward = url_for("auth.confirm", what=what, next=onward)
    return redirect(onward, 303)


def _wanted() -> str:
    """Where to come back to: this page, or the one with the form that was sent."""
    if request.method in ("GET", "HEAD"):
        return request.full_path.rstrip("?")
    form = urlsplit(request.referrer or "")
    return urlunsplit(("", "", form.path, form.query, "")) if form.netloc == request.host else ""
