"""Every page at both widths, in both themes: no accessibility fault, nothing cut off, a silent console."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect

from synkro.models import Credential, LinkPurpose, Tenant, User
from synkro.services.auth import links
from synkro.services.companies import people
from synkro.services.reports import reports
from synkro.tenancy import db, system_scope
from tests.support.browser.pages import FOREIGN, NO_PAGES, PAGES
from tests.support.browser.window import Window
from tests.support.practice import Practice

Cast = dict[str, User]
Enter = Callable[..., Window]


@pytest.fixture
def things(tenant: Tenant, cast: Cast) -> dict[str, object]:
    """What the addresses of the table name."""
    guest, forgetful = cast["settings"], cast["other"]
    with system_scope("test: links"):
        db.session.execute(update(Credential).where(Credential.user_id == guest.id).values(password_hash=""))
        invitation, _ = links.make(guest, LinkPurpose.INVITATION)
        reset, _ = links.make(forgetful, LinkPurpose.RESET)
        db.session.commit()
    people.rename(cast["admin"], cast["user"].id, "Somebody With A Longer Name")  # a row for the audit
    return {
        "invitation": invitation.partition("t=")[2],
        "reset": reset.partition("t=")[2],
        "company": tenant.id,
        "person": cast["user"].id,
    }


@pytest.mark.parametrize("who", [who for who in PAGES if who != "reader"])
def test_pages_are_good_in_every_look(enter: Enter, things: dict[str, object], who: str) -> None:
    shown = enter(who)
    for path in PAGES[who]:
        shown.open(path.format(**things))
        assert shown.complaints() == [], path


def test_pages_with_a_report_are_good_in_every_look(practice: Practice, enter: Enter) -> None:
    run = practice.run()
    shown = enter("user")
    for path in PAGES["reader"]:
        shown.open(path.format(run=run.id, report=reports.id_for(run.id)))
        assert shown.complaints() == [], path


@pytest.mark.parametrize("who", [who for who in PAGES if who != "reader"])
def test_nothing_is_cut_off_in_the_longest_language(enter: Enter, things: dict[str, object], who: str) -> None:
    shown = enter(who, width=360, locale="kk-KZ")
    wide = []
    for path in PAGES[who]:
        shown.open(path.format(**things))
        assert shown.page.get_attribute("html", "lang") == "kk"
        if shown.overflows():
            wide.append(path)
    assert wide == []


def test_no_page_is_forgotten(app: Flask) -> None:
    known = {endpoint_of(app, path) for paths in PAGES.values() for path in paths}
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    ours = {rule.endpoint for rule in rules if not rule.endpoint.startswith(FOREIGN)}
    assert ours - set(NO_PAGES) - known == set()
    assert set(NO_PAGES) - ours == set()


def endpoint_of(app: Flask, path: str) -> str:
    """Of an address of the table; "" for an error page."""
    ids = dict.fromkeys(("invitation", "reset", "company", "person", "run", "report"), uuid.uuid4())
    try:
        return app.url_map.bind("localhost").match(urlsplit(path.format(**ids)).path)[0]
    except (NotFound, MethodNotAllowed, RequestRedirect):
        return ""
