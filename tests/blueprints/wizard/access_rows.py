"""Who may open the settings of a company: rows of the golden table."""

from __future__ import annotations

from tests.support.golden_rows import Fresh, Rows

ROWS: Rows = {
    ("GET", "automation.show"): (302, 403, 200, 403, 403, 403),
    ("POST", "automation.save"): (302, 403, 422, 403, 403, 403),
    ("GET", "company_settings.index"): (302, 403, 403, 403, 403, 200),
    ("GET", "company_settings.show"): (302, 403, 403, 403, 403, 200),
    ("POST", "company_settings.save"): (302, 403, 403, 403, 403, 422),
    ("POST", "company_settings.check"): (302, 403, 403, 403, 403, 404),
    ("GET", "company_settings.state"): (302, 403, 403, 403, 403, 200),
    ("POST", "hosts.ask"): (302, 403, 404, 403, 403, 403),
    ("POST", "hosts.approve"): (302, 403, 403, 403, 403, 303),
    ("POST", "hosts.withdraw"): (302, 403, 403, 403, 403, 303),
    ("GET", "settings.index"): (302, 403, 200, 403, 403, 403),
    ("GET", "settings.show"): (302, 403, 200, 403, 403, 403),
    ("POST", "settings.save"): (302, 403, 303, 403, 403, 403),
    ("POST", "settings.check"): (302, 403, 404, 403, 403, 403),
    ("POST", "settings.try_out"): (302, 403, 303, 403, 403, 403),
    ("GET", "settings.state"): (302, 403, 200, 403, 403, 403),
    ("GET", "amocrm.authorize"): (302, 403, 303, 403, 403, 403),
    ("GET", "amocrm.callback"): (302, 403, 400, 403, 403, 403),
    ("GET", "amocrm.disabled"): (404, 404, 404, 404, 404, 404),
    ("GET", "prompts.show"): (302, 403, 200, 403, 403, 403),
    ("POST", "prompts.save"): (302, 403, 303, 403, 403, 403),
    ("GET", "prompts.version"): (302, 403, 404, 403, 403, 403),
    ("POST", "prompts.restore"): (302, 403, 404, 403, 403, 403),
    ("GET", "prompts.list_analyses"): (302, 403, 200, 403, 403, 403),
    ("GET", "prompts.analysis"): (302, 403, 200, 403, 403, 403),
}
FRESH: Fresh = {
    "settings.save": "password",
    "company_settings.save": "password",
    "hosts.approve": "password",
    "hosts.withdraw": "password",
    "amocrm.authorize": "password",
}
