"""Who may open the overview and what everybody may see: rows of the golden table."""

from __future__ import annotations

from tests.support.golden_rows import Rows

ROWS: Rows = {
    ("GET", "public.index"): (200, 302, 302, 302, 302, 302),
    ("GET", "public.healthy"): (200, 200, 200, 200, 200, 200),
    ("GET", "public.ready"): (200, 200, 200, 200, 200, 200),
    ("GET", "static"): (200, 200, 200, 200, 200, 200),
    ("GET", "style.sheet"): (200, 200, 200, 200, 200, 200),
    ("GET", "dashboard.overview"): (302, 200, 200, 200, 403, 403),
}
