"""Runs the SQL block that a person pastes into Supabase's SQL editor: only the statements such a block needs.

CHECK and FOREIGN KEY are read over: the stand-in holds no row to them. Policies do not exist in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from synkro.sandbox.supabase.errors import not_practised
from synkro.sandbox.supabase.sql_parts import literal, names_in, read_column, split
from synkro.sandbox.supabase.tables import Column, Row, Table

Tables = dict[str, Table]

_NAME = r'(?:"?public"?\.)?"?(\w+)"?'
_SILENT = re.compile(
    r"(create (unique )?index|drop policy|notify|comment on|begin|commit|set|select|do)\b", re.IGNORECASE
)
_ALL = {"SELECT", "INSERT", "UPDATE", "DELETE"}


def run_sql(tables: Tables, text: str) -> None:
    """Apply the block. Raises PgError 501 for a statement the stand-in does not know; what ran before it stays."""
    for statement in split(text, ";"):
        for pattern, act in _STATEMENTS:
            if found := pattern.match(statement):
                act(tables, *found.groups())
                break
        else:
            if not _SILENT.match(statement):
                raise not_practised(f"the statement {statement[:80]}")


def _create_table(tables: Tables, name: str, body: str) -> None:
    if name in tables:
        return
    columns: dict[str, Column] = {}
    keys: list[tuple[str, ...]] = []
    for item in split(body, ","):
        if found := re.match(
            r"(?:constraint\s+\w+\s+)?(primary\s+key|unique)\s*\((.+)\)$", item, re.IGNORECASE | re.DOTALL
        ):
            key = tuple(names_in(found[2]))
            keys.insert(0 if found[1].lower().startswith("primary") else len(keys), key)
        elif not re.match(r"(constraint|check|foreign)\b", item, re.IGNORECASE):
            column = read_column(item)
            columns[column.name] = column
            if re.search(r"\bprimary\s+key\b", item, re.IGNORECASE):
                keys.insert(0, (column.name,))
            elif re.search(r"\bunique\b", item, re.IGNORECASE):
                keys.append((column.name,))
    if not keys:
        raise not_practised(f"a table without a key: {name}")
    tables[name] = Table(name, columns, keys)


def _insert(tables: Tables, name: str, columns: str, rest: str) -> None:
    table = tables[name]
    values, _, conflict = re.split(r"(\bon\s+conflict\b)", rest + " on conflict", maxsplit=1, flags=re.IGNORECASE)
    names = names_in(columns)
    rows: list[Row] = []
    for group in split(values, ","):
        literals = split(group.strip()[1:-1], ",")
        rows.append({one: literal(table.columns[one].type, sql) for one, sql in zip(names, literals, strict=True)})
    if re.search(r"do\s+update", conflict, re.IGNORECASE):
        table.insert(rows, "merge")
    else:
        table.insert(rows, "ignore" if re.search(r"do\s+nothing", conflict, re.IGNORECASE) else "fail")


def _add_columns(tables: Tables, name: str, rest: str) -> None:
    table = tables[name]
    for item in split(rest, ","):
        found = re.match(r"add\s+(?:column\s+)?(?:if\s+not\s+exists\s+)?(.+)", item, re.IGNORECASE | re.DOTALL)
        if not found:
            raise not_practised(f"alter table … {item[:60]}")
        column = read_column(found[1])
        if column.name not in table.columns:
            table.columns[column.name] = column
            for row in table.rows():
                row[column.name] = column.default() if column.default else None


def _row_security(tables: Tables, name: str) -> None:
    tables[name].row_security = True


def _grant(tables: Tables, privileges: str, names: str, roles: str) -> None:
    for table in _on(tables, names):
        for role in names_in(roles):
            table.grants.setdefault(role, set()).update(_privileges(privileges))


def _revoke(tables: Tables, privileges: str, names: str, roles: str) -> None:
    for table in _on(tables, names):
        for role in names_in(roles):
            table.grants.setdefault(role, set()).difference_update(_privileges(privileges))


def _on(tables: Tables, names: str) -> Iterator[Table]:
    if re.match(r"all\s+tables\b", names, re.IGNORECASE):
        yield from tables.values()
    elif not re.match(r"(schema|function|all\s+sequences)\b", names, re.IGNORECASE):
        yield from (tables[name] for name in names_in(re.sub(r"^table\s+", "", names, flags=re.IGNORECASE)))


def _privileges(text: str) -> set[str]:
    named = {one.strip().upper() for one in text.split(",")}
    return _ALL if named & {"ALL", "ALL PRIVILEGES"} else named & _ALL


def _statement(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace(" ", r"\s+").replace("NAME", _NAME) + r"\s*$", re.IGNORECASE | re.DOTALL)


_STATEMENTS: list[tuple[re.Pattern[str], Callable[..., None]]] = [
    (_statement(r"create table(?: if not exists)? NAME\s*\((.*)\)"), _create_table),
    (_statement(r"insert into NAME\s*\(([^)]*)\)\s*values(.*)"), _insert),
    (_statement(r"alter table(?: if exists)? NAME enable row level security"), _row_security),
    (_statement(r"alter table(?: if exists)? NAME (add .*)"), _add_columns),
    (_statement(r"grant (.+?) on (.+?) to (.+)"), _grant),
    (_statement(r"revoke (.+?) on (.+?) from (.+)"), _revoke),
]
