"""What was loaded with earlier settings is neither shown nor written once other settings are saved."""

from __future__ import annotations

import pytest

from synkro.integrations.base import SAMPLE
from synkro.jobs.connections.trials import try_out
from synkro.models import Trial
from synkro.services.connections import checks, integrations, trials
from synkro.tenancy import tenant_scope
from tests.support.having import assert_has
from tests.support.practice import Practice
from tests.support.radist_dialogs import now_of_the_world as now_of_the_world  # noqa: PLC0414 (a fixture)
from tests.support.web_client import Enter


def tried(practice: Practice, kind: str, act: str) -> Trial:
    with tenant_scope(practice.tenant.id):
        asked = trials.request(kind, act)
    try_out(str(practice.tenant.id), str(asked.id))
    with tenant_scope(practice.tenant.id):
        trial = trials.latest(kind, act)
        assert trial is not None
        return trial


def save_anew(practice: Practice, kind: str) -> None:
    with tenant_scope(practice.tenant.id):
        integrations.save(kind, practice.typed(kind), actor="test")


@pytest.fixture
def looked_at(practice: Practice) -> Practice:
    """Deals and dialogs were loaded, and the dialogs analysed."""
    assert tried(practice, "amocrm", SAMPLE).colour == "green"
    assert tried(practice, "radist", SAMPLE).colour == "green"
    assert tried(practice, "ai", "analysis").result
    return practice


def test_deals_of_the_account_before_are_not_written(looked_at: Practice) -> None:
    save_anew(looked_at, "amocrm")
    trial = tried(looked_at, "amocrm", "write")
    assert_has(trial, colour="red", code="sample_first")
    assert looked_at.rows("synkro_leads") == []


@pytest.mark.parametrize("kind", ["amocrm", "radist"])
@pytest.mark.parametrize(
    ("user", "act", "code"),
    [
        ("radist", "write", "sample_first"),
        ("ai", "package", "ai_dialogs_first"),
        ("ai", "analysis", "ai_dialogs_first"),
        ("ai", "write", "ai_analysis_first"),
        ("telegram", "report", "telegram_report_first"),
    ],
)
def test_nothing_goes_on_with_what_other_settings_had_found(
    looked_at: Practice, kind: str, user: str, act: str, code: str
) -> None:
    save_anew(looked_at, kind)
    assert tried(looked_at, user, act).code == code
    assert looked_at.rows("synkro_chats") == []
    assert looked_at.rows("synkro_analyses") == []
    assert looked_at.sent() == []


def test_dialogs_of_other_deals_are_not_looked_for(looked_at: Practice) -> None:
    save_anew(looked_at, "amocrm")
    assert tried(looked_at, "radist", SAMPLE).code == "radist_deals_first"


def test_a_new_key_of_supabase_leaves_what_was_loaded(looked_at: Practice) -> None:
    save_anew(looked_at, "supabase")
    assert [tried(looked_at, kind, "write").code for kind in ("amocrm", "radist", "ai")] == ["write_ok"] * 3


@pytest.mark.parametrize(("saved", "kind"), [("amocrm", "amocrm"), ("amocrm", "radist"), ("radist", "radist")])
def test_the_page_no_longer_shows_it(looked_at: Practice, enter: Enter, saved: str, kind: str) -> None:
    with tenant_scope(looked_at.tenant.id):
        found = trials.result(trials.latest(kind, SAMPLE))
        assert found is not None
    title = found["previews"][0]["title"]
    pages = []
    for is_anew in (False, True):
        if is_anew:
            save_anew(looked_at, saved)
        with tenant_scope(looked_at.tenant.id):
            checks.run(kind)
        pages.append(enter("settings").get(f"/settings/{kind}").text)
    assert [title in page for page in pages] == [True, False]
    assert 'name="csrf_token"' in pages[1]
