"""The audit as a file for a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import tzinfo

from flask import Response, stream_with_context
from flask_babel import gettext

from synkro.blueprints.admin.audit_words import act_words, actor_words, details_words, thing_words
from synkro.infra import clock
from synkro.services.audit.export import MOST_EXPORTED
from synkro.services.audit.trail import Entry

FORMULA = re.compile(r"(?:^|(?<=[;\t\r\n]))(?=\s*[=+\-@])|^(?=[\t\r\n])")
"""Where a cell begins that a spreadsheet would work out instead of showing (OWASP, "CSV Injection").

Also in the middle: where a comma stands in numbers, spreadsheets begin a new cell at a semicolon, quoted or not.
"""
BOM = "\ufeff"
"""Without it a spreadsheet takes UTF-8 for the code page of its country."""

Column = tuple[str, Callable[[Entry], object]]


def columns(who: Callable[[Entry], str], zone: tzinfo) -> list[Column]:
    return [
        (gettext("Number"), lambda one: one.seq or ""),
        (gettext("When"), lambda one: one.at.astimezone(zone).isoformat(timespec="seconds")),
        (gettext("Who"), lambda one: actor_words(who(one))),
        (gettext("What happened"), lambda one: act_words(one.act)),
        (gettext("Code"), lambda one: one.act),
        (gettext("Object"), lambda one: thing_words(one.object_type)),
        (gettext("Identifier"), lambda one: one.object_id),
        (gettext("Address"), lambda one: one.address),
        (gettext("Request"), lambda one: one.request_id),
        (gettext("Details"), lambda one: details_words(one.details)),
    ]


def answer(entries: Iterable[Entry], wanted: list[Column]) -> Response:
    """Sent while it is read: its size is not known before its end."""
    response = Response(stream_with_context(_lines(entries, wanted)), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="audit-{clock.now():%Y-%m-%d}.csv"'
    return response


def _lines(entries: Iterable[Entry], wanted: list[Column]) -> Iterator[str]:
    yield BOM + _line([title for title, _ in wanted])
    for number, entry in enumerate(entries, 1):
        if number > MOST_EXPORTED:
            said = gettext(
                "Cut here: a file holds at most %(count)s rows. Choose a shorter period.", count=MOST_EXPORTED
            )
            yield _line([said])
            return
        yield _line([value(entry) for _, value in wanted])


def _line(cells: list[object] | list[str]) -> str:
    drawn = io.StringIO()
    csv.writer(drawn).writerow([harmless(str(cell)) for cell in cells])
    return drawn.getvalue()


def harmless(cell: str) -> str:
    return FORMULA.sub("'", cell)
