"""The circuit breaker: when it opens, for whom, and how it closes."""

from __future__ import annotations

import pytest
from redis import Redis

from synkro.infra.breaker import FAILURES, REST_SECONDS, RedisBreaker
from synkro.integrations.errors import ApiError, Busy
from synkro.services.connections import checks, integrations
from synkro.tenancy import tenant_scope
from tests.conftest import redis_away
from tests.support.having import assert_has
from tests.support.practice import Practice


@pytest.fixture
def breaker(store: Redis) -> RedisBreaker:
    return RedisBreaker(store)


def fail(breaker: RedisBreaker, times: int = FAILURES) -> None:
    for _ in range(times):
        breaker.failed("one")


def test_few_failures_close_nothing(breaker: RedisBreaker) -> None:
    fail(breaker, FAILURES - 1)
    assert breaker.admit("one", "Radist") is True


def test_many_failures_in_a_row_leave_the_service_alone(breaker: RedisBreaker) -> None:
    fail(breaker)
    with pytest.raises(Busy) as caught:
        breaker.admit("one", "Radist")
    assert_has(caught.value, code="resting", params={"service": "Radist"})
    assert 0 < (caught.value.retry_after or 0) <= REST_SECONDS


def test_another_connection_is_not_concerned(breaker: RedisBreaker) -> None:
    fail(breaker)
    assert breaker.admit("two", "Radist") is False


def test_an_answer_begins_the_count_anew(breaker: RedisBreaker) -> None:
    fail(breaker, FAILURES - 1)
    breaker.worked("one")
    fail(breaker, FAILURES - 1)
    assert breaker.admit("one", "Radist") is True


def test_after_the_rest_one_failure_is_enough(breaker: RedisBreaker, store: Redis) -> None:
    fail(breaker)
    store.delete("synkro:resting:one")
    assert breaker.admit("one", "Radist") is True
    breaker.failed("one")
    with pytest.raises(Busy):
        breaker.admit("one", "Radist")


def test_without_redis_nothing_is_counted_and_nothing_breaks() -> None:
    breaker = RedisBreaker(redis_away())
    breaker.failed("one")
    assert breaker.admit("one", "Radist") is False


def test_checks_leave_a_service_that_is_down_alone_until_it_is_back(practice: Practice, store: Redis) -> None:
    practice.control("radist", fault="500", times=-1)
    with tenant_scope(practice.tenant.id):
        codes = [checks.run("radist").code for _ in range(4)]
        asked = len(practice.look("radist", "/__requests"))
        assert codes[-1] == "resting"
        assert checks.run("radist").code == "resting"
        assert len(practice.look("radist", "/__requests")) == asked
        practice.clear("radist")
        practice.control("radist", set={"strict_rate": False})
        for key in store.scan_iter("synkro:resting:*"):
            store.delete(key)
        assert checks.run("radist").colour == "green"


def test_a_refusal_is_an_answer(practice: Practice) -> None:
    practice.control("radist", set={"revoked": True})
    with tenant_scope(practice.tenant.id):
        for _ in range(FAILURES + 1):
            with pytest.raises(ApiError) as caught:
                integrations.build("radist").sample()
            assert caught.value.code == "radist_key_refused"
