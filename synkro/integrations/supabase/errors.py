"""What Supabase says when it refuses, in our words. The code in a body is trusted before the status."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from synkro.i18n import _l
from synkro.integrations.errors import ApiError, Busy, Gone, Refused, Unpaid, Unreachable
from synkro.integrations.http.calls import HttpAnswer, common_failure


class RowRefused(Gone):
    """The database refused a row of the batch. Which one, only smaller batches tell."""


class TooSlow(Unreachable):
    """The statement was stopped after the time that the project allows. A smaller batch may pass."""


Maker = Callable[..., ApiError]
ROW_REFUSED = "supabase_row_refused"
TABLES_DIFFER = "supabase_tables_differ"

_BY_CODE: tuple[tuple[str, Maker, str], ...] = (
    # start of the code, kind, our code; the first that fits wins
    ("PGRST205", Gone, "supabase_no_tables"),
    ("42P01", Gone, "supabase_no_tables"),
    ("PGRST204", Gone, "supabase_schema_old"),
    ("42703", Gone, "supabase_schema_old"),
    ("42P10", Gone, "supabase_schema_old"),
    ("PGRST30", Refused, "supabase_key_refused"),
    ("22023", Refused, "supabase_key_refused"),  # before version 14: the key names a role that does not exist
    ("42501", Refused, "supabase_no_grants"),
    ("57014", TooSlow, "supabase_slow"),
    ("25006", Unpaid, "supabase_read_only"),
    ("21", RowRefused, ROW_REFUSED),
    ("22", RowRefused, ROW_REFUSED),
    ("23", RowRefused, ROW_REFUSED),
    ("54", RowRefused, ROW_REFUSED),
    ("PGRST00", Unreachable, "server_error"),
    ("40", Unreachable, "server_error"),
    ("55P03", Unreachable, "server_error"),
    ("53", Unreachable, "server_error"),
    ("57P", Unreachable, "server_error"),
    ("08", Unreachable, "server_error"),
)
_GATEWAY = {
    # A part of the message, in lower case -> our code. These bodies have no code (sheet of the gateway's answers).
    "legacy api keys are disabled": "supabase_legacy_disabled",
    "secret api key required": "supabase_secret_needed",
    "access to schema is forbidden": "supabase_secret_needed",
    "only the `service_role` api key": "supabase_secret_needed",
}

SENTENCES = {
    "supabase_ok": _l("Connected: rows can be written and read, and nobody else sees them."),
    "supabase_url_form": _l("This is not a Supabase address. It looks like https://<project>.supabase.co."),
    "supabase_host_unapproved": _l("%(host)s is not a host of Supabase. Synkro's staff have to approve it first."),
    "supabase_no_answer": _l("Nothing answers at this address. Check the project URL and that the project exists."),
    "supabase_not_found": _l("There is no Supabase project at this address. Check the project URL."),
    "supabase_public_key_form": _l("This is not a publishable key. It starts with sb_publishable_ or with eyJ."),
    "supabase_secret_key_form": _l("This is not a secret key. It starts with sb_secret_ or with eyJ."),
    "supabase_keys_swapped": _l("The keys stand in each other's fields. Swap the publishable and the secret key."),
    "supabase_public_key_is_secret": _l(
        "In the field of the publishable key stands a secret key. Put the publishable key (or anon) there."
    ),
    "supabase_secret_key_is_public": _l(
        "In the field of the secret key stands a publishable key. Put the secret key (or service_role) there."
    ),
    "supabase_public_key_elsewhere": _l("The publishable key belongs to another Supabase project than the URL."),
    "supabase_secret_key_elsewhere": _l("The secret key belongs to another Supabase project than the URL."),
    "supabase_public_key_expired": _l("The publishable key has expired. Make a new one in the Supabase dashboard."),
    "supabase_secret_key_expired": _l("The secret key has expired. Make a new one in the Supabase dashboard."),
    "supabase_public_key_refused": _l("The project does not accept the publishable key. Copy it once more."),
    "supabase_secret_key_refused": _l("The project does not accept the secret key. Copy it once more."),
    "supabase_key_refused": _l("Supabase does not accept the key. Copy it once more from the project's settings."),
    "supabase_legacy_disabled": _l(
        "The old keys (anon, service_role) are switched off in this project. Use the publishable and the secret key."
    ),
    "supabase_secret_needed": _l("This is not a secret key. Copy the secret key (or service_role) of the project."),
    "supabase_forbidden": _l("Supabase refuses requests from this server. Check the network restrictions there."),
    "supabase_paused": _l("The Supabase project is paused. Open the Supabase dashboard and restore it."),
    "supabase_restricted": _l("Supabase has restricted the project: a quota is used up or an invoice is unpaid."),
    "supabase_read_only": _l("The database is read-only, most likely full. Free some space or change the plan."),
    "supabase_no_tables": _l("The Synkro tables are missing. Run the SQL in the Supabase SQL editor."),
    "supabase_schema_old": _l("The Synkro tables are of an older version. Run the SQL once more."),
    "supabase_no_grants": _l("The key has no rights on the Synkro tables. Run the SQL once more."),
    "supabase_public_data": _l("Anyone who has the publishable key can read %(table)s. Run the SQL now: it closes it."),
    "supabase_granted": _l("Others see no rows, but they still have rights on %(table)s. Run the SQL once more."),
    "supabase_write_lost": _l("A test row was written but could not be read back."),
    "supabase_slow": _l("The database took too long and stopped the request."),
    ROW_REFUSED: _l("Rows that the database refused: %(rows)s. Rows that it took: %(written)s."),
    TABLES_DIFFER: _l(
        "The database refuses our rows (%(rows)s so far): its tables probably differ from ours. "
        "Run the SQL once more, then continue from here."
    ),
    "supabase_count_differs": _l("Supabase confirmed %(written)s rows of %(rows)s."),
    "supabase_tables_ok": _l("Counted in your Supabase: %(rows)s rows in %(tables)s tables."),
    "supabase_rejected": _l("Supabase did not accept our request (%(vendor_code)s)."),
}


def check_answer(answer: HttpAnswer) -> ApiError | None:
    """None for a success. `message` and `details` are never used for words: they repeat the client's rows."""
    if answer.status < 300:
        return None
    if answer.status == 402:
        return Unpaid("supabase_restricted")
    if answer.status == 540:
        return Unpaid("supabase_paused")
    body = answer.json_or_none()
    if isinstance(body, dict) and (code := _code(body)):
        return _by_code(code, answer)
    return _by_gateway(answer, body)


def _code(body: dict[str, Any]) -> str | None:
    """PGRST… or an SQLSTATE; anything else in its place is not repeated to anyone."""
    code = str(body.get("code") or "")
    return code if re.fullmatch(r"PGRST[0-9A-Z]{1,4}|[0-9A-Z]{5}", code) else None


def _by_code(code: str, answer: HttpAnswer) -> ApiError:
    for start, kind, ours in _BY_CODE:
        if code.startswith(start):
            rows = {"rows": 1, "written": 0} if kind is RowRefused else {}
            return kind(ours, service=answer.service, vendor_code=code, **rows)
    if answer.status >= 500:
        return Unreachable("server_error", service=answer.service, vendor_code=code)
    return Gone("supabase_rejected", vendor_code=code)


def _by_gateway(answer: HttpAnswer, body: Any) -> ApiError | None:
    if answer.status == 401:
        said = f"{body.get('message')} {body.get('hint')}".lower() if isinstance(body, dict) else ""
        return Refused(next((ours for part, ours in _GATEWAY.items() if part in said), "supabase_key_refused"))
    if answer.status == 403:
        return Refused("supabase_forbidden")
    if answer.status == 404:
        # PostgREST 12 answers `{}` to a write into a table that it does not know
        return Gone("supabase_no_tables" if body == {} else "supabase_not_found")
    if answer.status == 413:
        return RowRefused(ROW_REFUSED, rows=1, written=0)
    if answer.status == 429:
        return Busy("busy", service=answer.service)
    if answer.status in (400, 405, 406, 409, 416):
        return Gone("supabase_rejected", vendor_code=str(answer.status))
    return common_failure(answer)
