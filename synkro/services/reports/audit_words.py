"""What the words of the audit mean: runs and reports."""

from __future__ import annotations

from synkro.i18n import _l

ACTS = {
    "comment_added": _l("Comment added"),
    "report_late": _l("Report late"),
    "report_released": _l("Held report sent on"),
    "run_failed": _l("Report failed"),
    "run_resumed": _l("Report continued"),
    "run_started": _l("Report started"),
    "run_stopped": _l("Report stopped"),
}

THINGS = {
    "job_runs": _l("Run"),
    "report": _l("Report"),
    "reports": _l("Report"),
    "run": _l("Run"),
}
