"""The settings of a company in the hands of a super_admin: what he may do, what he never sees, what is written down."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from synkro import embedded
from synkro.infra import clock, queue
from synkro.integrations import INTEGRATIONS
from synkro.integrations.base import Offer
from synkro.jobs.engine.worker import work_on
from synkro.models import Tenant, User
from synkro.models.states import TenantStatus
from synkro.services.connections import integrations
from synkro.services.shared.wording import SENTENCES, outline
from synkro.tenancy import db, system_scope, tenant_scope
from synkro.web.limits import limiter
from tests.support.company_settings import PAGES, TYPED, acts, home, save, stored
from tests.support.having import assert_has
from tests.support.planting import OWN, plant
from tests.support.practice import Practice
from tests.support.sweep import Ids, path_of, paths_of, readable, writable
from tests.support.web_client import Browser, Enter


def set_status(tenant: Tenant, status: TenantStatus) -> None:
    with system_scope("test: status"):
        row = db.session.get_one(Tenant, tenant.id)
        row.status, row.delete_at = status, clock.now() if status == TenantStatus.DELETING else None
        db.session.commit()


def set_check(tenant: Tenant, kind: str, **outcome: Any) -> None:
    with tenant_scope(tenant.id):
        config = integrations.find(kind)
        assert config is not None
        for name, value in {"checked_at": clock.now(), **outcome}.items():
            setattr(config, name, value)
        db.session.commit()


# ---- what is never seen


@pytest.fixture
def ids(tenant: Tenant, cast: dict[str, User], engines: embedded.Engines, monkeypatch: pytest.MonkeyPatch) -> Ids:
    monkeypatch.setattr(limiter, "enabled", False)
    return plant(tenant, cast["settings"], engines.superuser_url)


def answers(app: Flask, admin: Browser, ids: Ids) -> list[tuple[str, int, str]]:
    """(path, status, everything) of every page here, and of every form that is sent empty, wrong and right."""
    here = [rule for rule in readable(app) if rule.endpoint.startswith(PAGES)]
    found = [(path, admin.get(path)) for rule in here for path in paths_of(app, rule, ids)]
    for _, rule in writable(app):
        if rule.endpoint.startswith(PAGES):
            for path in paths_of(app, rule, ids):
                kind = path.split("/settings/")[1].split("/")[0]
                right = {name: "typed" for name in sorted(INTEGRATIONS[kind].secret_names()) if is_typed(kind, name)}
                found += [(path, admin.send(path, **sent)) for sent in ({}, {"nonsense": "1"}, right)]
    # once more, while the checks that were asked for wait
    found += [(path, admin.get(path)) for rule in here for path in paths_of(app, rule, ids)]
    return [(path, answer.status_code, f"{answer.headers}\n{answer.text}") for path, answer in found]


def is_typed(kind: str, name: str) -> bool:
    return next(field.by_hand for field in INTEGRATIONS[kind].fields if field.name == name)


def test_no_answer_holds_anything_of_the_company(app: Flask, enter: Enter, ids: Ids) -> None:
    got = answers(app, enter("admin"), ids)
    assert [path for path, _, whole in got if OWN in whole] == []
    assert {status for _, status, _ in got} <= {200, 303, 404, 422}
    assert {status for _, status, _ in got} >= {200, 303, 422}


def test_the_company_itself_sees_it_on_its_page(app: Flask, enter: Enter, ids: Ids) -> None:
    """The sweep above can fail."""
    rule = next(rule for rule in readable(app) if rule.endpoint == "settings.show")
    assert OWN in enter("settings").get(path_of(app, rule, ids)).text


class _Inputs(HTMLParser):
    """(tag, name, value, type) of the controls of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("input", "option", "textarea"):
            self.found.append({"tag": tag, **{name: value or "" for name, value in attrs}})


@pytest.mark.parametrize("kind", INTEGRATIONS)
def test_the_form_is_empty_and_offers_nothing_of_the_vendor(enter: Enter, practice: Practice, kind: str) -> None:
    offered = {"model": [{"value": "m-1", "title": "Model One", "note": ""}]}
    set_check(practice.tenant, kind, offers=offered, check_colour="green", check_code=f"{kind}_ok")
    page = _Inputs()
    page.feed(enter("admin").get(home(practice.tenant, kind)).text)
    typed = [one for one in page.found if one["tag"] == "input" and one.get("type") in ("text", "password")]
    assert typed
    assert {one.get("value", "") for one in typed} == {""}
    possible = {choice for field in INTEGRATIONS[kind].fields for choice in field.choices} | {""}
    assert {one["value"] for one in page.found if one["tag"] == "option" and "lang" not in one} <= possible
    assert "Model One" not in str(page.found)


def test_the_way_that_is_shown_does_not_tell_which_one_is_in_use(enter: Enter, tenant: Tenant) -> None:
    before = enter("admin").get(home(tenant, "amocrm")).text.count('name="client_secret"')
    save(tenant, "amocrm", client_id="i", client_secret="s")
    assert enter("admin").get(home(tenant, "amocrm")).text.count('name="client_secret"') == before


def test_a_sentence_has_gaps_where_names_would_stand(enter: Enter, practice: Practice) -> None:
    set_check(
        practice.tenant, "amocrm", check_colour="red", check_code="unreachable", check_params={"service": "Secret GmbH"}
    )
    page = enter("admin").get(home(practice.tenant, "amocrm")).text
    assert "amoCRM does not answer." in page
    assert "unreachable" in page
    assert "Secret" not in page


@pytest.mark.parametrize("code", SENTENCES)
def test_every_sentence_can_be_said_with_gaps(app: Flask, code: str) -> None:
    with app.test_request_context():
        said = outline(code, "Radist")
        assert said
        assert "%(" not in said


def test_a_code_that_is_not_ours_is_not_shown(enter: Enter, practice: Practice) -> None:
    set_check(practice.tenant, "amocrm", check_colour="red", check_code="some_words_of_the_vendor")
    page = enter("admin").get(home(practice.tenant, "amocrm")).text
    assert "some_words" not in page
    assert "Does not work" in page


def test_six_steps_are_shown_with_their_states(enter: Enter, practice: Practice) -> None:
    set_check(practice.tenant, "supabase", check_colour="green", check_code="supabase_ok")
    with tenant_scope(practice.tenant.id):
        db.session.execute(text("delete from integration_configs where kind = 'ai'"))
        db.session.commit()
    page = enter("admin").get(home(practice.tenant)).text
    assert page.count("task__n") >= 6
    assert "Saved, not checked yet" in page
    assert "Not started" in page


# ---- what he may do


def test_keys_are_saved_and_checked_for_the_company(enter: Enter, tenant: Tenant) -> None:
    answer = enter("admin").send(home(tenant, "radist"), **TYPED)
    assert_has(answer, status_code=303, location=f"{home(tenant, 'radist')}#state")
    assert stored(tenant, "radist") == TYPED
    with tenant_scope(tenant.id):
        config = integrations.find("radist")
        assert config is not None
        assert config.check_requested_at is not None


def test_what_is_left_empty_stays(enter: Enter, tenant: Tenant) -> None:
    save(tenant, "radist", api_key="old", company_id="7", base_url="")
    enter("admin").send(home(tenant, "radist"), api_key="new", company_id="", base_url="")
    assert stored(tenant, "radist") == {"api_key": "new", "company_id": "7", "base_url": ""}


def test_an_empty_form_changes_nothing(enter: Enter, tenant: Tenant) -> None:
    save(tenant, "radist", api_key="old")
    answer = enter("admin").send(home(tenant, "radist"), api_key=" ", company_id="")
    assert answer.status_code == 422
    assert "Fill in at least one field" in answer.text
    assert [act for act, _, _ in acts(tenant)].count("integration_saved") == 1


def test_a_kept_key_is_not_sent_to_another_address(enter: Enter, tenant: Tenant) -> None:
    keys = {"url": "https://abc.supabase.co", "publishable_key": "sb_publishable_1", "secret_key": "sb_secret_1"}
    save(tenant, "supabase", **keys)
    answer = enter("admin").send(home(tenant, "supabase"), url="https://mine.supabase.co")
    assert answer.status_code == 422
    assert "enter all keys of the service anew" in answer.text
    assert stored(tenant, "supabase") == keys


def test_a_kept_bot_is_not_sent_to_another_group(enter: Enter, tenant: Tenant) -> None:
    kept = {"bot_token": "123456789:AAE", "chat_id": "-1001"}
    save(tenant, "telegram", **kept)
    assert enter("admin").send(home(tenant, "telegram"), chat_id="900").status_code == 422
    assert stored(tenant, "telegram") == kept


def test_an_address_comes_with_all_keys(enter: Enter, tenant: Tenant) -> None:
    keys = {"url": "https://abc.supabase.co", "publishable_key": "sb_publishable_1", "secret_key": "sb_secret_1"}
    save(tenant, "supabase", **keys)
    fresh = {"url": "https://mine.supabase.co", "publishable_key": "sb_publishable_2", "secret_key": "sb_secret_2"}
    assert enter("admin").send(home(tenant, "supabase"), **fresh).status_code == 303
    assert stored(tenant, "supabase") == fresh


def test_another_way_to_connect_comes_with_its_key(enter: Enter, tenant: Tenant) -> None:
    save(tenant, "ai", provider="gemini", api_key="old")
    answer = enter("admin").send(f"{home(tenant, 'ai')}?way=openai", model="m")
    assert answer.status_code == 422
    assert stored(tenant, "ai")["api_key"] == "old"


def test_one_of_the_vendors_own_hosts_needs_no_key(enter: Enter, tenant: Tenant) -> None:
    save(tenant, "radist", api_key="old")
    enter("admin").send(home(tenant, "radist"), base_url="https://api-ru.radist.online/v2")
    assert stored(tenant, "radist")["base_url"] == "https://api-ru.radist.online/v2"


def test_the_check_is_made_by_the_worker(app: Flask, enter: Enter, practice: Practice) -> None:
    admin = enter("admin")
    assert admin.send(home(practice.tenant, "radist", "check")).status_code == 303
    assert "Being checked" in admin.get(home(practice.tenant, "radist", "state")).text
    work_on(app, queue.CHECKS, burst=True)
    block = admin.get(home(practice.tenant, "radist", "state")).text
    assert "radist_ok" in block
    assert "Connected: chats and messages can be read." in block
    assert "hx-get" not in block


def test_what_the_vendor_offered_stays_hidden(
    app: Flask, enter: Enter, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    offers = {"company_id": [Offer("7", "Secret GmbH")]}
    monkeypatch.setattr(INTEGRATIONS["radist"], "offers", lambda _: offers)
    admin = enter("admin")
    admin.send(home(practice.tenant, "radist", "check"))
    work_on(app, queue.CHECKS, burst=True)
    assert "Secret GmbH" not in admin.get(home(practice.tenant, "radist")).text


def test_a_paused_company_can_be_helped(enter: Enter, tenant: Tenant) -> None:
    set_status(tenant, TenantStatus.PAUSED)
    assert enter("admin").send(home(tenant, "radist"), **TYPED).status_code == 303


@pytest.mark.parametrize("words", [(), ("radist",), ("radist", "state")])
def test_a_company_that_is_being_deleted_is_not_opened(enter: Enter, tenant: Tenant, words: tuple[str, ...]) -> None:
    set_status(tenant, TenantStatus.DELETING)
    assert enter("admin").get(home(tenant, *words)).status_code == 409


@pytest.mark.parametrize("words", [("radist",), ("radist", "check")])
def test_a_company_that_is_being_deleted_is_not_changed(enter: Enter, tenant: Tenant, words: tuple[str, ...]) -> None:
    save(tenant, "radist", api_key="old")
    set_status(tenant, TenantStatus.DELETING)
    assert enter("admin").send(home(tenant, *words), **(TYPED if len(words) == 1 else {})).status_code == 409
    assert stored(tenant, "radist") == {"api_key": "old"}
    assert [act for act, _, _ in acts(tenant)] == ["integration_saved"]


@pytest.mark.parametrize("kind", ["bitrix", "automation", "..", "%00"])
def test_an_unknown_service_is_not_found(enter: Enter, tenant: Tenant, kind: str) -> None:
    admin = enter("admin")
    assert {admin.get(home(tenant, kind)).status_code, admin.get(home(tenant, kind, "state")).status_code} <= {404, 400}
    assert admin.send(home(tenant, kind)).status_code in (404, 400)


# ---- what is written down
