"""What documents list is what the program has."""

from __future__ import annotations

import re

import pytest
from dotenv import dotenv_values

from synkro.integrations import INTEGRATIONS
from synkro.integrations.base import Field, Integration
from tests.conftest import ROOT

DOCS = ROOT / "docs"


@pytest.mark.parametrize("kind", INTEGRATIONS)
def test_operating_lists_every_field_of_a_service(kind: str) -> None:
    row = re.search(rf"^\| {kind} \| (.+) \|$", (DOCS / "operating.md").read_text(), re.MULTILINE)
    assert row is not None
    assert sorted(re.findall(r"`(\w+)`", row[1])) == sorted(field.name for field in INTEGRATIONS[kind].fields)


def test_adding_a_service_tells_of_everything_that_a_class_may_say() -> None:
    text = (DOCS / "integrations.md").read_text()
    told = set(re.findall(r"`(?:Field\.)?(\w+)(?:=\w+)?`", text))
    may_say = {name for name in vars(Integration) | Integration.__annotations__ if not name.startswith("_")}
    derived = {"secret_names", "missing", "way_in_use"}
    assert (may_say - derived) | set(Field.__dataclass_fields__) - {"name", "label"} <= told


def test_settings_lists_what_the_sample_file_has() -> None:
    rows = re.findall(r"^\| (`[A-Z].+?) \|", (DOCS / "settings.md").read_text(), re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(listed) == sorted(dotenv_values(ROOT / ".env.example"))


NAMED = re.compile(r"[`(](?!VAR_DIR|var/)((?:\w[\w.-]*/)+(?:[\w.-]+\.\w+)?)[`)]|^([a-z]+/[\w/]+\.\w+) ", re.MULTILINE)
"""A path in backticks, in a link, or first in a line of a drawing. One that ends with a slash is a folder."""


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "README.md", "SECURITY.md"])
def test_a_path_in_a_document_is_there(name: str) -> None:
    """From the root or from synkro/."""
    named = {path for pair in NAMED.findall((ROOT / name).read_text()) for path in pair if path}
    assert not [path for path in named if not any((folder / path).exists() for folder in (ROOT, ROOT / "synkro"))]


def test_a_path_that_is_gone_would_be_seen() -> None:
    text = "`jobs/gone.py` [x](docs/gone.md)\njobs/lost.py  does"
    assert [one or other for one, other in NAMED.findall(text)] == ["jobs/gone.py", "docs/gone.md", "jobs/lost.py"]
