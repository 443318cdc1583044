"""Vendors that answer what no column, page or memory of ours could hold: a person still gets a colour that tells."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask, Response
from sqlalchemy import text

from synkro.extensions import redis, remember, settings, vault
from synkro.infra import clock, queue
from synkro.integrations.base import SAMPLE
from synkro.jobs.engine.worker import work_on
from synkro.models import IntegrationConfig, Trial
from synkro.sandbox.server import Server
from synkro.services.connections import checks, integrations, trials
from synkro.tenancy import db, tenant_scope
from tests.support.having import assert_has
from tests.support.practice import Practice
from tests.support.web_client import Browser

NASTY = "\0\ud800\u202e<b>" + "x" * 100_000
KEPT = 5_000
"""Characters, with everything around."""
TOKENS = 9 * 10**18
Vendor = Callable[[dict[str, Any]], str]


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    """A server that answers each path that ends like a name with its JSON. Its address."""
    running = []

    def begin(answers: dict[str, Any]) -> str:
        app = Flask(__name__)

        @app.route("/<path:path>", methods=["GET", "POST"])
        def say(path: str) -> Response:
            body = next((body for end, body in answers.items() if path.endswith(end)), None)
            return Response(json.dumps(body), 404 if body is None else 200, content_type="application/json")

        running.append(Server(app))
        return running[-1].url

    yield begin
    for server in running:
        server.stop()


def aim(practice: Practice, kind: str, url: str) -> None:
    """This vendor is there from now on."""
    practice.allow(url)
    config = settings()
    remember(practice.app, replace(config, stand_ins={**config.stand_ins, kind: url}), vault(), redis())


def checked(practice: Practice, kind: str) -> IntegrationConfig:
    with tenant_scope(practice.tenant.id):
        checks.request(kind)
    work_on(practice.app, queue.CHECKS, burst=True)
    with tenant_scope(practice.tenant.id):
        config = integrations.find(kind)
        assert config is not None
        return config


def tried(practice: Practice, kind: str, act: str) -> Trial:
    with tenant_scope(practice.tenant.id):
        trials.request(kind, act)
    work_on(practice.app, queue.TRIALS, burst=True)
    with tenant_scope(practice.tenant.id):
        trial = trials.latest(kind, act)
        assert trial is not None
        return trial


def test_names_of_a_bot_and_a_group_fit_into_their_row(practice: Practice, vendor: Vendor) -> None:
    chat = {"id": 1, "type": "private", "title": NASTY}
    told = {"/getMe": {"id": 1, "username": NASTY}, "/getChat": chat, "/sendChatAction": {}}
    aim(practice, "telegram", vendor({end: {"ok": True, "result": body} for end, body in told.items()}))
    config = checked(practice, "telegram")
    assert config.check_code == "telegram_ok"
    assert len(str(config.check_params)) < KEPT


def test_names_of_models_fit_into_their_row(practice: Practice, vendor: Vendor) -> None:
    model = {"name": "models/gemini-3.8-flash", "displayName": NASTY, "supportedGenerationMethods": ["generateContent"]}
    said = {"content": {"parts": [{"text": "OK"}]}, "finishReason": "STOP"}
    answer = {"candidates": [said], "modelVersion": NASTY}
    aim(practice, "gemini", vendor({"/models": {"models": [model]}, ":generateContent": answer}))
    config = checked(practice, "ai")
    assert config.check_code == "ai_ok"
    assert max(len(str(config.offers)), len(str(config.check_params))) < KEPT


@pytest.mark.parametrize("models", [5, "models", [5], [{"name": 5}], [{"supportedGenerationMethods": 5}]])
def test_a_list_of_models_that_is_none_is_no_bug_of_ours(practice: Practice, vendor: Vendor, models: Any) -> None:
    aim(practice, "gemini", vendor({"/models": {"models": models}}))
    assert checked(practice, "ai").check_code == "ai_model_gone"


def test_a_bill_of_absurd_height_can_be_booked(practice: Practice, vendor: Vendor) -> None:
    assert [tried(practice, kind, SAMPLE).colour for kind in ("amocrm", "radist")] == ["green", "green"]
    answer = {"message": {"content": '{"summary": "\\u0000 All is well"}'}, "finish_reason": "stop"}
    usage = {"prompt_tokens": TOKENS, "completion_tokens": TOKENS}
    url = vendor({"/models": [{"id": "m"}], "/completions": {"choices": [answer], "usage": usage}})
    practice.allow(url)
    with tenant_scope(practice.tenant.id):
        own = {"provider": "openai", "base_url": f"{url}/v1", "api_key": "key", "model": "m"}
        integrations.save("ai", own, actor="test")
    assert tried(practice, "ai", "analysis").code == "ai_analysis_ok"


def test_a_stage_of_an_absurd_kind_can_be_copied(practice: Practice, vendor: Vendor) -> None:
    stages = {"statuses": [{"id": 1, "name": NASTY, "type": 2**50}]}
    pipelines = {"_embedded": {"pipelines": [{"id": 2**62, "name": NASTY, "_embedded": stages}]}}
    told = {"/account": {"id": 5}, "/pipelines": pipelines, "/loss_reasons": {"_embedded": {"loss_reasons": []}}}
    aim(practice, "amocrm", vendor(told))
    assert tried(practice, "amocrm", "names").code == "amocrm_names_ok"


def test_more_than_a_page_can_open_is_not_kept(practice: Practice, vendor: Vendor) -> None:
    deal = {"id": 1, "updated_at": 1_700_000_000, "_embedded": {"contacts": []}, "note": "x" * trials.MOST_BYTES}
    told = {"/leads": {"_embedded": {"leads": [deal]}}, "/users": {"_embedded": {"users": []}}, "/account": {"id": 5}}
    aim(practice, "amocrm", vendor(told))
    trial = tried(practice, "amocrm", SAMPLE)
    assert_has(trial, colour="red", code="too_large", result="")
    assert "amoCRM" in trials.says(trial)


def test_a_result_that_no_longer_opens_closes_no_page(practice: Practice, enter: Callable[..., Browser]) -> None:
    assert tried(practice, "amocrm", SAMPLE).colour == "green"
    with tenant_scope(practice.tenant.id):
        db.session.execute(text("update trials set result = 'v1:key:AAAA'"))
        db.session.commit()
    browser = enter("settings")
    assert [browser.get(path).status_code for path in ("/settings/amocrm", "/settings/amocrm/state")] == [200, 200]
    assert tried(practice, "amocrm", "write").code == "sample_first"


def test_a_check_that_broke_late_says_nothing_about_newer_settings(practice: Practice) -> None:
    with tenant_scope(practice.tenant.id):
        version, began = checks.version_of("telegram"), clock.now()
        integrations.save("telegram", {"chat_id": "-1001"}, actor="test")
        asked = checks.request("telegram")
        checks.break_off("telegram", version, "check_too_long", began)
        config = integrations.find("telegram")
    assert config is not None
    assert_has(config, check_colour=None, check_requested_at=asked)
