"""Codes of steps and runs in words. What a service says is in its own table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import LazyString

from synkro import integrations
from synkro.i18n import _l

SENTENCES: dict[str, LazyString] = {
    "supabase_not_connected": _l("Supabase is not connected: there is nowhere to write."),
    "amocrm_not_connected": _l("amoCRM is not connected: there is nowhere to take deals from."),
    "radist_not_connected": _l("Radist is not connected: there is nowhere to take dialogs from."),
    "ai_not_connected": _l("The AI is not connected, so the dialogs were not analysed."),
    "telegram_not_connected": _l("Telegram is not connected: the report is in the cabinet only."),
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
    "internal": _l("Something broke on our side. It was written down."),
    "telegram_earlier_unknown": _l(
        "It is not known whether the message arrived. Look into the group, then send again."
    ),
    "telegram_shortened": _l("The report was too long for the group. Lines that stand in the cabinet only: %(lines)s."),
    "held_for_review": _l("The report waits in the cabinet: somebody reads it first and sends it to the group."),
    "check_too_long": _l("The service took too long to answer. Check it again later."),
    "keys_unreadable": _l("The saved keys can no longer be opened. Enter them anew."),
    "check_lost": _l("The check was interrupted. Ask for it once more."),
    "no_worker": _l("Nobody has taken this up on our side. If it stays so, write to the administrator of Synkro."),
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
    "queue_away": _l("Redis does not answer, so no worker can be told. Try again in a moment."),
}


def remarks(code: str | None, params: Mapping[str, Any]) -> str:
    """What a step or a check has to say: its remark or fault, and notices that change no colour. "" for nothing."""
    codes = [*([code] if code else []), *params.get("notices", ())]
    return " ".join(sentence(one, params) for one in codes)


def sentence(code: str, params: Mapping[str, Any]) -> str:
    """What a code means. One without a sentence is shown as it is: better than silence."""
    says = _says(code)
    if says is None:
        return code
    try:
        return str(says) % dict(params)
    except (KeyError, ValueError):
        return str(says)


def is_known(code: str) -> bool:
    """Whether the word is one of ours."""
    return _says(code) is not None


def outline(code: str, service: str) -> str:
    """What a code means, with gaps where something would stand that was found out about a company."""
    return str(_says(code) or code) % _Gaps(service=service)


class _Gaps(dict[str, str]):
    def __missing__(self, _name: str) -> str:
        return "…"


def _says(code: str) -> LazyString | None:
    return SENTENCES.get(code) or integrations.all_sentences().get(code)
