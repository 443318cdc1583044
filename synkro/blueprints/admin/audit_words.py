"""What the words of the audit mean, for people."""

from __future__ import annotations

from typing import Any

from synkro.i18n import _l

ACTS = {
    "audit_exported": _l("Audit exported"),
    "check_asked": _l("Check of a connection asked for by staff"),
    "comment_added": _l("Comment added"),
    "form_tampered": _l("Fields sent that the form does not have"),
    "foreign_object": _l("Somebody else's data asked for"),
    "host_approved": _l("Host approved"),
    "host_asked": _l("Approval of a host asked for"),
    "host_withdrawn": _l("Approval of a host taken back"),
    "integration_saved": _l("Connection saved"),
    "integration_switched_off": _l("Integration switched off in amoCRM"),
    "invitation_used": _l("Invitation accepted"),
    "keys_rotated": _l("Sealing key replaced"),
    "limit_reached": _l("Too many attempts"),
    "oauth_refused": _l("Answer of amoCRM refused"),
    "overstepped": _l("More tried than allowed"),
    "password_changed": _l("Password changed"),
    "password_confirmed": _l("Password confirmed"),
    "password_refused": _l("Wrong password"),
    "prompt_restored": _l("Text for the AI restored"),
    "prompt_saved": _l("Text for the AI saved"),
    "recovery_code_used": _l("Recovery code used"),
    "recovery_codes_renewed": _l("Recovery codes renewed"),
    "report_late": _l("Report late"),
    "report_released": _l("Held report sent on"),
    "reset_asked": _l("New password asked for"),
    "reset_link_made": _l("Link to a new password made"),
    "reset_used": _l("New password set"),
    "run_failed": _l("Report failed"),
    "run_resumed": _l("Report continued"),
    "run_started": _l("Report started"),
    "run_stopped": _l("Report stopped"),
    "schedule_saved": _l("Schedule changed"),
    "second_factor_limited": _l("Too many wrong codes"),
    "second_factor_off": _l("Second factor switched off"),
    "second_factor_on": _l("Second factor switched on"),
    "second_factor_refused": _l("Wrong code"),
    "second_factor_reset": _l("Second factor reset"),
    "second_factor_shown": _l("Code confirmed"),
    "session_ended": _l("Session ended"),
    "setting_followed": _l("Setting followed the service"),
    "settings_opened": _l("Settings opened by staff"),
    "sign_in_limited": _l("Too many sign-in attempts"),
    "sign_in_refused": _l("Sign-in refused"),
    "signed_in": _l("Signed in"),
    "signed_out_elsewhere": _l("Signed out everywhere else"),
    "tenant_created": _l("Company created"),
    "tenant_deletion_asked": _l("Company marked for deletion"),
    "tenant_deletion_taken_back": _l("Deletion of the company taken back"),
    "tenant_erased": _l("Company erased"),
    "tenant_paused": _l("Company paused"),
    "tenant_renamed": _l("Company renamed"),
    "tenant_resumed": _l("Company resumed"),
    "token_refused": _l("amoCRM refused the access"),
    "token_renewed": _l("amoCRM access renewed"),
    "tried_out": _l("Connection tried out"),
    "user_access_changed": _l("Role or rights changed"),
    "user_created": _l("Account created"),
    "user_deleted": _l("Account deleted"),
    "user_disabled": _l("Account disabled"),
    "user_enabled": _l("Account enabled"),
    "user_invited": _l("Person invited"),
    "user_renamed": _l("Person renamed"),
    "user_signed_out": _l("Signed out everywhere"),
}
"""Every act that is recorded."""

THINGS = {
    "audit": _l("Audit"),
    "form": _l("Form"),
    "integration": _l("Connection"),
    "job_runs": _l("Run"),
    "key": _l("Sealing key"),
    "prompt": _l("Text for the AI"),
    "report": _l("Report"),
    "reports": _l("Report"),
    "run": _l("Run"),
    "session": _l("Session"),
    "tenant": _l("Company"),
    "user": _l("Person"),
}

ACTORS = {
    "command line": _l("Command line"),
    "schedule": _l("Schedule"),
    "unknown": _l("Unknown"),
    "worker": _l("Synkro itself"),
}
"""Who acts without being a person."""


def act_words(act: str) -> str:
    return str(ACTS.get(act, act))


def thing_words(thing: str) -> str:
    return str(THINGS.get(thing, thing))


def actor_words(actor: str) -> str:
    return str(ACTORS.get(actor, actor))


def details_words(details: dict[str, Any]) -> str:
    """ "step: analyse; code: busy": names and counts as they were written."""
    return "; ".join(f"{name}: {_value(value)}" for name, value in details.items())


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
