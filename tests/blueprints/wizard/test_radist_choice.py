"""Which company and which messengers of Radist are read: what is offered, what a check and a run make of the choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from synkro.services.connections import checks, integrations, setup
from synkro.services.shared.wording import sentence
from synkro.tenancy import db, tenant_scope
from tests.support.having import assert_has
from tests.support.practice import Practice
from tests.support.radist_dialogs import TELEGRAM, WABA, WHATSAPP, choose
from tests.support.web_client import Enter


def checked(practice: Practice) -> tuple[str | None, str | None, Mapping[str, Any]]:
    """Colour and code of a check, and what there is to choose from after it."""
    with tenant_scope(practice.tenant.id):
        checks.run("radist")
        config = integrations.find("radist")
        assert config is not None
        return config.check_colour, config.check_code, config.offers


def test_messengers_are_offered_by_name_and_type(practice: Practice) -> None:
    colour, _, offers = checked(practice)
    assert colour == "green"
    assert "company_id" not in offers
    assert [(one["value"], one["note"]) for one in offers["connections"]] == [
        (str(WHATSAPP), "WhatsApp"),
        (str(WABA), "WhatsApp Business (WABA)"),
        (str(TELEGRAM), "Telegram"),
    ]
    assert offers["connections"][0]["title"] == "WhatsApp отдел продаж"


def test_a_messenger_that_is_not_read_says_so_and_hides_its_number(practice: Practice) -> None:
    rows = [
        {"connection_id": 1, "type": "whatsapp", "name": "+7 701 123 45 67"},
        {"connection_id": 2, "type": "max_personal", "name": None},
    ]
    practice.control("radist", set={"sources": rows})
    first, second = checked(practice)[2]["connections"]
    assert "123" not in first["title"]
    assert first["title"][-2:] == "67"
    assert second["title"] == "#2"
    assert second["note"].startswith("MAX, ")


def test_of_several_companies_one_has_to_be_chosen(practice: Practice) -> None:
    practice.control("radist", set={"companies": 3})
    choose(practice, company_id="")
    colour, code, offers = checked(practice)
    own = str(practice.world.radist_company_id)
    assert colour == "red"
    assert code == "radist_choose_company"
    assert offers.keys() == {"company_id"}
    assert offers["company_id"][0]["value"] == own
    assert offers["company_id"][0]["title"] == practice.world.company
    choose(practice, company_id=own)
    colour, _, offers = checked(practice)
    assert colour == "green"
    assert offers.keys() == {"company_id", "connections"}


def test_a_company_without_messengers_is_yellow(practice: Practice) -> None:
    practice.control("radist", set={"companies": 2})
    choose(practice, company_id=str(practice.world.radist_company_id + 1))
    colour, code, _ = checked(practice)
    assert colour == "yellow"
    assert code == "radist_no_messengers"


def test_more_companies_than_a_page_holds_are_all_offered(practice: Practice) -> None:
    practice.control("radist", set={"companies": 231})
    choose(practice, company_id="")
    offered = {one["value"] for one in checked(practice)[2]["company_id"]}
    assert len(offered) == 231


@pytest.mark.parametrize("companies", [1, 3])
def test_a_company_of_another_account_is_chosen_anew(practice: Practice, companies: int) -> None:
    practice.control("radist", set={"companies": companies})
    choose(practice, company_id="1")
    with tenant_scope(practice.tenant.id):
        config = integrations.find("radist")
        assert config is not None
        config.offers = {"company_id": [{"value": "1", "title": "Before", "note": ""}], "connections": []}
        db.session.commit()
    _, code, offers = checked(practice)
    own = str(practice.world.radist_company_id)
    assert code == "radist_company_elsewhere"
    assert offers.keys() == {"company_id"}
    assert len(offers["company_id"]) == companies
    with tenant_scope(practice.tenant.id):
        assert next(step for step in setup.steps() if step.kind == "radist").state == "choice"
    choose(practice, company_id=own)
    colour, _, offers = checked(practice)
    assert colour == "green"
    assert ("company_id" in offers) == (companies > 1)
    assert "connections" in offers


def test_the_page_does_not_propose_a_company_that_is_not_of_the_key(practice: Practice, enter: Enter) -> None:
    choose(practice, company_id="1")
    checked(practice)
    page = enter("settings").get("/settings/radist").text
    assert f'<option value="{practice.world.radist_company_id}">' in page
    assert '<option value="1"' not in page


def test_the_only_company_needs_no_choice(practice: Practice) -> None:
    choose(practice, company_id="")
    colour, _, offers = checked(practice)
    assert colour == "green"
    assert offers.keys() == {"connections"}


def test_a_company_may_be_given_as_the_address_of_its_page(practice: Practice) -> None:
    own = practice.world.radist_company_id
    choose(practice, company_id=f"https://radist.example/companies/{own}/chats", connections=f",{WHATSAPP}, {WABA}")
    with tenant_scope(practice.tenant.id):
        config = integrations.find("radist")
        assert config is not None
        assert config.settings["company_id"] == str(own)
        assert config.settings["connections"] == f"{WHATSAPP},{WABA}"


def test_a_chosen_messenger_that_is_gone_is_yellow_with_words(practice: Practice) -> None:
    choose(practice, connections=f"{WHATSAPP},999")
    colour, code, offers = checked(practice)
    assert colour == "yellow"
    assert code == "radist_connection_gone"
    assert "1" in sentence(code or "", {"connections": 1})
    assert str(WHATSAPP) in {one["value"] for one in offers["connections"]}


def test_choosing_only_what_is_not_read_is_yellow(practice: Practice) -> None:
    rows = [{"connection_id": 1, "type": "whatsapp"}, {"connection_id": 2, "type": "max_personal"}]
    practice.control("radist", set={"sources": rows})
    choose(practice, connections="2")
    colour, code, _ = checked(practice)
    assert colour == "yellow"
    assert code == "radist_choice_unread"


def written_chats(practice: Practice) -> set[int]:
    practice.run()
    return {row["connection_id"] for row in practice.rows("synkro_chats")}


def test_a_run_takes_every_messenger_while_none_is_chosen(practice: Practice) -> None:
    assert written_chats(practice) == {WHATSAPP, WABA}


def test_a_run_takes_only_the_chosen_messengers(practice: Practice) -> None:
    choose(practice, connections=str(WABA))
    assert written_chats(practice) == {WABA}


def test_a_run_leaves_out_messengers_that_are_not_read(practice: Practice) -> None:
    rows = [{"connection_id": WHATSAPP, "type": "whatsapp"}, {"connection_id": WABA, "type": "max_personal"}]
    practice.control("radist", set={"sources": rows})
    assert written_chats(practice) == {WHATSAPP}


def test_a_run_says_that_a_chosen_messenger_is_gone(practice: Practice) -> None:
    choose(practice, connections=f"{WHATSAPP},999")
    run = practice.run()
    step = practice.state(run.id)[1][2]
    assert_has(step, colour="yellow", code="radist_connection_gone")
    assert step.params["connections"] == 1
