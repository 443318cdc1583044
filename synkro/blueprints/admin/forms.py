"""What staff fill in about companies and people."""

from __future__ import annotations

from typing import Any

from wtforms import EmailField, Form, SearchField, SelectChoice, SelectField, StringField
from wtforms.validators import InputRequired

from synkro.blueprints.shared.forms import PostedForm
from synkro.i18n import _l
from synkro.models.states import Role
from synkro.services.companies.staff import Rank

NEEDED = _l("Fill this in")
RANKS = [
    SelectChoice(str(Rank.USER), _l("User")),
    SelectChoice(str(Rank.SETTINGS), _l("User with settings")),
    SelectChoice(str(Rank.ADMIN_LITE), _l("Junior administrator")),
    SelectChoice(str(Rank.SUPER_ADMIN), _l("Super administrator")),
]
RIGHTS: dict[str, tuple[Role, bool]] = {
    Rank.USER: (Role.USER, False),
    Rank.SETTINGS: (Role.USER, True),
    Rank.ADMIN_LITE: (Role.ADMIN_LITE, False),
    Rank.SUPER_ADMIN: (Role.SUPER_ADMIN, False),
}
"""The role, and whether the settings of the company may be managed."""
FIELD_OF = {
    "bad_slug": "slug",
    "slug_taken": "slug",
    "slug_differs": "slug",
    "no_name": "name",
    "bad_name": "name",
    "name_too_long": "name",
    "bad_timezone": "timezone",
    "bad_email": "email",
    "email_taken": "email",
    "no_tenant": "company",
    "role_and_tenant": "company",
    "tenant_deleting": "company",
}
"""Where the refusal of a service is shown in the form that led to it, by its code."""


class CompanyName(PostedForm):
    name = StringField(_l("Name"))


class PersonName(PostedForm):
    name = StringField(_l("Full name"))


class NewCompany(PostedForm):
    name = StringField(_l("Name"), [InputRequired(NEEDED)])
    slug = StringField(_l("Short name"), [InputRequired(NEEDED)])
    timezone = StringField(_l("Time zone"), [InputRequired(NEEDED)], default="Asia/Almaty")


class Deletion(PostedForm):
    slug = StringField(_l("Short name of the company"), [InputRequired(NEEDED)])


class Invitation(PostedForm):
    """Of a user without rights: what staff of the lower rank may make."""

    email = EmailField(_l("E-mail"), [InputRequired(NEEDED)])
    name = StringField(_l("Full name"))
    company = StringField(_l("Company"))

    def rights(self) -> tuple[Role, bool]:
        return RIGHTS[Rank.USER]


class AnyInvitation(Invitation):
    rank = SelectField(_l("Role"), choices=RANKS, default=str(Rank.USER))

    def rights(self) -> tuple[Role, bool]:
        return RIGHTS[self.rank.data]


class Access(PostedForm):
    rank = SelectField(_l("Role"), choices=RANKS)
    company = StringField(_l("Company"))


class CompanyFilter(Form):  # type: ignore[misc]
    q = SearchField(_l("Name or short name"))


class PeopleFilter(Form):  # type: ignore[misc]
    q = SearchField(_l("Full name or e-mail"))
    company = StringField(_l("Company"))
    role = SelectField(_l("Role"), choices=[SelectChoice("", _l("Any role")), *RANKS])

    def address(self) -> dict[str, Any]:
        """What the links to other pages and standings carry on."""
        return {name: text for name, text in self.data.items() if text}
