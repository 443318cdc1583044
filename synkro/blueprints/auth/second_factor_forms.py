"""The one thing a person types at the second door."""

from __future__ import annotations

from wtforms import HiddenField, StringField
from wtforms.validators import InputRequired, Length

from synkro.blueprints.shared.forms import PostedForm
from synkro.i18n import _l

LONGEST = 100
"""Of what can be a code in any spelling."""


class CodeForm(PostedForm):
    code = StringField(
        _l("Code"),
        [InputRequired(_l("Fill this in")), Length(max=LONGEST, message=_l("This is too long for a code"))],
        # no answer carries back what was typed: a recovery code may still be good
        render_kw={"value": "", "maxlength": LONGEST},
    )
    next = HiddenField()
