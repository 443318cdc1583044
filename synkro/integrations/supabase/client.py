"""Supabase: the client's own database, where everything that was fetched and found is kept."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from synkro.i18n import _l
from synkro.infra import clock
from synkro.integrations.base import Act, Check, Field, Integration, Preview
from synkro.integrations.errors import Gone, Lost, Nonsense, Refused, Unreachable
from synkro.integrations.http.calls import HttpAnswer, Params
from synkro.integrations.http.client import HttpClient, HttpConnection
from synkro.integrations.supabase.errors import ROW_REFUSED, SENTENCES, check_answer
from synkro.integrations.supabase.keys import key_headers, keys_fault, project_address, project_ref, tidy_address
from synkro.integrations.supabase.rest import PAGE, SERVICE, Writer, path, read_all, rows_of, total
from synkro.integrations.supabase.rows import Row, batches

SCHEMA_VERSION = 1
META = "synkro_meta"
KEYS: dict[str, tuple[str, ...]] = {
    META: ("key",),
    "synkro_leads": ("account_id", "lead_id"),
    "synkro_contacts": ("account_id", "contact_id"),
    "synkro_chats": ("connection_id", "chat_id"),
    "synkro_messages": ("connection_id", "message_id"),
    "synkro_analyses": ("run_id", "seq"),
    "synkro_reports": ("report_id",),
}
"""Table -> its primary key: what tells that a row is there already."""
CLIENT_TABLES = tuple(table for table in KEYS if table != META)
PROBE = "connection_check"
CHECKING: dict[str, Any] = {"read_seconds": 10, "deadline_seconds": 20}
"""Of each question of a check, which has to come to its end while a person waits."""
SQL_FILE = Path(__file__).with_name("schema.sql")


def schema_sql() -> str:
    """The SQL that the client runs once, and again after an update: it adds what is missing to any older version."""
    return SQL_FILE.read_text(encoding="utf-8")


class Supabase(Integration):
    kind = "supabase"
    is_needed = True
    acts = (Act("tables"),)
    title = _l("Supabase")
    fields = (
        Field("url", _l("Project URL"), show=True, host=True, hint=_l("Or its reference, or a link to its dashboard")),
        Field("publishable_key", _l("Publishable key (or anon)"), hint=_l("Starts with sb_publishable_ or with eyJ")),
        Field("secret_key", _l("Secret key (or service_role)"), hint=_l("Starts with sb_secret_ or with eyJ")),
    )
    sentences = SENTENCES
    host_refused = "supabase_host_unapproved"

    reload_seconds = 3.0
    """New tables are known to the API within one or two seconds after the SQL has run."""

    @classmethod
    def tidied(cls, values: Mapping[str, str]) -> dict[str, str]:
        return {name: tidy_address(value) if name == "url" else value for name, value in values.items()}

    def connect(self, http_client: HttpClient) -> HttpConnection:
        """Raises Refused for an address that is no project of Supabase and no host that was agreed to."""
        self.address = project_address(self.settings["url"], http_client.allow_hosts, http_client.approved)
        self._is_current = False
        self.public = self._open(http_client, "publishable_key")
        return self._open(http_client, "secret_key")

    def _open(self, http_client: HttpClient, name: str) -> HttpConnection:
        return http_client.open(
            self.kind, SERVICE, self.address, check_answer=check_answer, headers=key_headers(self._key(name))
        )

    def _key(self, name: str) -> str:
        return self.settings[name].strip()

    def check(self) -> Check:
        """The keys by sight, then by use: rights, tables, version, what strangers see, a row written and read back."""
        keys = self._key("publishable_key"), self._key("secret_key")
        if fault := keys_fault(*keys, project_ref(self.address)) or self._refused_key():
            return Check("red", fault)
        version = self._tables_version()
        if version is None:
            return Check("red", "supabase_no_tables")
        if version < SCHEMA_VERSION:
            return Check("red", "supabase_schema_old", {"version": version, "needed": SCHEMA_VERSION})
        # an empty table shows nothing to anybody; of META it is known that it has a row
        strangers = {self._seen_by_strangers(table): {"table": table} for table in (META, *reversed(CLIENT_TABLES))}
        if "red" in strangers:
            return Check("red", "supabase_public_data", strangers["red"])
        proof = self.write_probe()
        if proof is None:
            return Check("red", "supabase_write_lost")
        if "yellow" in strangers:
            return Check("yellow", "supabase_granted", {**strangers["yellow"], "proof": proof})
        return Check("green", "supabase_ok", {"proof": proof})

    def open_to_strangers(self, tables: Iterable[str]) -> str | None:
        """The first of the tables of which the publishable key is shown a row."""
        return next((table for table in tables if self._seen_by_strangers(table) == "red"), None)

    def sample(self, count: int = 3) -> list[Preview]:  # noqa: ARG002 -- what lies here was shown where it came from
        return []

    def upsert(self, table: str, rows: Iterable[Row], key: Sequence[str] = ()) -> int:
        """Writes rows over those with the same key (by default the primary key) and returns the number confirmed.

        A key that comes twice in a batch counts once. Columns that a row lacks stay as they are. Reads the rows as it
        goes, so memory stays flat. Raises Gone("supabase_schema_old") before the first row where the tables are of an
        older version, Gone("supabase_row_refused", rows=, written=) once the others are written, and
        Gone("supabase_tables_differ", rows=) where so many are refused that the rest is not tried.
        """
        if table != META:
            self._refuse_older()
        key = key or KEYS[table]
        writer = Writer(self.http, table, key)
        for batch in batches(rows, key):
            writer.write(batch)
        if writer.refused:
            raise Gone(ROW_REFUSED, rows=writer.refused, written=writer.written)
        return writer.written

    def select(
        self, table: str, columns: Sequence[str], order: Sequence[str] = (), filters: Params = (), page: int = PAGE
    ) -> Iterator[Row]:
        """All rows that meet the filters, PostgREST conditions such as ("chat_id", "eq.5").

        order: columns that are never null and together unique, by default the primary key; each row has them too.
        """
        return read_all(self.http, table, columns, order or KEYS[table], filters, page)

    def count(self, table: str, filters: Params = ()) -> int:
        """How many rows meet the filters."""
        asked: Params = (("select", KEYS[table][0]), ("limit", 1))
        return total(self.http.get(path(table), (*asked, *filters), headers={"Prefer": "count=exact"}))

    def schema_version(self) -> int | None:
        """The version that the SQL wrote as its last act; None: it has not been run to its end."""
        value = self._meta("schema_version")
        return int(value) if value and re.fullmatch(r"\d{1,6}", value, re.ASCII) else None

    def _refuse_older(self) -> None:
        """Asked once a client: a step and an act have one each."""
        if self._is_current:
            return
        version = self.schema_version()
        if version is None:
            raise Gone("supabase_no_tables")
        if version < SCHEMA_VERSION:
            raise Gone("supabase_schema_old", version=version, needed=SCHEMA_VERSION)
        self._is_current = True

    def write_probe(self) -> str | None:
        """Writes a row of no meaning, always under the same key. Its word, or None where another is read back."""
        word = uuid.uuid4().hex
        self.upsert(META, [{"key": PROBE, "value": word, "updated_at": clock.now()}])
        return word if self.probe() == word else None

    def probe(self) -> str | None:
        """The word that the last check has left, as it lies there now."""
        return self._meta(PROBE)

    def _meta(self, key: str) -> str | None:
        asked = (("select", "value"), ("key", f"eq.{key}"))
        rows = rows_of(self.http.get(path(META), asked, **CHECKING), ("value",))
        return str(rows[0]["value"]) if rows else None

    def _refused_key(self) -> str | None:
        """A new key holds neither project nor role: only its use tells. The root answers to secret keys alone."""
        try:
            _expect_object(self.public.get("/auth/v1/settings", **CHECKING))
        except Refused as error:
            return _own(error, "supabase_public_key_refused")
        except Unreachable as error:
            # Not even a connection: a slip in the address or a deleted project, and waiting would not help
            if error.code == "unreachable" and not isinstance(error, Lost):
                raise Unreachable("supabase_no_answer") from None
            raise
        try:
            _expect_object(self.http.get("/rest/v1/", **CHECKING))
        except Refused as error:
            return _own(error, "supabase_secret_key_refused")
        return None

    def _tables_version(self) -> int | None:
        """Reads from every table, as a run does: a missing table, right or column shows here."""
        try:
            return self._touch_tables()
        except Gone as error:
            if error.code != "supabase_no_tables":
                raise
            time.sleep(self.reload_seconds)
            return self._touch_tables()

    def _touch_tables(self) -> int | None:
        version = self.schema_version()
        for table, key in KEYS.items():
            self.http.get(path(table), (("select", ",".join(key)), ("limit", 1)), **CHECKING)
        return version

    def _seen_by_strangers(self, table: str) -> str:
        """green: the publishable key has no right; yellow: a right, but no row is shown; red: rows are shown."""
        try:
            rows = rows_of(self.public.get(path(table), (("select", KEYS[table][0]), ("limit", 1)), **CHECKING))
        except Refused as error:
            if error.code != "supabase_no_grants":
                raise
            return "green"
        return "red" if rows else "yellow"


def _own(error: Refused, code: str) -> str:
    """The general refusal in words that name the key; a more exact one as it is."""
    return code if error.code == "supabase_key_refused" else error.code


def _expect_object(answer: HttpAnswer) -> None:
    """A page of somebody in between is a success, too, and proves nothing."""
    if not isinstance(answer.json(), dict):
        raise Nonsense("unexpected_shape", service=SERVICE)
