"""Which release this is. While one replaces another, both are at work on the same tables and queues."""

from __future__ import annotations

import re

__version__ = "1.1.0"

_FORM = re.compile(r"\d{1,4}(\.\d{1,4}){1,3}")


def is_newer(release: object) -> bool:
    """Whether this is the name of a later release. It may come from Redis, where anybody may have written anything."""
    return isinstance(release, str) and _FORM.fullmatch(release) is not None and _parts(release) > _parts(__version__)


def _parts(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))
