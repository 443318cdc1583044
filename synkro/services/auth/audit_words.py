"""What the words of the audit mean: coming in."""

from __future__ import annotations

from synkro.i18n import _l

ACTS = {
    "invitation_used": _l("Invitation accepted"),
    "password_changed": _l("Password changed"),
    "password_confirmed": _l("Password confirmed"),
    "password_refused": _l("Wrong password"),
    "recovery_code_used": _l("Recovery code used"),
    "recovery_codes_renewed": _l("Recovery codes renewed"),
    "reset_asked": _l("New password asked for"),
    "reset_used": _l("New password set"),
    "second_factor_limited": _l("Too many wrong codes"),
    "second_factor_off": _l("Second factor switched off"),
    "second_factor_on": _l("Second factor switched on"),
    "second_factor_refused": _l("Wrong code"),
    "second_factor_reset": _l("Second factor reset"),
    "second_factor_shown": _l("Code confirmed"),
    "session_ended": _l("Session ended"),
    "sign_in_limited": _l("Too many sign-in attempts"),
    "sign_in_refused": _l("Sign-in refused"),
    "signed_in": _l("Signed in"),
    "signed_out_elsewhere": _l("Signed out everywhere else"),
    "user_created": _l("Account created"),
    "user_invited": _l("Person invited"),
}

THINGS = {
    "session": _l("Session"),
    "user": _l("Person"),
}
