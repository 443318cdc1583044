"""One answer for what is missing and for what is somebody else's."""

from __future__ import annotations

import uuid
from typing import TypeVar

from flask import abort

from synkro.services import audit

Thing = TypeVar("Thing")


def found_or_404(thing: Thing | None, kind: type[audit.Owned], thing_id: uuid.UUID) -> Thing:
    """Another company's row is None here already: row-level security hides it, so both cases look the same.

    That somebody asked for another company's or person's row is written down.
    """
    if thing is None:
        audit.note_foreign(kind, thing_id)
        abort(404)
    return thing
