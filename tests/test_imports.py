"""Who may import whom, read from the source: an arrow that runs back, a hidden import or a second door out fails."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("config", "core", "models", "integrations", "services", "jobs", "blueprints", "frame")
BELOW = {
    "config": set(),
    "core": {"config"},
    "models": {"config", "core"},
    "integrations": {"config", "core"},
    "services": {"config", "core", "models", "integrations"},
    "jobs": {"config", "core", "models", "integrations", "services"},
    "blueprints": {"config", "core", "models", "integrations", "services"},
    "frame": set(LAYERS) | {"sandbox"},
    "sandbox": set(),
}
"""frame: create_app, the command line, the demo and wsgi. sandbox stands alone; the demo starts it."""
PLACED = {"synkro.infra.pace": "services", "synkro.infra.breaker": "services"}
"""They fulfil interfaces of the integrations, so they stand above them."""


@dataclass(frozen=True)
class Module:
    name: str
    path: Path
    tree: ast.Module

    @property
    def layer(self) -> str:
        if self.name in PLACED:
            return PLACED[self.name]
        if self.name in ("synkro", "wsgi") or self.name.startswith(("synkro.cli", "synkro.demo")):
            return "frame"
        if self.name == "config":
            return "config"
        room = self.name.split(".")[1]
        return room if room in BELOW else "core"


@cache
def modules() -> dict[str, Module]:
    paths = [ROOT / "config.py", ROOT / "wsgi.py", *sorted((ROOT / "synkro").rglob("*.py"))]
    found = {}
    for path in paths:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        found[name] = Module(name, path, ast.parse(path.read_text(encoding="utf-8")))
    return found


def imported(module: Module) -> Iterator[str]:
    """Dotted names; `from package import module` names the module."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module.name}: relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in modules() else str(node.module)


def own(module: Module) -> set[str]:
    return {name for name in imported(module) if name in modules()} - {module.name}


def in_room(room: str) -> list[Module]:
    return [module for module in modules().values() if module.name.split(".")[1:2] == [room]]


def test_no_arrow_runs_back() -> None:
    wrong = [
        f"{module.name} -> {name}"
        for module in modules().values()
        for name in own(module)
        if (target := modules()[name].layer) != module.layer and target not in BELOW[module.layer]
    ]
    assert not wrong


def test_an_arrow_that_runs_back_would_be_seen() -> None:
    tree = ast.parse("from synkro.services.reports import runs")
    lower = Module("synkro.models.bad", ROOT, tree)
    assert own(lower) == {"synkro.services.reports.runs"}
    assert modules()["synkro.services.reports.runs"].layer not in BELOW[lower.layer]


def test_nothing_imports_in_a_circle() -> None:
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way[way.index(name) :], name))
        if name not in done:
            for target in sorted(own(modules()[name])):
                # a package's own __init__ names its parts; a part does not count as asking for its package
                if not name.startswith(f"{target}."):
                    visit(target, (*way, name))
            done.add(name)

    for name in modules():
        visit(name, ())


GROUPED = ("analysis", "blueprints", "integrations", "jobs", "services")
"""Layers that are divided into groups. Files that lie beside the groups belong to none."""


def groups_of(layer: str) -> dict[str, set[str]]:
    """Group -> the other groups that its modules ask."""
    asks: dict[str, set[str]] = {}
    for name, module in modules().items():
        if (group := group_of(name, layer)) is None:
            continue
        targets = {group_of(target, layer) for target in own(module)} - {None, group}
        asks.setdefault(group, set()).update(target for target in targets if target)
    return asks


def group_of(name: str, layer: str) -> str | None:
    parts = name.split(".")
    is_inside = parts[:2] == ["synkro", layer] and (ROOT / "synkro" / layer / "".join(parts[2:3])).is_dir()
    return parts[2] if is_inside and len(parts) > 2 else None


@pytest.mark.parametrize("layer", GROUPED)
def test_the_groups_of_a_layer_form_no_circle(layer: str) -> None:
    """A group that asks another is not asked by it, not over others either."""
    asks = groups_of(layer)
    assert set(TopologicalSorter(asks).static_order()) == set(asks)


@pytest.mark.parametrize("layer", ["blueprints", "jobs", "services"])
def test_what_is_shared_knows_no_group(layer: str) -> None:
    assert groups_of(layer)["shared"] == set()


def test_a_part_does_not_ask_its_own_package() -> None:
    """Where a part takes names from its package's __init__, which takes them from the part: a hidden circle."""
    wrong = [
        f"{module.name} -> {name}"
        for module in modules().values()
        for name in own(module)
        if module.name.startswith(f"{name}.") and name != "synkro" and module.name in reach(name)
    ]
    assert not wrong


def reach(name: str) -> set[str]:
    seen: set[str] = set()
    todo = [name]
    while todo:
        for target in own(modules()[todo.pop()]) - seen:
            seen.add(target)
            todo.append(target)
    return seen


def test_no_import_hides_in_a_function() -> None:
    hidden = [
        f"{module.name}:{inner.lineno}"
        for module in modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert not hidden


@pytest.mark.parametrize("room", ["integrations", "analysis"])
def test_these_know_no_web_no_database_and_no_redis(room: str) -> None:
    foreign = ("flask", "flask_login", "flask_wtf", "sqlalchemy", "flask_sqlalchemy", "redis", "rq", "werkzeug")
    wrong = [
        f"{module.name} -> {name}" for module in in_room(room) for name in imported(module) if root(name) in foreign
    ]
    assert in_room(room)
    assert not wrong


@pytest.mark.parametrize("room", ["integrations", "analysis"])
def test_of_the_tenant_and_the_settings_these_know_nothing(room: str) -> None:
    allowed = ("synkro.i18n", "synkro.infra.records", "synkro.infra.clock", "synkro.analysis", f"synkro.{room}")
    wrong = [
        f"{module.name} -> {name}" for module in in_room(room) for name in own(module) if not name.startswith(allowed)
    ]
    assert not wrong


def test_a_page_asks_a_service_and_never_the_database() -> None:
    asking = {
        module.name
        for module in in_room("blueprints")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node).endswith("db.session")
    }
    assert not asking


def test_the_sandbox_stands_alone() -> None:
    wrong = [
        f"{m.name} -> {name}" for m in in_room("sandbox") for name in own(m) if not name.startswith("synkro.sandbox")
    ]
    assert not wrong


HTTP = {
    "synkro.integrations.http.addresses",
    "synkro.integrations.http.calls",
    "synkro.integrations.http.client",
}
DOORS = {
    "requests": HTTP,
    "requests_hardened": HTTP - {"synkro.integrations.http.client"},
    "urllib3": HTTP - {"synkro.integrations.http.addresses"},
    "urllib.request": {"synkro.demo.__main__", "synkro.demo.company"},
    "http.client": set(),
    "httpx": set(),
    "aiohttp": set(),
    "supabase": set(),
    "sentry_sdk": {"synkro.infra.sentry"},
}
"""Library -> who may use it. The demo speaks to its own loopback addresses."""


@pytest.mark.parametrize("library", DOORS)
def test_there_is_one_door_out(library: str) -> None:
    users = {
        module.name
        for module in modules().values()
        if any(name == library or name.startswith(f"{library}.") for name in imported(module))
    }
    assert users == DOORS[library]


def test_the_environment_is_read_in_one_place() -> None:
    readers = {
        module.name
        for module in modules().values()
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb") and is_os(node.value))
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and names(node) & {"environ", "getenv"})
    }
    assert readers <= {"config", "synkro.demo.__main__"}
    assert "config" in readers


def test_nothing_prints() -> None:
    calls = [
        f"{module.name}:{node.lineno}"
        for module in modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("print", "pprint")
    ]
    assert not calls


@pytest.mark.parametrize("library", ["pickle", "marshal", "shelve", "yaml"])
def test_nothing_reads_data_that_could_be_code(library: str) -> None:
    assert not [module.name for module in modules().values() if library in map(root, imported(module))]


def root(name: str) -> str:
    return name.partition(".")[0]


def is_os(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "os"


def names(node: ast.ImportFrom) -> set[str]:
    return {alias.name for alias in node.names}
