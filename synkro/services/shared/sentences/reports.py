"""Codes of steps and runs in words."""

from __future__ import annotations

from synkro.i18n import _l

SENTENCES = {
    "amocrm_unreadable": _l("Deals without an id or a time, left out: %(rows)s."),
    "radist_unreadable": _l("Messages that could not be read and were left out: %(rows)s."),
    "radist_partial": _l("Radist's chat list did not come to its end: %(contacts)s contacts were read."),
    "radist_chats_unreadable": _l("Chats that Radist would not open, left out: %(chats)s."),
    "rows_refused": _l("Rows that Supabase did not take: %(rows)s."),
    "over_budget": _l("Dialogs over the limit of one report, not analysed: %(dialogs)s."),
    "nothing_to_analyse": _l("There were no dialogs of deals in this period."),
    "ai_bad_answer": _l("Answers of the AI that could not be read: %(answers)s."),
    "ai_blocked": _l("Dialogs that the AI's filter refused: %(dialogs)s."),
    "refs_dropped": _l("References of the AI to messages that it was not given, dropped: %(refs)s."),
    "pages_deleted": _l("What was loaded is deleted by now: make a new report for this period."),
    "step_died": _l("The work was interrupted several times. Continue it, and tell us if it happens again."),
    "step_too_long": _l("The step took longer than it may."),
    "worker_stopping": _l("The server is being restarted. The step goes on by itself."),
    "telegram_earlier_unknown": _l(
        "It is not known whether the message arrived. Look into the group, then send again."
    ),
    "telegram_shortened": _l("The report was too long for the group. Lines that stand in the cabinet only: %(lines)s."),
    "held_for_review": _l("The report waits in the cabinet: somebody reads it first and sends it to the group."),
}
