"""The two walls against forms of others, and the form of our own that was open for too long."""

from __future__ import annotations

import logging
import re
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from synkro.extensions import csrf
from synkro.models import Tenant, User
from synkro.tenancy import db, system_scope
from synkro.web.expired_form import MOST_TYPED
from tests.conftest import PASSWORD
from tests.support.having import assert_entries, assert_has
from tests.support.rows import make_report
from tests.support.web_client import Browser, Enter

OURS = {"Sec-Fetch-Site": "same-origin"}
SAID = 'First line\nsecond line with <b>bold</b> & "quotes"'


@pytest.fixture
def path(app: Flask, tenant: Tenant) -> str:
    with app.test_request_context():
        return app.url_for("reports.comment", report_id=make_report(tenant))


def hidden(page: TestResponse) -> dict[str, str]:
    """The form that is sent again, as a browser reads it."""
    form = page.text[page.text.index('class="stack"') :].partition("</form>")[0]
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form)
    texts = re.findall(r'<textarea[^>]* name="([^"]*)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL)
    return {name: unescape(value) for name, value in [*fields, *texts]}


def comments() -> list[str]:
    with system_scope("test: look at the comments"):
        return list(db.session.execute(text("select body from report_comments")).scalars())


# ---- the form that was open for too long


def test_typed_text_is_kept_and_sent_again(enter: Enter, path: str) -> None:
    user = enter("user")
    page = user.post(path, data={"csrf_token": "old", "text": SAID}, headers=OURS)
    assert_has(page, status_code=400, mimetype="text/html")
    assert f'action="{path}"' in page.text
    assert comments() == []
    again = user.post(path, data=hidden(page), headers=OURS)
    assert again.status_code == 303
    assert comments() == [SAID]


def test_page_says_what_happened(enter: Enter, path: str) -> None:
    page = enter("user").post(path, data={"text": SAID}, headers=OURS)
    assert "The form was open for too long" in page.text
    assert "Send again" in page.text
    assert "You are signed out" not in page.text


@pytest.mark.parametrize(
    "name", ["password", "new_password", "code", "recovery_code", "api_key", "secret", "csrf_token", "ACCESS_TOKEN"]
)
def test_secrets_are_not_kept(enter: Enter, path: str, name: str) -> None:
    page = enter("user").post(path, data={"text": "Hello", name: "s3cr3t-value-of-mine"}, headers=OURS)
    assert page.status_code == 400
    assert "s3cr3t-value-of-mine" not in page.text
    assert set(hidden(page)) - {"csrf_token"} == {"text"}


def test_markup_in_what_was_typed_is_text(enter: Enter, path: str) -> None:
    typed = {"text": "</textarea><script>alert(1)</script>" * 5, '"><img src=x onerror=alert(1)>': "'\"><svg onload=a>"}
    page = enter("user").post(path, data=typed, headers=OURS)
    assert not re.search(r"<script>|<img|<svg onload", page.text)
    assert hidden(page)["text"] == typed["text"]


def test_form_leads_to_our_own_page_only(enter: Enter, path: str) -> None:
    user = enter("user")
    for asked in (f"{path}?next=//evil.example", f"http://evil.example{path}"):
        page = user.post(asked, data={"text": "Hello"}, headers=OURS)
        assert re.findall(r'class="stack"|action="([^"]*)" class="stack"', page.text) == [path]


def test_too_much_is_refused_without_a_copy(enter: Enter, path: str) -> None:
    user = enter("user")
    page = user.post(path, data={"text": "x" * (MOST_TYPED + 1)}, headers=OURS)
    many = user.post(path, data={f"f{n}": "x" for n in range(60)}, headers=OURS)
    assert page.status_code == 400
    assert many.status_code == 400
    assert "Send again" not in page.text + many.text
    assert len(page.text) < 20_000


def test_signed_out_person_keeps_the_text_over_a_new_sign_in(client: Browser, cast: dict[str, User], path: str) -> None:
    page = client.post(path, data={"csrf_token": "old", "text": SAID}, headers=OURS)
    assert "You are signed out" in page.text
    client.send("/login", email="user@example.com", password=PASSWORD)  # on the second page
    once_more = client.post(path, data=hidden(page), headers=OURS)
    assert once_more.status_code == 400
    assert client.post(path, data=hidden(once_more), headers=OURS).status_code == 303
    assert comments() == [SAID]


def test_sign_in_page_keeps_the_address_and_no_password(client: Browser, cast: dict[str, User]) -> None:
    typed = {"email": "user@example.com", "password": PASSWORD, "next": "/reports"}
    page = client.post("/login", data=typed, headers=OURS)
    assert PASSWORD not in page.text
    kept = hidden(page)
    assert_entries(kept, email="user@example.com", next="/reports")
    assert "Passwords, codes and keys are not kept" in page.text
    assert client.post("/login", data=kept, headers=OURS).status_code == 422


def test_button_can_be_pressed_again(enter: Enter) -> None:
    user = enter("user")
    page = user.post("/logout", data={"csrf_token": "old"}, headers=OURS)
    assert "Send again" in page.text
    assert user.post("/logout", data=hidden(page), headers=OURS).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Referer": "https://evil.example/reports"},
        {"Referer": "http://["},
        {"Sec-Fetch-Site": "none"},
        {**OURS, "Accept": "application/json"},
        {**OURS, "HX-Request": "true"},
    ],
)
def test_others_get_no_form_with_a_good_token(enter: Enter, path: str, headers: dict[str, str]) -> None:
    answer = enter("user").post(path, data={"text": "Buy now"}, headers=headers)
    assert answer.status_code == 400
    assert "Buy now" not in answer.text


def test_browser_without_fetch_headers_is_known_by_its_referrer(enter: Enter, path: str) -> None:
    page = enter("user").post(path, data={"text": SAID}, headers={"Referer": "http://localhost/reports"})
    assert hidden(page)["text"] == SAID


# ---- the second wall


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_is_refused_even_with_a_token(
    enter: Enter, path: str, site: str, caplog: pytest.LogCaptureFixture
) -> None:
    user = enter("user")
    with caplog.at_level(logging.WARNING, logger="synkro.web.security"):
        answer = user.post(path, data={"csrf_token": user.token(), "text": "Hi"}, headers={"Sec-Fetch-Site": site})
    assert answer.status_code == 403
    assert comments() == []
    assert [record.message for record in caplog.records] == ["sent from another site"]


def test_a_flood_from_another_site_is_noted_once_a_minute(client: Browser, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="synkro.web.security"):
        for address in ["192.0.2.1"] * 5 + ["192.0.2.2"]:
            client.environ_base["REMOTE_ADDR"] = address
            assert client.post("/login", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert len(caplog.records) == 2


@pytest.mark.parametrize("site", ["same-origin", "none", ""])
def test_own_pages_and_programs_pass_the_second_wall(enter: Enter, path: str, site: str) -> None:
    user = enter("user")
    sent = user.post(path, data={"csrf_token": user.token(), "text": "Hi"}, headers={"Sec-Fetch-Site": site})
    assert sent.status_code == 303


def test_link_from_another_site_opens(enter: Enter) -> None:
    assert enter("user").get("/dashboard", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


# ---- the first wall


def test_token_of_another_session_is_refused(enter: Enter, path: str) -> None:
    stolen = enter("settings").token()
    assert enter("user").post(path, data={"csrf_token": stolen, "text": "Hi"}).status_code == 400
    assert comments() == []


def test_token_in_the_address_does_not_count(enter: Enter, path: str) -> None:
    user = enter("user")
    assert user.post(f"{path}?csrf_token={user.token()}", data={"text": "Hi"}).status_code == 400


def test_token_may_come_in_a_header(enter: Enter, path: str) -> None:
    user = enter("user")
    assert user.post(path, data={"text": "Hi"}, headers={"X-CSRFToken": user.token()}).status_code == 303


def test_over_https_the_page_must_be_ours(enter: Enter, path: str) -> None:
    user = enter("user")
    token = user.token()
    secure = "https://localhost"
    got = [
        user.post(path, base_url=secure, data={"csrf_token": token, "text": "Hi"}, headers=headers).status_code
        for headers in (
            {"Referer": "https://evil.example/"},
            {"Referer": "https://localhost.evil.example/"},
            {"Referer": "https://["},
            {},
            {"Referer": "https://localhost/reports"},
        )
    ]
    assert got == [400, 400, 400, 400, 303]


def test_nothing_is_exempt(app: Flask) -> None:
    assert_has(csrf, _exempt_views=set(), _exempt_blueprints=set())
