"""What comes of checks and trials, in words. What a service says is in its class."""

from __future__ import annotations

from synkro.i18n import _l

SENTENCES = {
    "check_too_long": _l("The service took too long to answer. Check it again later."),
    "check_lost": _l("The check was interrupted. Ask for it once more."),
    "sample_ok": _l("Items shown: %(count)s."),
    "sample_empty": _l("There is nothing to show yet."),
    "sample_first": _l("Load the sample first: there is nothing to write yet."),
    "ai_package_ok": _l("This is what would be sent. Dialogs: %(dialogs)s, tokens: %(tokens)s."),
    "ai_analysis_ok": _l("The AI has answered. Findings: %(findings)s."),
    "ai_cut_off": _l("The answer of the AI was cut off twice. Choose another model."),
    "ai_dialogs_first": _l("Load three dialogs on the page of Radist first: there is nothing to send yet."),
    "ai_dialogs_empty": _l("The dialogs that were loaded hold no messages. Load others on the page of Radist."),
    "ai_analysis_first": _l("Make a test analysis first: there is nothing to write yet."),
    "write_ok": _l("Written and counted in your Supabase: %(rows)s rows."),
    "write_not_seen": _l("Of %(sent)s rows only %(rows)s can be found in your Supabase. Write them once more."),
    "supabase_not_connected": _l("Supabase is not connected: there is nowhere to write."),
    "amocrm_not_connected": _l("amoCRM is not connected: there is nowhere to take deals from."),
    "radist_not_connected": _l("Radist is not connected: there is nowhere to take dialogs from."),
    "ai_not_connected": _l("The AI is not connected, so the dialogs were not analysed."),
    "telegram_not_connected": _l("Telegram is not connected: the report is in the cabinet only."),
}
