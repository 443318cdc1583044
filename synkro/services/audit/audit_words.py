"""What the words of the audit mean: the audit itself, and what was refused."""

from __future__ import annotations

from synkro.i18n import _l

ACTS = {
    "audit_exported": _l("Audit exported"),
    "foreign_object": _l("Somebody else's data asked for"),
    "form_tampered": _l("Fields sent that the form does not have"),
    "limit_reached": _l("Too many attempts"),
}

THINGS = {
    "audit": _l("Audit"),
    "form": _l("Form"),
}
