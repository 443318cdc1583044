"""What the tests of several integrations ask for."""

from __future__ import annotations

from synkro.integrations import all_sentences
from synkro.integrations.errors import ApiError


def words(error: ApiError) -> str:
    """The English sentence for an error, filled with its params: fails where a code has none or lacks a param."""
    return str(all_sentences()[error.code]) % error.params
