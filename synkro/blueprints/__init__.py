"""What people see: thin routes. Each view says with @access who may come."""

from __future__ import annotations

from flask import Flask
from flask_babel import get_babel

from synkro.blueprints.admin import queues
from synkro.blueprints.admin.audit import blueprint as audit_pages
from synkro.blueprints.admin.companies import blueprint as admin_pages
from synkro.blueprints.admin.health import blueprint as health_pages
from synkro.blueprints.admin.people import blueprint as people_pages
from synkro.blueprints.auth.account import blueprint as account_pages
from synkro.blueprints.auth.preferences import blueprint as preferences_pages
from synkro.blueprints.auth.second_factor import blueprint as second_factor_pages
from synkro.blueprints.auth.sign_in import blueprint as auth_pages
from synkro.blueprints.auth.welcome import blueprint as welcome_pages
from synkro.blueprints.dashboard.dashboard import blueprint as dashboard_pages
from synkro.blueprints.dashboard.public import blueprint as public_pages
from synkro.blueprints.dashboard.style import blueprint as style_pages
from synkro.blueprints.reports.reports import blueprint as reports_pages
from synkro.blueprints.reports.runs import blueprint as runs_pages
from synkro.blueprints.shared import formats, reader, refused
from synkro.blueprints.wizard.amocrm import blueprint as amocrm_pages
from synkro.blueprints.wizard.automation import blueprint as automation_pages
from synkro.blueprints.wizard.company_settings import blueprint as company_settings_pages
from synkro.blueprints.wizard.hosts import blueprint as host_pages
from synkro.blueprints.wizard.prompts import blueprint as prompt_pages
from synkro.blueprints.wizard.settings import blueprint as settings_pages

BLUEPRINTS = (
    public_pages,
    auth_pages,
    account_pages,
    second_factor_pages,
    welcome_pages,
    preferences_pages,
    dashboard_pages,
    runs_pages,
    reports_pages,
    admin_pages,
    company_settings_pages,
    people_pages,
    audit_pages,
    automation_pages,
    settings_pages,
    prompt_pages,
    host_pages,
    amocrm_pages,
    health_pages,
    style_pages,
)


def init_app(app: Flask) -> None:
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    queues.init_app(app)
    refused.init_app(app)
    app.context_processor(reader.context)
    app.add_template_filter(formats.iso_moment, "isomoment")
    # the choice of a visitor lies in the session, the zone in the company's row: the core knows neither
    babel = get_babel(app)
    babel.locale_selector, babel.timezone_selector = reader.language, reader.zone_name
