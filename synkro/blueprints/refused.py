"""Acts of staff that somebody else tried: refused at the gate, and written down."""

from __future__ import annotations

from flask import Response, request
from flask_login import current_user

from synkro.errors import AppError, answer
from synkro.services import staff


def refused(error: AppError) -> Response:
    """For the error handlers of a blueprint. To look at a closed page is no act."""
    if error.code == "forbidden" and request.method == "POST" and current_user.is_authenticated:
        staff.note_overstep(current_user, str(request.endpoint), "user", current_user.id)
    return answer(error.status, error.code, error.says)
