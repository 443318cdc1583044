"""What people type into the form of a connection: judged, sealed, and put into its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from synkro.errors import AppError
from synkro.extensions import settings
from synkro.i18n import _l
from synkro.integrations.base import Field, Integration
from synkro.integrations.http.addresses import host_port
from synkro.models import IntegrationConfig
from synkro.services.connections.secrets import seal_secret

LONGEST_VALUE = 8_000


def fill(config: IntegrationConfig, cls: type[Integration], values: Mapping[str, str | None]) -> list[str]:
    """Names of the fields that were changed. JSON columns are replaced, since changes inside them go unnoticed."""
    shown, secrets, changed = dict(config.settings), dict(config.secrets), []
    tidy = cls.tidied({name: value.strip() for name, value in values.items() if value})
    for field in cls.fields:
        given, value = values.get(field.name, ""), tidy.get(field.name, "")
        if field.name not in values or (given is not None and not value and not field.show):
            continue
        _verify(field, value)
        changed.append(field.name)
        if given is None:
            shown.pop(field.name, None)
            secrets.pop(field.name, None)
        elif field.show:
            shown[field.name] = value
        else:
            secrets[field.name] = seal_secret(config.kind, field.name, value)
    config.settings, config.secrets = shown, secrets
    return changed


def host(cls: type[Integration], settings: Mapping[str, str]) -> list[str]:
    """Where the service is, as its settings say. Nothing chosen is the first choice."""
    return [settings.get(field.name) or next(iter(field.choices), "") for field in cls.fields if field.host]


def forget_all_but(config: IntegrationConfig, given: Sequence[str]) -> None:
    """A key goes nowhere but where it was given for, and what one place offers is no choice at another."""
    config.secrets = {name: sealed for name, sealed in config.secrets.items() if name in given}
    stale = config.offers.keys() - set(given)
    config.settings = {name: value for name, value in config.settings.items() if name not in stale}
    config.offers = {}


def _verify(field: Field, value: str) -> None:
    if len(value) > LONGEST_VALUE or "\x00" in value:
        raise AppError(422, "bad_value", _l("This value is not possible"))
    if value and field.choices and value.rstrip("/") not in field.choices and not _is_listed(field, value):
        says = _l("%(field)s has to be one of: %(choices)s", field=field.name, choices=", ".join(field.choices))
        raise AppError(422, "bad_choice", says)


def _is_listed(field: Field, value: str) -> bool:
    """Where addresses are offered, one that the operator has opened is as good: the way to a stand-in."""
    if field.name != "base_url":
        return False
    try:
        return host_port(value) in settings().outbound_allow_hosts
    except ValueError:
        return False
