"""What can go wrong with a check or an act of any service, on our side or the vendor's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from synkro.crypto import Vault
from synkro.extensions import redis, remember, settings
from synkro.infra import queue
from synkro.integrations.base import SAMPLE, Act
from synkro.jobs.connections import acts
from synkro.jobs.engine.worker import work_on
from synkro.services.connections import checks, integrations, trials
from synkro.tenancy import tenant_scope
from tests.support.faults import CHECK, Fault
from tests.support.having import assert_has
from tests.support.practice import Practice
from tests.support.seeing import Seen

KIND = "amocrm"

FAULTS: list[Fault] = [
    Fault("the service answers, and the whole check takes too long", {"ours": "late"}, "red", "check_too_long"),
    Fault("the service answers, and the whole act takes too long", {"ours": "late"}, "red", "check_too_long", SAMPLE),
    Fault("the saved keys do not open with the key of the server", {"ours": "keys"}, "red", "keys_unreadable"),
    Fault("the saved keys do not open with the key of the server", {"ours": "keys"}, "red", "keys_unreadable", SAMPLE),
    Fault("something breaks on our side", {"ours": "bug"}, "red", "internal"),
    Fault("something breaks on our side", {"ours": "bug"}, "red", "internal", SAMPLE),
]
"""ours: the word for what is done to the program itself (BREAKING)."""


def late(practice: Practice, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(checks, "CHECK_SECONDS", 1)
    patch.setattr(integrations.INTEGRATIONS[KIND], "acts", (Act(SAMPLE, 1),))
    practice.control(KIND, fault="slow", seconds=4, times=-1)


def keys(practice: Practice, _patch: pytest.MonkeyPatch) -> None:
    remember(practice.app, settings(), Vault("ab" * 32), redis())


def bug(_practice: Practice, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(integrations.INTEGRATIONS[KIND], "check", lambda _: 1 // 0)
    patch.setitem(acts.ACTS[KIND], SAMPLE, lambda _: 1 // 0)  # type: ignore[arg-type]


BREAKING: dict[str, Callable[[Practice, pytest.MonkeyPatch], None]] = {"late": late, "keys": keys, "bug": bug}


def checked(practice: Practice) -> Seen:
    with tenant_scope(practice.tenant.id):
        checks.request(KIND)
    work_on(practice.app, queue.CHECKS, burst=True)
    with tenant_scope(practice.tenant.id):
        config = integrations.find(KIND)
        assert config is not None
        return Seen(config.check_colour, config.check_code, checks.says(config))


def tried(practice: Practice, act: str) -> Seen:
    with tenant_scope(practice.tenant.id):
        trials.request(KIND, act)
    work_on(practice.app, queue.TRIALS, burst=True)
    with tenant_scope(practice.tenant.id):
        trial = trials.latest(KIND, act)
        assert trial is not None
        return Seen(trial.colour, trial.code, trials.says(trial))


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_it_is_told_in_colour_and_words(practice: Practice, monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    BREAKING[fault.cause["ours"]](practice, monkeypatch)
    found = checked(practice) if fault.act == CHECK else tried(practice, fault.act)
    assert_has(found, colour=fault.colour, code=fault.code)
    assert found.sentence not in ("", found.code)
