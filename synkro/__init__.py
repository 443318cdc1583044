"""Synkro: a cabinet in which sales departments read every morning what their deals and dialogs say."""

from __future__ import annotations

from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from config import Config, load
from synkro import blueprints, i18n
from synkro import cli as commands
from synkro.crypto import Vault
from synkro.extensions import babel, csrf, login, migrate, remember
from synkro.infra import log, sentry, stores
from synkro.models import User
from synkro.services.auth import sessions
from synkro.tenancy import db
from synkro.web import access, answers, expired_form, limits, security, style_sheet

MOST_BYTES = 1_000_000
"""Of a request. The largest form is a prompt."""


def create_app(config: Config | None = None) -> Flask:
    """Build the program. Opens no connection: a database that is down is found by the first who needs it."""
    config = config or load()
    app = Flask(__name__)
    app.config.update(_flask_settings(config))
    log.configure(config.log_level, config.var_dir / "logs", production=config.production)
    if config.sentry_dsn:
        sentry.init(config.sentry_dsn, config.env)
    remember(app, config, Vault(config.encryption_key, config.encryption_keys_old), stores.redis_client(config))
    app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
        app.wsgi_app, x_for=config.proxy_hops, x_proto=config.proxy_hops, x_host=config.proxy_hops
    )
    log.init_app(app)  # first: what an extension turns away has a number and a line, too
    _extensions(app, config)
    answers.init_app(app)
    expired_form.init_app(app)
    style_sheet.init_app(app)
    access.identify(app)
    security.init_app(app, production=config.production, cors_origins=config.cors_origins)
    limits.init_app(app)
    security.check_forms(app)
    csrf.init_app(app)
    access.guard(app)
    blueprints.init_app(app)
    commands.init_app(app)
    return app


def _extensions(app: Flask, config: Config) -> None:
    db.init_app(app)
    with app.app_context():
        stores.start_when_needed(config, db.engine)
    migrate.init_app(app, db, directory="migrations", compare_type=True)
    babel.init_app(app, locale_selector=i18n.locale, timezone_selector=i18n.timezone)
    login.init_app(app)
    login.user_loader(_person)


def _person(token: str) -> User | None:
    rule = access.rule_of(request.endpoint or "")
    return sessions.load(token, in_use=rule is None or rule.limit != "poll")


def _flask_settings(config: Config) -> dict[str, object]:
    return {
        "SECRET_KEY": config.secret_key,
        "SECRET_KEY_FALLBACKS": list(config.secret_keys_old),
        "WTF_CSRF_SECRET_KEY": [*config.secret_keys_old, config.secret_key],  # open forms; the last one signs
        "TESTING": config.env == "test",
        "MAX_CONTENT_LENGTH": MOST_BYTES,
        "MAX_FORM_MEMORY_SIZE": MOST_BYTES,
        "MAX_FORM_PARTS": security.MOST_FIELDS,
        "SQLALCHEMY_DATABASE_URI": stores.database_url(config),
        "SQLALCHEMY_ENGINE_OPTIONS": {
            "pool_pre_ping": True,
            "pool_size": 5,
            "max_overflow": 5,
            "pool_use_lifo": True,  # what a busy minute opened lies idle and is given up
            "hide_parameters": True,  # an error of the database must not carry rows into the log
        },
        "SESSION_COOKIE_NAME": "__Host-session" if config.production else "session",
        "SESSION_COOKIE_SECURE": config.production,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "WTF_CSRF_TIME_LIMIT": None,  # bound to the session: a form may stay open over lunch
        "BABEL_DEFAULT_LOCALE": i18n.DEFAULT_LANGUAGE,
        "RATELIMIT_STORAGE_URI": stores.limits_url(config),
        "RATELIMIT_STORAGE_OPTIONS": {"socket_timeout": 2},  # who asks for a page does not wait for a silent Redis
        "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": True,  # without Redis the sign-in keeps a limit instead of failing
        "RATELIMIT_STRATEGY": "moving-window",
    }
