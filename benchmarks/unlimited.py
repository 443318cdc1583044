"""The product with a limit of polls that one visitor who asks hundreds of times a second does not meet."""

from __future__ import annotations

from synkro import create_app
from synkro.web import limits

limits.PER_MINUTE["poll"] = 1_000_000
app = create_app()
