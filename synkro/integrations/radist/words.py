"""What Radist's codes mean, in words."""

from __future__ import annotations

from flask_babel import LazyString

from synkro.i18n import _l

SENTENCES: dict[str, LazyString] = {
    "radist_ok": _l("Connected: chats and messages can be read."),
    "radist_no_chats": _l("The key works, but there are no chats yet."),
    "radist_no_messengers": _l("The key works, but no WhatsApp or Telegram is connected in Radist."),
    "radist_key_refused": _l("Radist does not accept the API key. Make a new one in the Radist cabinet."),
    "radist_no_rights": _l("The Radist key has no right to read messages of this company."),
    "radist_not_found": _l("Radist does not know this company or address. Check the company and the API address."),
    "radist_company_elsewhere": _l("The company that was chosen is not one of this key's. Choose the company anew."),
    "radist_choose_company": _l("The key belongs to several companies. Choose one."),
    "radist_no_company": _l("The Radist key has no company."),
    "radist_rejected": _l("Radist did not accept our request."),
    "radist_connection_gone": _l(
        "Messengers that you chose and that are no longer connected in Radist: %(connections)s. Choose anew."
    ),
    "radist_choice_unread": _l("None of the chosen messengers is a WhatsApp or a Telegram. Choose anew."),
    "radist_deals_first": _l("Load three deals in the amoCRM step first: their phones are looked up here."),
    "radist_sample_ok": _l("Dialogs found: %(dialogs)s. Messages of the last 30 days: %(messages)s."),
    "radist_sample_partial": _l(
        "Dialogs found: %(dialogs)s, messages: %(messages)s. Only the first %(contacts)s contacts were looked through."
    ),
    "radist_sample_quiet": _l("Dialogs found: %(dialogs)s, but nobody wrote in them during the last 30 days."),
    "radist_sample_newest": _l(
        "The newest dialogs of the company: %(dialogs)s, messages: %(messages)s. An example, not matched to deals."
    ),
    "radist_sample_none": _l("No chats for these deals. Contacts looked through: %(contacts)s."),
    "radist_sample_none_partial": _l(
        "No chats for these deals among the first %(contacts)s contacts. There was no time for the others."
    ),
    "radist_sample_no_phones": _l("These deals have no phone, so there is nothing to look up."),
    "radist_sample_no_chats": _l("There is no chat in the messengers that are read."),
}
