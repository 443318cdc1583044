"""What Gemini says when it refuses, in our words. Bodies are google.rpc.Status, now and then inside a list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from synkro.i18n import _l
from synkro.integrations.errors import ApiError, Busy, Gone, Refused, Unpaid
from synkro.integrations.http.calls import HttpAnswer, common_failure

PACIFIC = ZoneInfo("America/Los_Angeles")
"""Daily quotas start anew at midnight there."""
LONGEST_QUOTA_WAIT = 120

SENTENCES = {
    "ai_key_invalid": _l("Google does not accept the API key. Make a new one in Google AI Studio."),
    "ai_key_kind": _l("This kind of key is not accepted by the Gemini API. Make an API key in Google AI Studio."),
    "ai_key_leaked": _l("Google has blocked the API key because it became public. Make a new one."),
    "ai_no_rights": _l("The API key may not use this model. Check the restrictions of the key and of its project."),
    "ai_location": _l("Google does not serve the Gemini API in the country of this server."),
    "ai_billing": _l("Billing is not set up for the project of this key. Connect a payment method in Google Cloud."),
    "ai_model_gone": _l("This model is no longer offered. Choose another one."),
    "ai_day_quota": _l("The daily quota of the AI key is used up. It starts anew at midnight Pacific time."),
    "ai_too_long": _l("The text is too long for the model."),
    "ai_schema_refused": _l("The model does not take the form of answer that we asked for."),
    "ai_rejected": _l("Google did not accept our request."),
}


class SchemaRefused(Gone):
    """The model cannot answer in the form asked for, only in free text."""


def check_answer(answer: HttpAnswer) -> ApiError | None:
    """None for a success. Reasons and quota names are trusted first, the wording of the message last."""
    if answer.status < 300:
        return None
    error = _error_of(answer)
    if answer.status == 400:
        return _bad_request(error)
    if answer.status == 401:
        return Refused("ai_key_kind")
    if answer.status == 402:
        return Unpaid("ai_billing")
    if answer.status == 403:
        return Refused("ai_key_leaked" if "leaked" in _said(error) else "ai_no_rights")
    if answer.status == 404:
        return Gone("ai_model_gone")
    if answer.status == 413:
        return Gone("ai_too_long")
    if answer.status == 429:
        return _quota(error, answer.service)
    return common_failure(answer)


def _bad_request(error: dict[str, Any]) -> ApiError:
    said = _said(error)
    if any(detail.get("reason") == "API_KEY_INVALID" for detail in _details(error)):
        return Refused("ai_key_invalid")
    if error.get("status") == "FAILED_PRECONDITION":
        return Refused("ai_location") if "location" in said else Unpaid("ai_billing")
    if "schema" in said or "mime" in said:
        return SchemaRefused("ai_schema_refused")
    if "token count" in said or "too long" in said:
        return Gone("ai_too_long")
    return Gone("ai_rejected")


def _quota(error: dict[str, Any], service: str) -> Busy:
    """The wait that the vendor names counts for a minute's quota; for a day's quota it is meaningless."""
    quotas = [str(row.get("quotaId")) for detail in _details(error) for row in _dicts(detail.get("violations"))]
    if any("PerDay" in quota for quota in quotas):
        return Busy("ai_day_quota", retry_after=seconds_to_new_day(datetime.now(UTC)), service=service)
    delays = [re.fullmatch(r"(\d{1,9}(?:\.\d+)?)s", str(row.get("retryDelay"))) for row in _details(error)]
    wait = next((float(found[1]) for found in delays if found), None)
    return Busy("busy", service=service, retry_after=wait and min(wait, LONGEST_QUOTA_WAIT))


def seconds_to_new_day(now: datetime) -> float:
    """Until the next midnight in California, over a change of the clocks too."""
    tomorrow = now.astimezone(PACIFIC).date() + timedelta(days=1)
    return (datetime.combine(tomorrow, time(), PACIFIC).astimezone(UTC) - now).total_seconds()


def _error_of(answer: HttpAnswer) -> dict[str, Any]:
    body = answer.json_or_none()
    first = body[0] if isinstance(body, list) and body else body
    error = first.get("error") if isinstance(first, dict) else None
    return error if isinstance(error, dict) else {}


def _details(error: dict[str, Any]) -> list[dict[str, Any]]:
    return list(_dicts(error.get("details")))


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    return (row for row in value if isinstance(row, dict)) if isinstance(value, list) else iter(())


def _said(error: dict[str, Any]) -> str:
    return str(error.get("message", "")).lower()
