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
