"""Supabase: the client's own database, where everything that was fetched and found is kept."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from synkro.i18n import _l
from synkro.integrations.base import Check, Field, Integration, Preview
from synkro.integrations.errors import Gone, Lost, Refused, Unreachable
from synkro.integrations.http import Door, Http, Params
from synkro.integrations.supabase_errors import SENTENCES, judge
from synkro.integrations.supabase_keys import key_fault, key_headers, project_address, project_ref
from synkro.integrations.supabase_rest import PAGE, Writer, path, read_all, rows_of, total
from synkro.integrations.supabase_rows import Row, batches

SCHEMA_VERSION = 1
KEYS: dict[str, tuple[str, ...]] = {
    "synkro_meta": ("key",),
    "synkro_leads": ("account_id", "lead_id"),
    "synkro_contacts": ("account_id", "contact_id"),
    "synkro_chats": ("connection_id", "chat_id"),
    "synkro_messages": ("connection_id", "message_id"),
    "synkro_analyses": ("run_id", "seq"),
    "synkro_reports": ("report_id",),
}
"""Table -> its primary key: what tells that a row is there already."""
CLIENT_TABLES = tuple(table for table in KEYS if table != "synkro_meta")
SQL_FILE = Path(__file__).with_name("supabase_schema.sql")


def schema_sql() -> str:
    """The SQL that the client runs once, and again after an update."""
    return SQL_FILE.read_text(encoding="utf-8")


class Supabase(Integration):
    kind = "supabase"
    title = _l("Supabase")
    fields = (
        Field("url", _l("Project URL"), show=True, hint=_l("Or its reference, or a link to its dashboard")),
        Field("publishable_key", _l("Publishable key (or anon)")),
        Field("secret_key", _l("Secret key (or service_role)")),
    )
    sentences = SENTENCES

    reload_seconds = 3.0
    """New tables are known to the API within one or two seconds after the SQL has run."""

    def connect(self, door: Door) -> Http:
        """Raises Refused("supabase_url_form") for an address that is no project of Supabase and not allowed."""
        self.address = project_address(self.settings["url"], door.allow_hosts)
        self.public = self._open(door, "publishable_key")
        return self._open(door, "secret_key")

    def _open(self, door: Door, name: str) -> Http:
        return door.open(self.kind, "Supabase", self.address, judge=judge, headers=key_headers(self._key(name)))

    def _key(self, name: str) -> str:
        return self.settings[name].strip()

    def check(self) -> Check:
        """The keys by sight, then by use: rights, tables, version, what strangers see, a row written and read back."""
        if fault := self._key_fault() or self._refused_key() or self._schema_fault():
            return Check("red", fault)
        strangers = {table: self._seen_by_strangers(table) for table in CLIENT_TABLES}
        for table, colour in strangers.items():
            if colour == "red":
                return Check("red", "supabase_public_data", {"table": table})
        if not self.write_probe():
            return Check("red", "supabase_write_lost")
        return Check("yellow", "supabase_granted") if "yellow" in strangers.values() else Check("green", "supabase_ok")

    def sample(self, count: int = 3) -> list[Preview]:  # noqa: ARG002 -- what lies here was shown where it came from
        return []

    def upsert(self, table: str, rows: Iterable[Row], key: Sequence[str] = ()) -> int:
        """Writes rows over those with the same key (by default the primary key) and returns the number confirmed.

        A key that comes twice in a batch counts once. Columns that a row lacks stay as they are. Reads the rows as it
        goes, so memory stays flat. Raises Gone("supabase_row_refused", rows=, written=) once the others are written.
        """
        key = key or KEYS[table]
        writer = Writer(self.http, table, key)
        for batch in batches(rows, key):
            writer.write(batch)
        if writer.refused:
            raise writer.failure()
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

    def write_probe(self) -> bool:
        """Writes a row of no meaning, always under the same key, and tells whether it can be read back."""
        proof = uuid.uuid4().hex
        self.upsert("synkro_meta", [{"key": "connection_check", "value": proof}])
        return self._meta("connection_check") == proof

    def _meta(self, key: str) -> str | None:
        rows = rows_of(self.http.get(path("synkro_meta"), (("select", "value"), ("key", f"eq.{key}"))), ("value",))
        return str(rows[0]["value"]) if rows else None

    def _key_fault(self) -> str | None:
        ref = project_ref(self.address)
        public = key_fault(self._key("publishable_key"), "public", ref)
        return public or key_fault(self._key("secret_key"), "secret", ref)

    def _refused_key(self) -> str | None:
        """A new key holds neither project nor role: only its use tells. The root answers to secret keys alone."""
        try:
            self.public.get("/auth/v1/settings", read_seconds=10)
        except Refused as error:
            return _own(error, "supabase_public_key_refused")
        except Unreachable as error:
            # Not even a connection: a slip in the address or a deleted project, and waiting would not help
            if error.code == "unreachable" and not isinstance(error, Lost):
                raise Unreachable("supabase_no_answer") from None
            raise
        try:
            self.http.get("/rest/v1/", read_seconds=10)
        except Refused as error:
            return _own(error, "supabase_secret_key_refused")
        return None

    def _schema_fault(self) -> str | None:
        """Reads from every table, as a run does: a missing table, right or column shows here."""
        try:
            version = self._touch_tables()
        except Gone as error:
            if error.code != "supabase_no_tables":
                raise
            time.sleep(self.reload_seconds)
            version = self._touch_tables()
        if version is None:
            return "supabase_no_tables"
        return "supabase_schema_old" if version < SCHEMA_VERSION else None

    def _touch_tables(self) -> int | None:
        version = self.schema_version()
        for table, key in KEYS.items():
            self.http.get(path(table), (("select", ",".join(key)), ("limit", 1)), read_seconds=10)
        return version

    def _seen_by_strangers(self, table: str) -> str:
        """green: the publishable key has no right; yellow: a right, but no row is shown; red: rows are shown."""
        try:
            rows = rows_of(self.public.get(path(table), (("select", KEYS[table][0]), ("limit", 1)), read_seconds=10))
        except Refused as error:
            if error.code != "supabase_no_grants":
                raise
            return "green"
        return "red" if rows else "yellow"


def _own(error: Refused, code: str) -> str:
    """The general refusal in words that name the key; a more exact one as it is."""
    return code if error.code == "supabase_key_refused" else error.code
