"""Who may open runs and reports: rows of the golden table."""

from __future__ import annotations

from tests.support.golden_rows import Rows

ROWS: Rows = {
    ("POST", "runs.create"): (302, 303, 303, 303, 403, 403),
    ("GET", "runs.show"): (302, 200, 200, 404, 403, 403),
    ("GET", "runs.steps"): (302, 200, 200, 404, 403, 403),
    ("POST", "runs.stop"): (302, 303, 303, 404, 403, 403),
    ("POST", "runs.resume"): (302, 409, 409, 404, 403, 403),
    ("POST", "runs.send_again"): (302, 409, 409, 404, 403, 403),
    ("GET", "reports.index"): (302, 200, 200, 200, 403, 403),
    ("GET", "reports.show"): (302, 200, 200, 404, 403, 403),
    ("POST", "reports.comment"): (302, 422, 422, 404, 403, 403),
    ("POST", "reports.release"): (302, 403, 409, 403, 403, 403),
}
