"""What each figure is called and what it means, for labels and tooltips; the stages and losses of the coverage."""

from __future__ import annotations

from typing import Any, NamedTuple

from synkro.i18n import _l


class Definition(NamedTuple):
    """Two lazy texts."""

    label: Any
    meaning: Any


DEFINITIONS = {
    "leads_in_window": Definition(
        _l("Deals"), _l("Deals changed inside the period, without deleted ones and the incoming stage.")
    ),
    "leads_open": Definition(_l("Open deals"), _l("Deals of the period that are neither won nor lost.")),
    "leads_won": Definition(_l("Won deals"), _l("Deals of the period in the won stage.")),
    "leads_lost": Definition(_l("Lost deals"), _l("Deals of the period in the lost stage.")),
    "price_sum_open": Definition(_l("Open deals, sum"), _l("Sum of the prices of open deals; an empty price adds 0.")),
    "price_sum_won": Definition(_l("Won deals, sum"), _l("Sum of the prices of won deals; an empty price adds 0.")),
    "price_sum_lost": Definition(_l("Lost deals, sum"), _l("Sum of the prices of lost deals; an empty price adds 0.")),
    "price_null": Definition(_l("Deals without a price"), _l("Deals of the period whose price is empty.")),
    "missing_contacts": Definition(
        _l("Missing contacts"), _l("Contacts linked to these deals that the CRM no longer has.")
    ),
    "chats_matched": Definition(
        _l("Chats with a deal"),
        _l("Chats whose phone is, digit for digit, a phone of a deal of the period. Groups never count."),
    ),
    "chats_matched_via_sibling": Definition(
        _l("Other chats of the same client"),
        _l("Chats without a phone whose client has another chat with a deal; counted, not read."),
    ),
    "chats_unmatched": Definition(
        _l("Chats without a deal"), _l("All other chats except groups. Their messages are not read.")
    ),
    "chats_group": Definition(_l("Group chats"), _l("Groups, which take no part in any other figure.")),
    "several_managers": Definition(
        _l("Chats of several managers"),
        _l("Chats with a deal whose phone belongs to deals of more than one responsible user."),
    ),
    "messages_in": Definition(_l("Messages from clients"), _l("Inbound messages of the period in chats with a deal.")),
    "messages_out": Definition(
        _l("Messages to clients"), _l("Outbound messages of the period in chats with a deal, failed ones included.")
    ),
    "out_failed": Definition(_l("Failed messages"), _l("Outbound messages that ended in an error.")),
    "active_chats": Definition(_l("Active chats"), _l("Chats with a deal and at least one message in the period.")),
    "first_response_median_s": Definition(
        _l("First response, median"),
        _l("Half of the chats got the first answer faster than this, from the client's first message of the period."),
    ),
    "first_response_p90_s": Definition(
        _l("First response, 9 of 10"), _l("Nine chats of ten got the first answer faster than this.")
    ),
    "first_response_n": Definition(
        _l("Chats with a first response"), _l("How many chats the first response is measured on.")
    ),
    "response_median_s": Definition(
        _l("All responses, median"),
        _l("Half of the answers came faster than this, from the first of the client's messages in a row."),
    ),
    "response_p90_s": Definition(_l("All responses, 9 of 10"), _l("Nine answers of ten came faster than this.")),
    "response_n": Definition(_l("Responses"), _l("How many answers the response is measured on.")),
    "working_hours": Definition(
        _l("In working hours"), _l("The same response times, counting only the company's working hours.")
    ),
    "unanswered": Definition(
        _l("Unanswered"), _l("Chats with a deal where the last message of the period is the client's.")
    ),
    "unanswered_older_than": Definition(
        _l("Unanswered, by time of silence"),
        _l(
            "Unanswered chats by how long nobody has written since the client's last message, until the end of the "
            "period: more than 15 minutes, 1 hour, 4 hours, 1 day."
        ),
    ),
    "unmatched_active": Definition(
        _l("Active without a deal"), _l("Chats without a deal whose last activity is inside the period.")
    ),
    "unmatched_waiting": Definition(
        _l("Waiting without a deal"), _l("Of the active chats without a deal, those where the client spoke last.")
    ),
    "inbound_by_hour": Definition(
        _l("Messages by hour"), _l("Clients' messages by hour of the day in the company's time zone.")
    ),
    "by_manager": Definition(
        _l("By manager"), _l("By the deal's responsible user: the messenger does not say who of the staff wrote.")
    ),
    "coverage": Definition(
        _l("Coverage"), _l("How many deals have a phone, a chat and an analysed chat, and why the others do not.")
    ),
    "chats_by_outcome": Definition(
        _l("Chats by outcome"), _l("What became of each chat with a deal on its way to the analysis.")
    ),
}
"""By the names that Figures.result() gives."""

CUT = _l("Long dialogs of which only the newest part was sent to the AI: %(count)s")
"""They count as analysed."""

STAGES = {
    "leads": _l("Deals"),
    "with_phone": _l("With a phone"),
    "with_chat": _l("With a chat"),
    "analysed": _l("Analysed"),
}
"""By the stages that Coverage.stages() gives."""

LOSSES = {
    "no_contact": _l("no contact"),
    "no_phone": _l("no phone"),
    "no_chat": _l("no chat"),
    "group": _l("only a group chat"),
    "too_long": _l("dialog too long"),
    "over_budget": _l("over the budget"),
    "blocked": _l("refused by the AI's filter"),
    "not_sent": _l("not analysed by the AI"),
    "unreadable": _l("chat could not be opened"),
    "no_messages": _l("no messages in the period"),
}
"""By the reasons in `lost` of each stage."""
