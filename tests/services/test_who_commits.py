"""A public function of the services commits what it writes; one that leaves it to its caller says so.

Read from the source: a call counts where it names a function of the services, or the session itself.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAYS_SO = "The caller commits"
WRITES = {
    "db.session.add",
    "db.session.add_all",
    "db.session.delete",
    "insert",
    "update",
    "delete",
    "synkro.services.audit.record",
}
COMMITS = {"db.session.commit"}
ENDS = {*COMMITS, "synkro.tenancy.end_reading"}
"""Giving the connection back ends the act of a caller as well."""


@dataclass(frozen=True)
class Function:
    docstring: str
    calls: frozenset[str]


def test_who_writes_without_a_commit_says_that_the_caller_commits() -> None:
    silent = {
        name
        for name in reaching(WRITES) - reaching(COMMITS)
        if is_public(name) and SAYS_SO not in functions()[name].docstring
    }
    assert silent == set()


def test_who_leaves_the_commit_to_the_caller_reaches_none() -> None:
    said = {name for name, one in functions().items() if SAYS_SO in one.docstring}
    assert said & reaching(ENDS) == set()


def is_public(name: str) -> bool:
    return not name.rpartition(".")[2].startswith("_")


def reaching(wanted: set[str]) -> set[str]:
    """Functions that call one of these, or one that does."""
    found: set[str] = set()
    while more := {name for name, one in functions().items() if one.calls & (wanted | found)} - found:
        found |= more
    return found


@cache
def functions() -> dict[str, Function]:
    return {name: one for path in sorted((ROOT / "synkro/services").rglob("*.py")) for name, one in read(path)}


def read(path: Path) -> Iterator[tuple[str, Function]]:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    tree = ast.parse(path.read_text())
    known = {alias.asname or alias.name: f"{module_of}.{alias.name}" for module_of, alias in imported(tree)}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            known[node.name] = f"{module}.{node.name}"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            calls = frozenset(full(ast.unparse(one.func), known) for one in ast.walk(node) if isinstance(one, ast.Call))
            yield known[node.name], Function(ast.get_docstring(node) or "", calls)


def imported(tree: ast.Module) -> Iterator[tuple[str, ast.alias]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("synkro."):
            yield from ((node.module, alias) for alias in node.names if alias.name != "db")


def full(called: str, known: dict[str, str]) -> str:
    head, dot, rest = called.partition(".")
    return known.get(head, head) + dot + rest
