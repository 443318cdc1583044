"""One answer for what is missing and for what is somebody else's."""

from __future__ import annotations

from typing import TypeVar

from flask import abort

Thing = TypeVar("Thing")


def found_or_404(thing: Thing | None) -> Thing:
    """Another company's row is None here already: row-level security hides it, so both cases look the same."""
    if thing is None:
        abort(404)
    return thing
