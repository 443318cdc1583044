"""Who may open the pages of coming in and of one's own account: rows of the golden table."""

from __future__ import annotations

from tests.support.golden_rows import Fresh, Rows

ROWS: Rows = {
    ("GET", "auth.sign_in"): (200, 302, 302, 302, 302, 302),
    ("POST", "auth.sign_in"): (422, 302, 302, 302, 302, 302),
    ("GET", "auth.confirm"): (302, 200, 200, 200, 200, 200),
    ("POST", "auth.confirm"): (302, 422, 422, 422, 422, 422),
    ("GET", "account.show"): (302, 200, 200, 200, 200, 200),
    ("POST", "account.change_password"): (302, 422, 422, 422, 422, 422),
    ("POST", "account.end_session"): (302, 303, 404, 404, 404, 404),
    ("POST", "account.end_others"): (302, 303, 303, 303, 303, 303),
    ("GET", "welcome.accept"): (410, 410, 410, 410, 410, 410),
    ("POST", "welcome.accept"): (410, 410, 410, 410, 410, 410),
    ("GET", "welcome.reset"): (410, 410, 410, 410, 410, 410),
    ("POST", "welcome.reset"): (410, 410, 410, 410, 410, 410),
    ("GET", "welcome.forgot"): (200, 200, 200, 200, 200, 200),
    ("POST", "welcome.forgot"): (422, 422, 422, 422, 422, 422),
    ("POST", "auth.logout"): (303, 303, 303, 303, 303, 303),
    ("GET", "second_factor.ask"): (302, 302, 302, 302, 302, 302),
    ("POST", "second_factor.ask"): (302, 302, 302, 302, 302, 302),
    ("GET", "second_factor.enrol"): (302, 200, 200, 200, 200, 200),
    ("POST", "second_factor.enrol"): (302, 422, 422, 422, 422, 422),
    ("GET", "second_factor.manage"): (302, 200, 200, 200, 200, 200),
    ("POST", "second_factor.new_codes"): (302, 303, 303, 303, 409, 409),
    ("POST", "second_factor.switch_off"): (302, 303, 303, 303, 403, 403),
    ("POST", "preferences.theme"): (422, 422, 422, 422, 422, 422),
    ("POST", "preferences.language"): (422, 422, 422, 422, 422, 422),
}
FRESH: Fresh = {
    "second_factor.enrol": "password",
    "second_factor.new_codes": "password code",
    "second_factor.switch_off": "password code",
}
