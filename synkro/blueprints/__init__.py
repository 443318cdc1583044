"""What people see: thin routes. Each view says with @access who may come."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_babel import get_babel

from synkro.blueprints import admin, auth, dashboard, reports, wizard
from synkro.blueprints.admin import queues
from synkro.blueprints.shared import formats, navigation, reader, refused

GROUPS = (dashboard, auth, reports, wizard, admin)
"""In the order of their ways in the navigation."""


def init_app(app: Flask) -> None:
    for group in GROUPS:
        for blueprint in group.BLUEPRINTS:
            app.register_blueprint(blueprint)
    queues.init_app(app)
    refused.init_app(app)
    app.context_processor(reader.context)
    app.context_processor(_ways)
    app.add_template_filter(formats.iso_moment, "isomoment")
    # the choice of a visitor lies in the session, the zone in the company's row: the core knows neither
    babel = get_babel(app)
    babel.locale_selector, babel.timezone_selector = reader.language, reader.zone_name


def _ways() -> dict[str, Any]:
    return {"nav": navigation.shown(entry for group in GROUPS for entry in group.NAVIGATION)}
