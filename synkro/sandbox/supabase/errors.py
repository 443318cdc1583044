"""How the stand-in of PostgREST says no: one exception and the bodies of hosted PostgREST 14."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from functools import partial


class PgError(Exception):
    """An answer with a body of four keys. status: HTTP. code: SQLSTATE or PGRST number."""

    def __init__(
        self, status: int, code: str, message: str, *, details: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers: dict[str, str] = {}
        self.body = {"code": code, "details": details, "hint": hint, "message": message}


class OutOfRange(PgError):
    """416: the page begins behind the last of `total` rows."""

    def __init__(self, start: int, total: int) -> None:
        details = f"An offset of {start} was requested, but there are only {total} rows."
        super().__init__(416, "PGRST103", "Requested range not satisfiable", details=details)
        self.headers = {"Content-Range": f"*/{total}"}


def not_practised(what: str) -> PgError:
    """Said aloud instead of guessing: the real thing can do this, the stand-in cannot."""
    return PgError(501, "PRACTICE", f"The stand-in does not know {what}")


def bad_json() -> PgError:
    return PgError(400, "PGRST102", "Empty or invalid json")


def bad_syntax(kind: str, text: str) -> PgError:
    code = "22007" if kind.startswith(("timestamp", "date")) else "22P02"
    return PgError(400, code, f'invalid input syntax for type {kind}: "{text}"')


def no_table(name: str, known: list[str]) -> PgError:
    alike = get_close_matches(name, known, n=1, cutoff=0.75)
    hint = f"Perhaps you meant the table 'public.{alike[0]}'" if alike else None
    return PgError(404, "PGRST205", f"Could not find the table 'public.{name}' in the schema cache", hint=hint)


def no_payload_column(column: str, table: str) -> PgError:
    return PgError(400, "PGRST204", f"Could not find the '{column}' column of '{table}' in the schema cache")


def no_column(column: str, table: str) -> PgError:
    return PgError(400, "42703", f"column {table}.{column} does not exist")


def not_one(count: int) -> PgError:
    text = "Cannot coerce the result to a single JSON object"
    return PgError(406, "PGRST116", text, details=f"The result contains {count} rows")


def no_privilege(table: str, role: str, lacking: list[str]) -> PgError:
    grant = f"GRANT {', '.join(lacking)} ON public.{table} TO {role};"
    hint = f"Grant the required privileges to the current role with: {grant}"
    return PgError(denied_status(role), "42501", f"permission denied for table {table}", hint=hint)


def row_security(table: str, role: str) -> PgError:
    return PgError(denied_status(role), "42501", f'new row violates row-level security policy for table "{table}"')


def denied_status(role: str) -> int:
    return 401 if role == "anon" else 403


FAULTS: dict[str, Callable[[], PgError]] = {
    "57014": partial(PgError, 500, "57014", "canceling statement due to statement timeout"),
    "40P01": partial(
        PgError,
        500,
        "40P01",
        "deadlock detected",
        details="Process 1 waits for ShareLock on transaction 2; blocked by process 3.",
        hint="See server log for query details.",
    ),
    "25006": partial(PgError, 405, "25006", "cannot execute INSERT in a read-only transaction"),
    "PGRST002": partial(PgError, 503, "PGRST002", "Could not query the database for the schema cache. Retrying."),
    "PGRST003": partial(PgError, 504, "PGRST003", "Timed out acquiring connection from connection pool."),
}
"""Failures of the database that a test may order by their code."""
