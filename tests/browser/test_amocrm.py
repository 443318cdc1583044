"""The whole way of a person who connects amoCRM by keys, in a real browser: there, a click, and back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from synkro.extensions import redis, remember, settings, vault
from synkro.infra import queue
from synkro.jobs.engine.worker import work_on
from synkro.services.connections import amocrm_tokens, integrations
from synkro.tenancy import tenant_scope
from tests.browser.conftest import Opener
from tests.support.browser.window import Window
from tests.support.practice import Practice


@pytest.fixture
def keyed(app: Flask, practice: Practice, site: str) -> Practice:
    """The keys are saved; nothing opens the account yet."""
    remember(app, replace(settings(), base_url=site), vault(), redis())
    own = practice.world.integration
    with tenant_scope(practice.tenant.id):
        keys = {"client_id": own.client_id, "client_secret": own.client_secret, "token": None, "subdomain": None}
        integrations.save("amocrm", keys, actor="test")
    return practice


def go_to_the_vendor(window: Window) -> None:
    window.open("/settings/amocrm?way=oauth")
    window.page.get_by_role("link", name="Connect amoCRM").click()
    window.page.get_by_label("Ссылка для перенаправления").fill(amocrm_tokens.redirect_uri("alfa"))


@pytest.mark.parametrize("js", [True, False])
def test_a_person_goes_there_agrees_and_comes_back_connected(
    app: Flask, keyed: Practice, enter: Opener, js: bool
) -> None:
    window = enter("settings", locale="en-US", js=js)
    go_to_the_vendor(window)
    window.page.get_by_role("button", name="Разрешить").click()
    window.page.get_by_text("amoCRM has let Synkro in").wait_for()
    assert window.page.url == f"{window.site}/settings/amocrm?way=oauth#state"
    work_on(app, queue.CHECKS, burst=True)
    window.open("/settings/amocrm")
    window.page.get_by_text("Connected: deals and contacts can be read.").wait_for()
    assert keyed.world.company in window.page.locator("#facts").inner_text()


def test_a_person_goes_there_and_says_no(keyed: Practice, enter: Opener) -> None:
    window = enter("settings", locale="en-US")
    go_to_the_vendor(window)
    window.page.get_by_role("button", name="Отказать").click()
    window.page.get_by_text("You did not agree in amoCRM").wait_for()


def test_the_page_has_no_flaws_with_everything_on_it(app: Flask, practice: Practice, enter: Opener) -> None:
    window = enter("settings", locale="en-US")
    window.open("/settings/amocrm")
    window.page.get_by_role("button", name="Check", exact=True).click()
    work_on(app, queue.CHECKS, burst=True)
    window.page.get_by_role("button", name="Load three deals").click()
    window.page.get_by_role("button", name="Renew the names").click()
    work_on(app, queue.TRIALS, burst=True)
    window.open("/settings/amocrm")
    window.page.locator("details.fold").first.click()
    assert window.complaints() == []
