"""Every code with which a letter stays behind has its sentences."""

from __future__ import annotations

import ast
import uuid
from collections.abc import Iterator

import pytest
from flask import Flask

from synkro.services.mail import mail_failures
from synkro.services.mail.mail_failures import TROUBLES
from tests.conftest import ROOT

PLACES = (
    "synkro/mail.py",
    "synkro/jobs/mail/letters.py",
    "synkro/jobs/shared/frame.py",
    "synkro/services/mail/outbox.py",
)
GIVERS = {"NotSent": 0, "_fail": 1, "end": 0}
"""Who takes a code, and where among the arguments."""


def codes(path: str) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        place = GIVERS.get(getattr(node.func, "id", ""))
        given = [node.args[place]] if place is not None else []
        given += [part for one in node.keywords if one.arg in ("code", "too_long") for part in ast.walk(one.value)]
        yield from (one.value for one in given if isinstance(one, ast.Constant) and one.value)


def test_every_code_has_its_sentences_and_no_other_has() -> None:
    found = [set(codes(path)) for path in PLACES]
    assert all(found)
    assert set().union(*found) == set(TROUBLES)


@pytest.mark.parametrize("code", sorted(TROUBLES))
def test_a_trouble_says_what_happened_and_what_to_do(app: Flask, code: str) -> None:
    for sentence in (TROUBLES[code].says, TROUBLES[code].to_do):
        assert str(sentence).endswith(".")


def test_nobody_has_no_trouble(app: Flask) -> None:
    assert mail_failures.of(uuid.uuid4()) is None
