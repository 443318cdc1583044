"""What people see: thin routes. Each view says with @access who may come."""

from __future__ import annotations

from flask import Flask
from flask_babel import get_babel

from synkro.blueprints import reader
from synkro.blueprints.admin import blueprint as admin_pages
from synkro.blueprints.auth import blueprint as auth_pages
from synkro.blueprints.dashboard import blueprint as dashboard_pages
from synkro.blueprints.preferences import blueprint as preferences_pages
from synkro.blueprints.public import blueprint as public_pages
from synkro.blueprints.reports import blueprint as reports_pages
from synkro.blueprints.runs import blueprint as runs_pages
from synkro.blueprints.style import blueprint as style_pages

BLUEPRINTS = (
    public_pages,
    auth_pages,
    preferences_pages,
    dashboard_pages,
    runs_pages,
    reports_pages,
    admin_pages,
    style_pages,
)


def init_app(app: Flask) -> None:
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    app.context_processor(reader.context)
    # the choice of a visitor lies in the session, the zone in the company's row: the core knows neither
    babel = get_babel(app)
    babel.locale_selector, babel.timezone_selector = reader.language, reader.zone_name
