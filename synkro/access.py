"""Who may come in. Every view says so; one that says nothing is closed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, current_app, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from synkro.errors import ADVICE, AppError, answer, wants_json
from synkro.log import bind
from synkro.tenancy import tenant_scope

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Rule:
    """public: no sign-in. roles: who of the signed-in. settings: needs the right to manage settings as well."""

    public: bool = False
    roles: frozenset[str] = frozenset()
    settings: bool = False

    def allows(self, user: Any) -> bool:
        return user.role in self.roles and (user.can_manage_settings or not self.settings)


def access(*roles: str, public: bool = False, settings: bool = False) -> Callable[[View], View]:
    def declare(view: View) -> View:
        view.access = Rule(public, frozenset(roles), settings)  # type: ignore[attr-defined]
        return view

    return declare


def rule_of(endpoint: str) -> Rule | None:
    return getattr(current_app.view_functions.get(endpoint), "access", None)


def init_app(app: Flask) -> None:
    app.view_functions["static"] = access(public=True)(app.view_functions["static"])

    @app.before_request
    def scope() -> None:
        """Before the gate: the log tells who was turned away, too."""
        if request.endpoint == "static" or not current_user.is_authenticated:
            return
        bind(user_id=current_user.id, tenant_id=current_user.tenant_id)
        if current_user.tenant_id:
            entered = tenant_scope(current_user.tenant_id)
            entered.__enter__()
            request.environ["synkro.scope"] = entered

    @app.before_request
    def gate() -> Response | None:
        if request.endpoint is None:
            return None  # no such route: the 404 page
        rule = rule_of(request.endpoint)
        if rule is None:
            raise AppError(403, "forbidden", ADVICE[403])
        if rule.public:
            return None
        if not current_user.is_authenticated:
            return _to_sign_in()
        if not rule.allows(current_user):
            raise AppError(403, "forbidden", ADVICE[403])
        return None

    @app.teardown_request
    def leave(_error: BaseException | None) -> None:
        if entered := request.environ.pop("synkro.scope", None):
            entered.__exit__(None, None, None)


def _to_sign_in() -> Response:
    if request.headers.get("HX-Request"):
        # a redirect would put the sign-in page inside the block that polls
        response = answer(401, "signed_out")
        response.headers["HX-Redirect"] = url_for("auth.sign_in")
        return response
    if wants_json():
        return answer(401, "signed_out")
    return redirect(url_for("auth.sign_in", next=request.full_path.rstrip("?")))
