"""What people see: thin routes. Each view says with @access who may come."""

from __future__ import annotations

from flask import Flask
from flask_babel import get_babel

from synkro.blueprints import admin, auth, dashboard, preferences, public, reader, reports, runs, style

BLUEPRINTS = (
    public.blueprint,
    auth.blueprint,
    preferences.blueprint,
    dashboard.blueprint,
    runs.blueprint,
    reports.blueprint,
    admin.blueprint,
    style.blueprint,
)


def init_app(app: Flask) -> None:
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.context_processor(reader.context)
    # the choice of a visitor lies in the session, the zone in the company's row: the core knows neither
    babel = get_babel(app)
    babel.locale_selector, babel.timezone_selector = reader.language, reader.zone_name
