"""What people see of a connection after a check or an act that a worker has made."""

from __future__ import annotations

import re
from typing import NamedTuple

from flask_babel import force_locale

from synkro.jobs.connections.trials import try_out
from synkro.services.connections import checks, integrations, trials
from synkro.tenancy import tenant_scope
from tests.support.faults import CHECK
from tests.support.practice import Practice


class Seen(NamedTuple):
    colour: str | None
    code: str | None
    sentence: str
    """In English."""


def seen(practice: Practice, kind: str, act: str = CHECK) -> Seen:
    with force_locale("en"):
        return _checked(practice, kind) if act == CHECK else _tried(practice, kind, act)


def _checked(practice: Practice, kind: str) -> Seen:
    with tenant_scope(practice.tenant.id):
        checks.run(kind)
        config = integrations.find(kind)
        assert config is not None
        return Seen(config.check_colour, config.check_code, checks.says(config))


def _tried(practice: Practice, kind: str, act: str) -> Seen:
    with tenant_scope(practice.tenant.id):
        asked = trials.request(kind, act)
    try_out(str(practice.tenant.id), str(asked.id))
    with tenant_scope(practice.tenant.id):
        trial = trials.latest(kind, act)
        assert trial is not None
        return Seen(trial.colour, trial.code, trials.says(trial))


def assert_plain(sentence: str) -> None:
    """A whole sentence without a word of the machine."""
    assert re.fullmatch(r"[^%]{10,}\.", sentence), sentence
    assert not re.search(r"Traceback|127\.0\.0\.1:|bot\d+:", sentence), sentence
