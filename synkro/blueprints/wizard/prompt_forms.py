"""The form of a text for the model."""

from __future__ import annotations

from wtforms import HiddenField, TextAreaField

from synkro.blueprints.shared.forms import PostedForm
from synkro.i18n import _l
from synkro.models.states import Topic

LABELS = {Topic.TASK: _l("What the AI should look for"), Topic.KNOWLEDGE: _l("What is true of products and prices")}
HIGHEST_VERSION = 1_000_000


class PromptForm(PostedForm):
    """read: the version that the writer had before him."""

    body = TextAreaField(id="prompt-body")
    read = HiddenField()

    @property
    def version(self) -> int:
        """-1 for what is no number: then nothing counts as read."""
        typed = self.read.data or ""
        return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= len(str(HIGHEST_VERSION)) else -1
