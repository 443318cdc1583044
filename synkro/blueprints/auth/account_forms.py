"""What people fill in to show who they are and to change their password. No answer carries back what was typed."""

from __future__ import annotations

from wtforms import PasswordField
from wtforms.validators import InputRequired

from synkro.blueprints.shared.forms import PostedForm
from synkro.i18n import _l


class ConfirmForm(PostedForm):
    password = PasswordField(_l("Password"), [InputRequired(_l("Fill this in"))])


class PasswordForm(PostedForm):
    current = PasswordField(_l("Current password"), [InputRequired(_l("Fill this in"))])
    new = PasswordField(_l("New password"), [InputRequired(_l("Fill this in"))])
