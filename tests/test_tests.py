"""How tests are written, read from their source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST_TUPLES = 14
"""They compare like things: references, phones, pairs. The number may only fall."""
LONGEST_NAME = 60


@cache
def trees() -> dict[str, ast.Module]:
    """The modules of the tests by their dotted names."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "tests").rglob("*.py"))
    }


def is_test(module: str) -> bool:
    return module.rpartition(".")[2].startswith("test_")


def is_tuple(node: ast.expr) -> bool:
    return isinstance(node, ast.Tuple) and len(node.elts) > 1


def compares_a_tuple(node: ast.AST) -> bool:
    """On either side; a choice of values after `in` is none."""
    if not isinstance(node, ast.Compare):
        return False
    rights = zip(node.ops, node.comparators, strict=True)
    return is_tuple(node.left) or any(
        is_tuple(right) and not isinstance(op, (ast.In, ast.NotIn)) for op, right in rights
    )


def asserted_tuples() -> Iterator[str]:
    for module, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Assert) and any(map(compares_a_tuple, ast.walk(node.test))):
                yield f"{module}:{node.lineno}: {ast.unparse(node)}"


def names() -> Iterator[str]:
    for module, tree in trees().items():
        if is_test(module):
            functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
            yield from (node.name.removeprefix("test_") for node in functions if node.name.startswith("test_"))


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_few_asserts_compare_tuples() -> None:
    """assert_has, assert_entries or an assert each name the part that differs; a tuple does not."""
    found = list(asserted_tuples())
    assert len(found) <= MOST_TUPLES, "\n".join(found)


def test_the_name_of_a_test_is_a_short_sentence() -> None:
    assert [name for name in names() if len(name) > LONGEST_NAME] == []


def test_no_test_module_imports_from_another() -> None:
    """What several borrow lies in tests/support."""
    borrowed = {
        f"{module} from {name}"
        for module, tree in trees().items()
        if is_test(module) or module.startswith("tests.support.")
        for name in imported(tree)
        if name in trees() and is_test(name)
    }
    assert borrowed == set()
