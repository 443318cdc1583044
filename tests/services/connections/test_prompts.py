"""The company's texts to the model: versions without gaps, nothing overwritten unseen, nothing of them in the audit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as some
from sqlalchemy import select

from synkro.analysis.ai.prompt import TASK_LIMIT
from synkro.errors import AppError
from synkro.models import AuditLog, Tenant, User
from synkro.models.states import Topic
from synkro.services.connections import prompts
from synkro.services.connections.prompts import PAGE, StaleVersion
from synkro.tenancy import db, tenant_scope
from tests.support.having import assert_has

TASK, KNOWLEDGE = Topic.TASK, Topic.KNOWLEDGE


def numbers(topic: Topic = TASK) -> list[int]:
    return [row.version for row in prompts.history(topic).rows]


def test_nothing_is_in_force_at_first(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        assert_has(prompts.current(TASK), version=0, body="")
        assert_has(prompts.history(TASK), rows=[], pages=1)


def test_the_newest_version_is_in_force(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        assert [prompts.save(TASK, body, None) for body in ("one", "two")] == [1, 2]
        assert prompts.current(TASK).body == "two"


def test_each_topic_counts_for_itself(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        prompts.save(TASK, "one", None)
        assert prompts.save(KNOWLEDGE, "prices", None) == 1
        assert prompts.current(TASK).body == "one"


def test_each_company_counts_for_itself(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        prompts.save(TASK, "ours", None)
    with tenant_scope(other_tenant.id):
        assert prompts.current(TASK).version == 0
        assert prompts.save(TASK, "theirs", None) == 1


def test_saving_what_is_in_force_makes_no_version(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        assert [prompts.save(TASK, body, None) for body in ("one", " one\r\n")] == [1, 1]
        assert numbers() == [1]


def test_a_form_sent_twice_is_no_conflict(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        assert [prompts.save(TASK, "one", None, read=0) for _ in range(2)] == [1, 1]


def test_two_who_save_at_once_both_get_a_version(app: Flask, tenant: Tenant) -> None:
    bodies = [f"text {n}" for n in range(8)]

    def save(body: str) -> int:
        with app.app_context(), tenant_scope(tenant.id):
            return prompts.save(TASK, body, None)

    with ThreadPoolExecutor(8) as pool:
        given_out = sorted(pool.map(save, bodies))
    assert given_out == list(range(1, 9))
    with tenant_scope(tenant.id):
        assert {prompts.find(TASK, number).body for number in given_out} == set(bodies)


def test_of_two_who_read_the_same_version_only_one_saves(app: Flask, tenant: Tenant) -> None:
    def save(body: str) -> str:
        with app.app_context(), tenant_scope(tenant.id):
            try:
                prompts.save(TASK, body, None, read=0)
            except StaleVersion:
                return "overtaken"
            return "saved"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(save, "abcd")) == ["overtaken"] * 3 + ["saved"]
    with tenant_scope(tenant.id):
        assert numbers() == [1]


def test_restoring_makes_a_new_version(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        for body in ("one", "two"):
            prompts.save(TASK, body, None)
        assert prompts.restore(TASK, 1, None) == 3
        assert prompts.current(TASK).body == "one"
        assert numbers() == [3, 2, 1]


def test_the_products_own_text_comes_back_as_an_empty_version(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        prompts.save(TASK, "one", None)
        assert prompts.save(TASK, "", None) == 2
        assert prompts.current(TASK).body == ""


def test_a_version_that_is_not_there_is_not_restored(tenant: Tenant) -> None:
    with tenant_scope(tenant.id), pytest.raises(AppError) as refusal:
        prompts.restore(TASK, 7, None)
    assert refusal.value.status == 404


def test_history_is_paged_and_names_who(tenant: Tenant, cast: dict[str, User]) -> None:
    with tenant_scope(tenant.id):
        for n in range(PAGE + 2):
            prompts.save(TASK, f"text {n}\nand more", cast["settings"].id)
        first, last = prompts.history(TASK), prompts.history(TASK, 99)
    assert [len(first.rows), len(last.rows), last.page, last.pages] == [PAGE, 2, 2, 2]
    assert [row.version for row in last.rows] == [2, 1]
    assert_has(last.rows[1], by="Settings", words="text 0 ⏎ and more", length=15)


def test_a_text_over_the_limit_is_refused_with_its_length(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        assert prompts.save(TASK, "я" * TASK_LIMIT, None) == 1
        with pytest.raises(AppError) as refusal:
            prompts.save(TASK, "я" * (TASK_LIMIT + 1), None)
    assert_has(refusal.value, status=422, code="prompt_too_long")
    assert str(TASK_LIMIT + 1) in str(refusal.value.says)


@rules(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(some.text(some.characters(), max_size=60))
def test_whatever_is_typed_is_kept_without_what_hides_in_it(tenant: Tenant, body: str) -> None:
    with tenant_scope(tenant.id):
        prompts.save(TASK, f"a\0\ud800\x1b{body}", None)
        kept = prompts.current(TASK).body
    assert kept.startswith("a")
    assert not set(kept) & {"\0", "\ud800", "\x1b", "\r"}


def test_audit_names_version_and_length_but_not_the_text(tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        prompts.save(KNOWLEDGE, "Flour 500", None)
        prompts.save(KNOWLEDGE, "Flour 600", None)
        prompts.restore(KNOWLEDGE, 1, None)
        rows = db.session.execute(select(AuditLog).order_by(AuditLog.seq)).scalars().all()
    told = [(row.act, row.object_type, row.object_id, row.details) for row in rows]
    assert told == [
        ("prompt_saved", "prompt", "knowledge", {"version": 1, "characters": 9}),
        ("prompt_saved", "prompt", "knowledge", {"version": 2, "characters": 9}),
        ("prompt_restored", "prompt", "knowledge", {"version": 3, "characters": 9, "restored": 1}),
    ]
