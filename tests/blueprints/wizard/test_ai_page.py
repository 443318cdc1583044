"""The page of the AI: two ways to connect, each with its form; a key is kept for one of them only."""

from __future__ import annotations

import re

import pytest

from synkro.infra import queue
from synkro.jobs.engine.worker import work_on
from synkro.services.connections import integrations
from synkro.tenancy import tenant_scope
from tests.support.practice import Practice
from tests.support.web_client import Enter

PAGE, OWN = "/settings/ai", "/settings/ai?way=openai"


def controls(page: str) -> set[str]:
    """Names of what can be filled in or chosen."""
    return set(re.findall(r'<(?:input|select)[^>]* name="(\w+)"', page)) - {"csrf_token", "next"}


def saved(practice: Practice) -> dict[str, str]:
    with tenant_scope(practice.tenant.id):
        config = integrations.find("ai")
        assert config is not None
        return dict(config.settings)


def test_each_way_has_its_own_form_and_guide(practice: Practice, enter: Enter) -> None:
    browser = enter("settings")
    google, own = browser.get(PAGE).text, browser.get(OWN).text
    assert controls(google) == {"api_key"}
    assert controls(own) == {"base_url", "api_key", "model"}
    assert "Set up billing" in google
    assert "Set up billing" not in own
    assert "approved by the administrator" in own


def test_the_way_of_the_form_is_kept_and_shown_again(practice: Practice, enter: Enter) -> None:
    browser = enter("settings")
    address = f"{practice.urls['openai']}/v1"
    answer = browser.send(OWN, base_url=f"{address}/", api_key=practice.world.keys.openai_key, model="")
    assert answer.status_code == 303
    work_on(practice.app, queue.CHECKS, burst=True)
    assert saved(practice) == {"provider": "openai", "base_url": address, "model": ""}
    page = browser.get(PAGE).text
    assert "The key works. Choose a model." in page
    assert "Practice Large (200\u00a0000 / 32\u00a0000; $?)" in page
    browser.send(PAGE, model="practice-small")
    work_on(practice.app, queue.CHECKS, burst=True)
    assert saved(practice)["provider"] == "openai"
    assert "Connected: practice-small answers." in browser.get(PAGE).text


def test_models_of_google_come_with_limits_and_prices(practice: Practice, enter: Enter) -> None:
    browser = enter("settings")
    browser.send(f"{PAGE}/check")
    work_on(practice.app, queue.CHECKS, burst=True)
    assert re.search(
        r"Gemini 3\.8 Flash \(1\u00a0048\u00a0576 / 65\u00a0536; \$[\d.]+ / \$[\d.]+\)", browser.get(PAGE).text
    )


def test_the_other_way_shows_neither_a_kept_key_nor_the_model(practice: Practice, enter: Enter) -> None:
    browser = enter("settings")
    browser.send(f"{PAGE}/check")
    work_on(practice.app, queue.CHECKS, burst=True)
    form = browser.get(OWN).text.partition('id="state"')[0]
    assert "Saved, it cannot be shown" not in form
    assert "gemini-3.8-flash" not in form


@pytest.mark.parametrize("way", ["", "gemini", "openai", "other"])
def test_an_empty_form_changes_nothing(practice: Practice, enter: Enter, way: str) -> None:
    before = saved(practice)
    enter("settings").send(f"{PAGE}?way={way}", api_key="")
    assert saved(practice) == before


def test_the_way_is_no_field_that_can_be_sent(practice: Practice, enter: Enter) -> None:
    assert enter("settings").send(PAGE, provider="openai").status_code == 422


def test_staff_who_help_choose_the_way_with_the_form(practice: Practice, enter: Enter) -> None:
    path = f"/admin/companies/{practice.tenant.id}/settings/ai?way=openai"
    address = f"{practice.urls['openai']}/v1"
    answer = enter("admin").send(path, base_url=address, api_key=practice.world.keys.openai_key, model="practice-large")
    assert answer.status_code == 303
    assert saved(practice) == {"provider": "openai", "base_url": address, "model": "practice-large"}
