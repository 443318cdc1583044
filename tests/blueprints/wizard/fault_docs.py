"""Writes docs/vendor-faults.md from the rows that the tests of faults are made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from flask_babel import force_locale

from synkro.integrations.base import SAMPLE
from synkro.services.shared.wording import outline
from tests.blueprints.wizard import (
    test_ai_acts,
    test_ai_faults,
    test_amocrm_faults,
    test_any_faults,
    test_radist_faults,
    test_supabase_faults,
    test_telegram_faults,
)
from tests.support.faults import CHECK, Fault

PLACE = Path(__file__).resolve().parents[3] / "docs" / "vendor-faults.md"
ANEW = "python -m tests.blueprints.wizard.fault_docs"
TOP = f"""# What vendors do, and what people get to see

What can go wrong while a service is connected, tried out or used in a run. Each row is a test: the stand-in of the
vendor is made to do it, and colour, code and sentence are compared. `…` stands for what is found out about the company
or the vendor. Sentences: `sentences` of the class in `synkro/integrations/`, `synkro/integrations/errors.py` and
`synkro/services/shared/sentences/`.

Made from `FAULTS` in `tests/blueprints/wizard/test_*_faults.py` and `test_ai_acts.py`. Written anew by `{ANEW}`.
"""
SERVICES: list[tuple[str, str, str, Sequence[Fault]]] = [
    (
        "Supabase",
        "Supabase",
        "Some of these are tried on the real PostgREST, too: `tests/integrations/supabase/test_client.py`.",
        test_supabase_faults.FAULTS,
    ),
    ("amoCRM", "amoCRM", "The acts say the same of what lasts.", test_amocrm_faults.FAULTS),
    (
        "Radist",
        "Radist",
        "Where the check is red, the search for dialogs says the same.",
        test_radist_faults.FAULTS,
    ),
    ("AI: Gemini", "Gemini", "", [*test_ai_faults.GEMINI_FAULTS, *test_ai_acts.FAULTS]),
    ("AI: a server of OpenAI's kind", "…", "", test_ai_faults.OPENAI_FAULTS),
    ("Telegram", "Telegram", "", test_telegram_faults.FAULTS),
    ("Any service", "…", "Shown for amoCRM; every check and act goes the same way.", test_any_faults.FAULTS),
]
"""Heading, what sentences call the service, a remark, rows."""
MET = {
    CHECK: "check",
    SAMPLE: "sample",
    "chats": "search for groups",
    "message": "test message",
    "report": "short report",
    "analysis": "test analysis",
}
"""Act -> where people meet it."""


def text() -> str:
    with force_locale("en"):
        return "\n".join([TOP, *(line for service in SERVICES for line in _section(*service))])


def _section(title: str, service: str, remark: str, rows: Sequence[Fault]) -> Iterator[str]:
    yield f"## {title}"
    yield from [remark, ""] if remark else []
    yield "| what happens | met in | colour | code | sentence |"
    yield "|---|---|---|---|---|"
    for row in rows:
        happens, says = row.what[0].upper() + row.what[1:], outline(row.code, service)
        yield f"| {happens} | {MET[row.act]} | {row.colour} | `{row.code}` | {says} |"
    yield ""


if __name__ == "__main__":
    PLACE.write_text(text())
