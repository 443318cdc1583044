"""What the words of the audit mean: what a company sets up."""

from __future__ import annotations

from synkro.i18n import _l

ACTS = {
    "check_asked": _l("Check of a connection asked for by staff"),
    "host_approved": _l("Host approved"),
    "host_asked": _l("Approval of a host asked for"),
    "host_withdrawn": _l("Approval of a host taken back"),
    "integration_saved": _l("Connection saved"),
    "integration_switched_off": _l("Integration switched off in amoCRM"),
    "oauth_refused": _l("Answer of amoCRM refused"),
    "prompt_restored": _l("Text for the AI restored"),
    "prompt_saved": _l("Text for the AI saved"),
    "schedule_saved": _l("Schedule changed"),
    "setting_followed": _l("Setting followed the service"),
    "settings_opened": _l("Settings opened by staff"),
    "token_refused": _l("amoCRM refused the access"),
    "token_renewed": _l("amoCRM access renewed"),
    "tried_out": _l("Connection tried out"),
}

THINGS = {
    "integration": _l("Connection"),
    "prompt": _l("Text for the AI"),
}
