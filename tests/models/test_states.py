"""The tables of moves are true: what happens in PostgreSQL is in them, and what is in them happens."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from synkro import embedded
from synkro.extensions import redis, remember, settings, vault
from synkro.jobs.engine import tick
from synkro.models import Tenant
from synkro.models.plan import BY_KEY, PLAN, StepKey
from synkro.models.states import RUN_MOVES, STEP_MOVES, RunStatus, StepStatus
from synkro.services.reports import artifacts, runs, steps
from synkro.tenancy import db, tenant_scope
from tests.support.practice import Practice

FIRST, SECOND, THIRD, LAST = PLAN[0].key, PLAN[1].key, PLAN[2].key, PLAN[-1].key
OBSERVER = """
create schema observer;
grant usage on schema observer to public;
create table observer.moves (thing text, before text, after text);
create function observer.note() returns trigger language plpgsql security definer as
'begin insert into observer.moves values (tg_table_name, old.status, new.status); return null; end';
create trigger observer after update on job_runs for each row
  when (old.status is distinct from new.status) execute function observer.note();
create trigger observer after update on job_steps for each row
  when (old.status is distinct from new.status) execute function observer.note();
"""
Move = tuple[str, str]


class Seen:
    """The moves that PostgreSQL made since the observer came."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def of(self, table: str) -> set[Move]:
        rows = self._connection.execute("select before, after from observer.moves where thing = %s", [table])
        return {(before, after) for before, after in rows}


@pytest.fixture
def seen(app: Flask, engines: embedded.Engines) -> Iterator[Seen]:
    with psycopg.connect(engines.superuser_url, dbname="synkro", autocommit=True) as connection:
        connection.execute(OBSERVER)
        yield Seen(connection)
        db.session.remove()
        connection.execute("drop schema observer cascade")


def allowed(moves: Mapping[Any, frozenset[Any]]) -> set[Move]:
    return {(str(before), str(after)) for before, afters in moves.items() for after in afters}


class Story:
    """One run, told by the acts of services alone: no vendor is needed for a step to change its status."""

    def __init__(self, practice: Practice) -> None:
        self.practice = practice
        with tenant_scope(practice.tenant.id):
            self.run_id = practice.start()

    def claim(self, key: StepKey) -> steps.StepClaim:
        with tenant_scope(self.practice.tenant.id):
            held = steps.claim(self.run_id, key, 60)
            assert held is not None
            return held

    def die(self) -> None:
        """The worker is silent until its lease is over, and the tick comes by."""
        with tenant_scope(self.practice.tenant.id):
            over = "update job_steps set lease_until = now() - interval '1 second' where status = 'running'"
            db.session.execute(text(over))
            db.session.commit()
        tick.tick()

    def finish(self, key: StepKey) -> None:
        held = self.claim(key)
        with tenant_scope(self.practice.tenant.id):
            artifacts.put(self.run_id, artifacts.DIRECTORY, 0, [], {})
            steps.finish(held, "green", None, "{}", 0, None)

    def fail(self, key: StepKey) -> None:
        held = self.claim(key)
        with tenant_scope(self.practice.tenant.id):
            steps.fail(held, "internal", "{}")

    def stop(self) -> None:
        with tenant_scope(self.practice.tenant.id):
            runs.stop(self._run())

    def resume(self, key: StepKey | None = None) -> None:
        with tenant_scope(self.practice.tenant.id):
            runs.resume(self._run(), key)

    def status(self) -> tuple[str, dict[str, str]]:
        run, found = self.practice.state(self.run_id)
        return run.status, {step.key: step.status for step in found}

    def _run(self) -> Any:
        return runs.find(self.run_id)


@pytest.fixture
def story(practice: Practice) -> Story:
    return Story(practice)


def succeeded_and_done_again(practice: Practice) -> None:
    run = practice.run()
    assert run.status == RunStatus.SUCCEEDED
    with tenant_scope(practice.tenant.id):
        runs.resume(runs.find(run.id), LAST)  # type: ignore[arg-type]
    practice.drain()
    assert practice.state(run.id)[0].status == RunStatus.SUCCEEDED


def troubled(practice: Practice) -> None:
    """A vendor is away; a person stops the run that waits for it."""
    practice.control("radist", fault="503", times=-1)
    run_id = practice.start()
    practice.drain()
    assert practice.state(run_id)[1][2].status == StepStatus.READY
    with tenant_scope(practice.tenant.id):
        runs.stop(runs.find(run_id))  # type: ignore[arg-type]


def failed_and_continued_from_an_earlier_step(story: Story) -> None:
    story.finish(FIRST)
    story.finish(SECOND)
    story.fail(THIRD)
    story.resume(FIRST)
    story.finish(FIRST)
    story.fail(SECOND)
    story.resume()
    story.stop()


def stopped_before_the_start_and_continued(story: Story) -> None:
    story.stop()
    assert story.status()[0] == RunStatus.CANCELLED
    story.resume()
    story.finish(FIRST)
    story.stop()
    story.resume(FIRST)
    story.stop()


def stopped_in_a_step(story: Story) -> None:
    """The worker dies after the stop: the tick closes the run when the lease is over."""
    story.claim(FIRST)
    story.stop()
    assert story.status()[0] == RunStatus.RUNNING
    story.die()
    assert story.status()[0] == RunStatus.CANCELLED


def died_until_the_tries_were_used_up(story: Story) -> None:
    for _ in range(BY_KEY[FIRST].most_attempts):
        story.claim(FIRST)
        story.die()
    assert story.status()[0] == RunStatus.FAILED


BY_HAND: tuple[Callable[[Story], None], ...] = (
    failed_and_continued_from_an_earlier_step,
    stopped_before_the_start_and_continued,
    stopped_in_a_step,
    died_until_the_tries_were_used_up,
)


def test_what_happens_is_what_the_tables_say(practice: Practice, seen: Seen) -> None:
    remember(practice.app, replace(settings(), lease_seconds=30), vault(), redis())
    succeeded_and_done_again(practice)
    troubled(practice)
    for tell in BY_HAND:
        tell(Story(practice))
    assert seen.of("job_runs") == allowed(RUN_MOVES)
    assert seen.of("job_steps") == allowed(STEP_MOVES)


@pytest.mark.parametrize(("moves", "words"), [(RUN_MOVES, RunStatus), (STEP_MOVES, StepStatus)])
def test_every_state_has_its_place_in_the_table(moves: Mapping[Any, frozenset[Any]], words: Any) -> None:
    assert set(moves) == set(words)
    assert not [word for word, afters in moves.items() if word in afters]


def test_an_ended_run_has_no_step_that_waits_or_works(story: Story) -> None:
    story.finish(FIRST)
    story.fail(SECOND)
    assert not {StepStatus.READY, StepStatus.RUNNING, StepStatus.PENDING} & set(story.status()[1].values())


def test_two_claims_of_one_step_are_one(story: Story) -> None:
    story.claim(FIRST)
    with tenant_scope(story.practice.tenant.id):
        assert steps.claim(story.run_id, FIRST, 60) is None


def test_another_company_cannot_claim(story: Story, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant.id):
        assert steps.claim(story.run_id, FIRST, 60) is None


def test_a_step_that_is_not_ready_cannot_be_claimed(story: Story) -> None:
    with tenant_scope(story.practice.tenant.id):
        assert steps.claim(story.run_id, SECOND, 60) is None
        assert steps.claim(uuid.uuid4(), FIRST, 60) is None


def test_who_lost_the_claim_changes_nothing(story: Story) -> None:
    old = story.claim(FIRST)
    story.die()
    story.claim(FIRST)
    with tenant_scope(story.practice.tenant.id):
        with pytest.raises(steps.LeaseLost):
            steps.finish(old, "green", None, "{}", 0, None)
        steps.fail(old, "internal", "{}")
        steps.try_again(old, "internal", "{}", 0)
        with pytest.raises(steps.LeaseLost):
            steps.hold(old)
    assert story.status()[1][FIRST] == StepStatus.RUNNING
