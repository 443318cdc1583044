"""A sixth service that is used: tried out by an act of its own, proved by it or by a run, and needed for a report."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from jinja2 import ChoiceLoader, DictLoader

from synkro.infra import queue
from synkro.integrations import INTEGRATIONS
from synkro.jobs.connections.acts import ACTS
from synkro.jobs.engine.worker import work_on
from synkro.jobs.reports.pipeline import STEPS
from synkro.models import JobStep
from synkro.models.plan import BY_KEY, PLAN, PLANS
from synkro.models.states import RunStatus
from synkro.sandbox.server import Server
from synkro.services.connections import checks, integrations, setup
from synkro.services.reports import artifacts, runs
from synkro.tenancy import tenant_scope
from tests.support import dummy_parts
from tests.support.dummy_integration import GUIDE, ITEMS, KEY, Parcels, emulator
from tests.support.dummy_parts import PLAN_OF_PARCELS, TRIALS, FetchParcels
from tests.support.having import assert_has
from tests.support.practice import Practice
from tests.support.web_client import Enter

PAGE = "/settings/parcels"
TRACK = f"{PAGE}/try/track"


@pytest.fixture(autouse=True)
def parcels(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Registered with its act and its step, beside the five that a run uses already."""
    monkeypatch.setitem(INTEGRATIONS, Parcels.kind, Parcels)
    monkeypatch.setitem(ACTS, Parcels.kind, dummy_parts.ACTS)
    for kind in PLANS:
        monkeypatch.setitem(PLANS, kind, (*PLAN, PLAN_OF_PARCELS))
    monkeypatch.setitem(BY_KEY, PLAN_OF_PARCELS.key, PLAN_OF_PARCELS)
    monkeypatch.setitem(STEPS, PLAN_OF_PARCELS.key, FetchParcels())
    pages = DictLoader({"wizard/guides/parcels.html": GUIDE, "wizard/trials/parcels.html": TRIALS})
    environment = practice.app.jinja_env
    monkeypatch.setattr(environment, "loader", ChoiceLoader([environment.loader, pages]))  # type: ignore[list-item]
    server = Server(emulator())
    practice.urls[Parcels.kind] = server.url
    practice.reach()
    yield server
    server.stop()


def connect(practice: Practice, api_key: str = KEY) -> None:
    with tenant_scope(practice.tenant.id):
        integrations.save(Parcels.kind, {"depot": "North", "api_key": api_key}, actor="test")
        checks.run(Parcels.kind)


def shown_as(practice: Practice) -> setup.SetupStep:
    with tenant_scope(practice.tenant.id):
        return next(step for step in setup.steps() if step.kind == Parcels.kind)


def last_step(practice: Practice) -> JobStep:
    with tenant_scope(practice.tenant.id):
        run = runs.latest()
        assert run is not None
        return runs.steps_of(run.id)[-1]


def test_its_act_can_be_tried_out_from_the_page(practice: Practice, enter: Enter) -> None:
    connect(practice)
    browser = enter("settings")
    assert f'action="{TRACK}"' in browser.get(PAGE).text
    assert browser.send(TRACK).status_code == 303
    work_on(practice.app, queue.TRIALS, burst=True)
    assert "Parcels on their way: 2." in browser.get(PAGE).text


def test_a_good_check_alone_leaves_it_yellow(practice: Practice) -> None:
    connect(practice)
    assert_has(shown_as(practice), state="unproved", colour="yellow")


@pytest.mark.parametrize(("name", "path"), [("settings", PAGE), ("admin", "/admin/companies/{}/settings/parcels")])
def test_the_page_says_in_its_words_what_is_left(practice: Practice, enter: Enter, name: str, path: str) -> None:
    connect(practice)
    assert "Tracking is left" in enter(name).get(path.format(practice.tenant.id)).text


def test_its_act_proves_it(practice: Practice, enter: Enter) -> None:
    connect(practice)
    enter("settings").send(TRACK)
    work_on(practice.app, queue.TRIALS, burst=True)
    assert_has(shown_as(practice), state="done", colour="green")


def test_its_sample_does_not_prove_it(practice: Practice, enter: Enter) -> None:
    connect(practice)
    enter("settings").send(f"{PAGE}/try/sample")
    work_on(practice.app, queue.TRIALS, burst=True)
    assert shown_as(practice).state == "unproved"


def test_the_step_of_a_run_reads_it(practice: Practice) -> None:
    connect(practice)
    run = practice.run()
    assert run.status == RunStatus.SUCCEEDED
    with tenant_scope(practice.tenant.id):
        assert [page.rows for page in artifacts.pages(run.id, Parcels.kind)] == [ITEMS]


def test_the_step_of_a_run_proves_it(practice: Practice) -> None:
    connect(practice)
    practice.run()
    assert shown_as(practice).state == "done"


def test_the_page_of_the_run_says_what_was_counted(practice: Practice, enter: Enter) -> None:
    connect(practice)
    run = practice.run()
    assert "Parcels: 2" in enter("user").get(f"/runs/{run.id}").text


def test_a_run_without_its_key_ends_at_its_step(practice: Practice) -> None:
    connect(practice, api_key="wrong")
    assert practice.run().status == RunStatus.FAILED
    assert_has(last_step(practice), status="failed", colour="red", code="parcels_key_refused")


def test_a_step_that_stumbles_has_it_checked(practice: Practice) -> None:
    connect(practice, api_key="wrong")
    practice.run()
    assert shown_as(practice).state == "checking"


def test_no_report_is_offered_before_it_is_connected(practice: Practice, enter: Enter) -> None:
    browser = enter("user")
    assert 'id="make"' not in browser.get("/dashboard").text
    connect(practice)
    assert 'id="make"' in browser.get("/dashboard").text
