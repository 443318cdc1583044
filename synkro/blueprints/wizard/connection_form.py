"""The form of a service, made from the fields that its class names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from wtforms import PasswordField, SelectChoice, SelectField, SelectMultipleField, StringField
from wtforms.fields import Field as FormField

from synkro.blueprints.shared.forms import PostedForm
from synkro.integrations import INTEGRATIONS
from synkro.integrations.base import Field
from synkro.models import IntegrationConfig
from synkro.services.connections import integrations


def key_form(kind: str, posted: Mapping[str, Any] | None, way: str = "", *, blind: bool = False) -> PostedForm:
    """Every field that is typed or chosen, of one way to connect. blind: for staff, without anything that was saved.

    posted: what was sent, or None for the form as it is first shown.
    """
    config = None if blind else integrations.find(kind)
    fields = {
        field.name: _blind_control(field) if blind else _control(field, config)
        for field in INTEGRATIONS[kind].fields
        if field.by_hand and (field.is_for(way) if posted is None else field.name in posted)
    }
    made = type("ConnectionForm", (PostedForm,), fields)
    return cast(PostedForm, made(posted, data=_saved(config, way) if config else {}))


def _saved(config: IntegrationConfig, way: str) -> dict[str, str]:
    """What is shown again. What was chosen from the offers of another way is no choice here."""
    is_elsewhere = bool(INTEGRATIONS[config.kind].way_field) and way != way_of(config.kind, "")
    return {name: value for name, value in config.settings.items() if not (is_elsewhere and name in config.offers)}


def way_of(kind: str, wished: str) -> str:
    """The way that a person wishes to see, else the one that is in use, else the first; '' where there is only one."""
    ways = INTEGRATIONS[kind].ways
    if not ways or wished in ways:
        return wished if ways else ""
    config = integrations.find(kind)
    return INTEGRATIONS[kind].way_in_use({**config.settings, **config.secrets} if config else {})


def _control(field: Field, config: IntegrationConfig | None) -> FormField:
    offered = config.offers.get(field.name, []) if config else []
    hint = field.hint
    if not field.show:
        return PasswordField(field.label, description=hint)
    if offered and field.several:
        return SelectMultipleField(
            field.label, choices=_options(offered), coerce=str, description=hint, validate_choice=False
        )
    if offered and not field.way:
        return SelectField(
            field.label, choices=[SelectChoice("", "–"), *_options(offered)], description=hint, validate_choice=False
        )
    if field.choices:
        first, *others = field.choices
        choices = [SelectChoice("", first), *(SelectChoice(other, other) for other in others)]
        return SelectField(field.label, choices=choices, description=hint)
    return StringField(field.label, description=hint)


def _blind_control(field: Field) -> FormField:
    """Nothing chosen leaves what there is."""
    if field.show and field.choices:
        choices = [SelectChoice("", "–"), *(SelectChoice(one, one) for one in field.choices)]
        return SelectField(field.label, choices=choices, description=field.hint)
    return _control(field, None)


def _options(offered: list[dict[str, str]]) -> list[SelectChoice]:
    return [
        SelectChoice(one["value"], f"{one['title']} ({one['note']})" if one["note"] else one["title"])
        for one in offered
    ]


def filled_in(form: PostedForm, kind: str, way: str) -> dict[str, str]:
    """Field -> what was sent, as services take it, with the way to connect where anything was filled in for it."""
    values = {}
    for field in form:
        if field.name == "csrf_token":
            continue
        values[field.name] = ",".join(field.data) if isinstance(field.data, list) else str(field.data or "")
    cls = INTEGRATIONS[kind]
    is_told = cls.way_field and way in cls.ways and any(value.strip() for value in values.values())
    return {**values, cls.way_field: way} if is_told else values


def missing_labels(kind: str, way: str) -> list[str]:
    """Labels of what a person still has to type before anything can be checked. way: whose form was just sent."""
    config = integrations.find(kind)
    kept = {**config.settings, **config.secrets} if config else {}
    fields = [field for field in INTEGRATIONS[kind].fields if field.by_hand and field.required and field.is_for(way)]
    return [str(field.label) for field in fields if not kept.get(field.name)]
