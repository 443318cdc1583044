"""What people fill in who have no password yet, or none that they remember. No answer carries a password back."""

from __future__ import annotations

from wtforms import EmailField, PasswordField, SelectChoice, SelectField, StringField
from wtforms.validators import InputRequired, Length

from synkro.blueprints.shared.forms import PostedForm
from synkro.blueprints.shared.reader import LANGUAGES
from synkro.i18n import _l
from synkro.services.auth.forgotten import LONGEST_EMAIL


class WelcomeForm(PostedForm):
    name = StringField(_l("Your name"), [InputRequired(_l("Fill this in"))])
    language = SelectField(_l("Language"), choices=[SelectChoice(code, name) for code, name in LANGUAGES])
    password = PasswordField(_l("Password"), [InputRequired(_l("Fill this in"))])


class ResetForm(PostedForm):
    password = PasswordField(_l("New password"), [InputRequired(_l("Fill this in"))])


class ForgotForm(PostedForm):
    email = EmailField(
        _l("E-mail"),
        [InputRequired(_l("Fill this in")), Length(max=LONGEST_EMAIL, message=_l("This is not an e-mail address"))],
    )
