"""What the words of the audit mean: companies and people."""

from __future__ import annotations

from synkro.i18n import _l

ACTS = {
    "overstepped": _l("More tried than allowed"),
    "reset_link_made": _l("Link to a new password made"),
    "tenant_created": _l("Company created"),
    "tenant_deletion_asked": _l("Company marked for deletion"),
    "tenant_deletion_taken_back": _l("Deletion of the company taken back"),
    "tenant_erased": _l("Company erased"),
    "tenant_paused": _l("Company paused"),
    "tenant_renamed": _l("Company renamed"),
    "tenant_resumed": _l("Company resumed"),
    "user_access_changed": _l("Role or rights changed"),
    "user_deleted": _l("Account deleted"),
    "user_disabled": _l("Account disabled"),
    "user_enabled": _l("Account enabled"),
    "user_renamed": _l("Person renamed"),
    "user_signed_out": _l("Signed out everywhere"),
}

THINGS = {
    "tenant": _l("Company"),
}
