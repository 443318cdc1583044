"""Codes in words: a file for each capability, one place that collects them."""

from __future__ import annotations

from flask_babel import LazyString

from synkro.services.shared.sentences import anywhere, connections, reports

CAPABILITIES = (anywhere, connections, reports)
SENTENCES: dict[str, LazyString] = {code: says for one in CAPABILITIES for code, says in one.SENTENCES.items()}
