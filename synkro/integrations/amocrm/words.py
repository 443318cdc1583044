"""What amoCRM's codes mean, in words."""

from __future__ import annotations

from flask_babel import LazyString

from synkro.i18n import _l

SENTENCES: dict[str, LazyString] = {
    "amocrm_ok": _l("Connected: deals and contacts can be read."),
    "amocrm_no_leads": _l("Connected. There are no deals in the account yet."),
    "amocrm_token_ends": _l(
        "Connected. Days until the token ends: %(days)s. Make a new one in amoCRM before that and save it here."
    ),
    "amocrm_sample_ok": _l("The deals that were changed last: %(leads)s."),
    "amocrm_names_ok": _l("Names renewed. Pipelines: %(pipelines)s, stages: %(stages)s, reasons: %(reasons)s."),
    "amocrm_bad_address": _l("This is not an address of an amoCRM account. It looks like company.amocrm.ru."),
    "amocrm_reconnect": _l("amoCRM no longer accepts the token. Connect amoCRM anew."),
    "amocrm_unpaid": _l("The amoCRM account is not paid for. Pay for it and try again."),
    "amocrm_no_rights": _l("The amoCRM token lacks the rights, or the account lets only listed addresses in."),
    "amocrm_blocked": _l(
        "amoCRM has blocked requests to this account. Write to the support of amoCRM and name the IP address of the "
        "Synkro server (its administrator knows it), your subdomain and the ID of your account."
    ),
    "amocrm_not_found": _l("amoCRM does not know this account or page. Check the account address."),
    "amocrm_rejected": _l("amoCRM did not accept our request."),
    "amocrm_too_much": _l("amoCRM cannot put its answer together in time."),
    "amocrm_too_many": _l("There are more than %(most)s deals to go through. Choose a shorter period."),
    "amocrm_foreign_link": _l("The answer of amoCRM points to a foreign address, so it was not used."),
    "amocrm_filter_off": _l("The filter add-on is not connected in amoCRM. Deals are read in another way, slower."),
    "amocrm_managers_hidden": _l("amoCRM does not show the names of the managers to this token."),
    "amocrm_reasons_hidden": _l("The amoCRM token may not read the reasons why deals are lost."),
    "amocrm_code_expired": _l("The amoCRM code is used up or older than 20 minutes. Get a new one."),
    "amocrm_redirect_differs": _l("The redirect address in the amoCRM integration differs from ours."),
    "amocrm_other_account": _l("The amoCRM code belongs to another account. Check the account address."),
    "amocrm_client_refused": _l("amoCRM does not accept the integration ID and the secret key."),
}
