from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from flask import Blueprint, Flask, abort
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from config import Config
from synkro import create_app
from synkro.extensions import settings
from synkro.infra.log import JsonLines, access_log, request_id
from synkro.models import Automation, User
from synkro.models.states import Role
from synkro.tenancy import current_tenant_id, db
from synkro.web.access import Rule, access
from synkro.web.limits import limiter
from tests.support.having import assert_entries, assert_has

throwaway = Blueprint("throwaway", __name__, url_prefix="/throwaway")
CSP = "Content-Security-Policy"


@throwaway.route("/silent", methods=["GET", "POST"])
def silent() -> str:
    return "nobody said who may come"


@throwaway.get("/public")
@access(public=True)
def public() -> dict[str, str]:
    return {"scope": str(current_tenant_id())}


@throwaway.get("/users")
@access(Role.USER)
def users() -> dict[str, str]:
    return {
        "scope": str(current_tenant_id()),
        "own": str(db.session.execute(select(Automation)).scalar_one().tenant_id),
    }


@throwaway.get("/settings")
@access(Role.USER, settings=True)
def for_settings() -> str:
    return "settings"


@throwaway.get("/staff")
@access(Role.SUPER_ADMIN, Role.ADMIN_LITE)
def staff() -> str:
    return "staff"


@throwaway.get("/tenant-data-for-staff")
@access(Role.SUPER_ADMIN)
def peeping() -> str:
    return str(db.session.execute(select(Automation)).all())


@throwaway.get("/broken")
@access(public=True)
def broken() -> str:
    raise RuntimeError("recognisable inner words")


@throwaway.get("/lost")
@access(public=True)
def lost() -> str:
    db.session.execute(text("select pg_terminate_backend(pg_backend_pid())"))
    return ""


@throwaway.get("/teapot/<int:status>")
@access(public=True)
def teapot(status: int) -> str:
    abort(status)


@pytest.fixture(scope="module")
def fresh(whole_app: Flask) -> Iterator[Flask]:
    """An application that also has the throwaway views: the shared one takes no more after its first request."""
    kept = logging.getLogger().handlers[:]
    app = create_app(settings())
    app.register_blueprint(throwaway)
    logging.getLogger().handlers[:] = kept
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def visitor(app: Flask, fresh: Flask) -> FlaskClient:
    return fresh.test_client()


@pytest.fixture
def enter(
    visitor: FlaskClient, sign_in: Callable[[FlaskClient, User], FlaskClient], cast: dict[str, User]
) -> Callable[[str], FlaskClient]:
    return lambda name: sign_in(visitor, cast[name])


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "OPTIONS"])
def test_a_view_that_says_nothing_is_closed_to_a_visitor(
    visitor: FlaskClient, fresh: Flask, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(fresh.config, "WTF_CSRF_ENABLED", False)  # else the missing token would be the reason
    assert visitor.open("/throwaway/silent", method=method).status_code == 403


@pytest.mark.parametrize("person", ["user", "settings", "lite", "admin"])
def test_a_view_that_says_nothing_is_closed_to_everybody(enter: Callable[[str], FlaskClient], person: str) -> None:
    assert enter(person).get("/throwaway/silent").status_code == 403


def test_every_view_of_the_product_says_who_may_come(app: Flask) -> None:
    silent = [name for name, view in app.view_functions.items() if not isinstance(getattr(view, "access", None), Rule)]
    assert not silent


def test_static_files_are_open(visitor: FlaskClient) -> None:
    with visitor.get("/static/favicon.svg") as answer:
        assert answer.status_code == 200
        assert "no-store" not in answer.headers["Cache-Control"]


def test_a_missing_page_is_not_found_for_a_visitor(visitor: FlaskClient) -> None:
    assert visitor.get("/no-such-page").status_code == 404


def test_a_visitor_is_sent_to_the_door_and_back(visitor: FlaskClient) -> None:
    answer = visitor.get("/throwaway/users?page=2")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/login?next=/throwaway/users?page%3D2"


def test_a_polling_block_of_a_visitor_is_sent_away_as_a_whole(visitor: FlaskClient) -> None:
    answer = visitor.get("/throwaway/users", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/login"


def test_a_program_without_a_session_is_told_so_in_json(visitor: FlaskClient) -> None:
    answer = visitor.get("/throwaway/users", headers={"Accept": "application/json"})
    assert_has(answer, status_code=401, is_json=True)
    assert answer.json is not None
    assert answer.json["code"] == "signed_out"
    assert set(answer.json) == {"code", "error"}


OPEN_TO = {
    "/throwaway/public": {"user", "settings", "other", "lite", "admin"},
    "/throwaway/users": {"user", "settings", "other"},
    "/throwaway/settings": {"settings"},
    "/throwaway/staff": {"lite", "admin"},
}


@pytest.mark.parametrize("person", ["user", "settings", "other", "lite", "admin"])
@pytest.mark.parametrize("path", OPEN_TO)
def test_the_rule_of_a_view_decides(enter: Callable[[str], FlaskClient], path: str, person: str) -> None:
    assert enter(person).get(path).status_code == (200 if person in OPEN_TO[path] else 403)


def test_a_disabled_person_is_out_at_the_next_click(enter: Callable[[str], FlaskClient], cast: dict[str, User]) -> None:
    client = enter("user")
    assert client.get("/throwaway/users").status_code == 200
    cast["user"].is_active = False
    db.session.commit()
    assert client.get("/throwaway/users").status_code == 302


@pytest.mark.parametrize("person", ["user", "other"])
def test_a_request_runs_in_the_scope_of_the_persons_company(
    enter: Callable[[str], FlaskClient], cast: dict[str, User], person: str
) -> None:
    own = str(cast[person].tenant_id)
    assert enter(person).get("/throwaway/users").json == {"scope": own, "own": own}


def test_the_scope_of_a_request_ends_with_it(enter: Callable[[str], FlaskClient]) -> None:
    enter("user").get("/throwaway/users")
    assert current_tenant_id() is None


@pytest.mark.parametrize("person", ["lite", "admin"])
def test_staff_have_no_scope(enter: Callable[[str], FlaskClient], person: str) -> None:
    assert enter(person).get("/throwaway/public").json == {"scope": "None"}


def test_an_admin_page_cannot_read_a_companys_rows_even_by_mistake(enter: Callable[[str], FlaskClient]) -> None:
    assert enter("admin").get("/throwaway/tenant-data-for-staff").status_code == 500


def failures(visitor: FlaskClient) -> dict[str, TestResponse]:
    return {
        "400": visitor.post("/login", data={"email": "x"}),
        "403": visitor.get("/throwaway/silent"),
        "404": visitor.get("/no-such-page"),
        "405": visitor.delete("/throwaway/public"),
        "500": visitor.get("/throwaway/broken"),
        "503": visitor.get("/throwaway/lost"),
    }


def test_a_failure_has_its_status_its_number_and_the_same_safety(visitor: FlaskClient) -> None:
    for status, answer in failures(visitor).items():
        assert answer.status_code == int(status)
        assert answer.headers["X-Request-ID"] in answer.text
        assert answer.headers[CSP].startswith("default-src 'none'")
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_what_broke_inside_is_not_told(visitor: FlaskClient) -> None:
    answer = visitor.get("/throwaway/broken")
    assert "recognisable" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("path", "code"),
    [("/throwaway/broken", "internal"), ("/throwaway/lost", "database_away"), ("/no-such-page", "not_found")],
)
def test_a_program_gets_a_stable_word(visitor: FlaskClient, path: str, code: str) -> None:
    answer = visitor.get(path, headers={"Accept": "application/json"})
    assert answer.json is not None
    assert answer.json["code"] == code


@pytest.mark.parametrize(("status", "code"), [(410, "gone"), (413, "request_entity_too_large"), (502, "bad_gateway")])
def test_every_status_has_a_page_and_a_word(visitor: FlaskClient, status: int, code: str) -> None:
    path = f"/throwaway/teapot/{status}"
    assert visitor.get(path).status_code == status
    assert visitor.get(path, headers={"Accept": "application/json"}).json["code"] == code  # type: ignore[index]


def test_a_request_that_is_wrong_is_not_called_our_fault(visitor: FlaskClient) -> None:
    answer = visitor.get("/throwaway/teapot/410", headers={"Accept-Language": "en"})
    assert "broke on our side" not in answer.text
    assert "broke on our side" in visitor.get("/throwaway/teapot/502", headers={"Accept-Language": "en"}).text


def test_a_closed_page_says_what_to_do_about_it(visitor: FlaskClient) -> None:
    text = visitor.get("/throwaway/silent", headers={"Accept-Language": "en"}).text
    assert text.count("This page is not open to you") == len(("title", "h1"))
    assert "<p>Ask an administrator if you need access.</p>" in text


def test_a_405_names_what_is_allowed(visitor: FlaskClient) -> None:
    assert "GET" in visitor.delete("/throwaway/public").headers["Allow"]


def test_without_a_database_a_signed_in_person_gets_a_page(
    enter: Callable[[str], FlaskClient], fresh: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = enter("user")
    with fresh.app_context():
        engine = db.engine
        engine.dispose()

    def refuse(*_args: Any, **_named: Any) -> Any:
        raise psycopg.OperationalError("connection refused")

    monkeypatch.setattr(engine.dialect, "connect", refuse)
    answer = client.get("/throwaway/users")
    assert answer.status_code == 503
    assert answer.headers[CSP].startswith("default-src 'none'")
    assert answer.headers["X-Request-ID"] in answer.text


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonLines())
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(self.format(record)))


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    kept = Kept()
    level = access_log.level
    access_log.addHandler(kept)
    access_log.setLevel(logging.INFO)
    yield kept.lines
    access_log.removeHandler(kept)
    access_log.setLevel(level)


def test_the_log_names_the_person_and_the_company(
    enter: Callable[[str], FlaskClient], cast: dict[str, User], lines: list[dict[str, Any]]
) -> None:
    enter("user").get("/throwaway/users")
    person = cast["user"]
    assert_entries(lines[0], user_id=str(person.id), tenant_id=str(person.tenant_id))


def test_the_log_names_who_was_turned_away(
    enter: Callable[[str], FlaskClient], cast: dict[str, User], lines: list[dict[str, Any]]
) -> None:
    enter("lite").get("/throwaway/users")
    assert_entries(lines[0], status=403, user_id=str(cast["lite"].id))
    assert "tenant_id" not in lines[0]


def test_the_log_does_not_name_the_one_before(
    enter: Callable[[str], FlaskClient], fresh: Flask, lines: list[dict[str, Any]]
) -> None:
    enter("user").get("/throwaway/public")
    fresh.test_client().get("/throwaway/public")
    assert "user_id" in lines[0]
    assert "user_id" not in lines[1]


def test_after_a_request_the_log_names_nobody(enter: Callable[[str], FlaskClient]) -> None:
    enter("user").get("/throwaway/public")
    assert request_id() == ""


def test_a_request_line_has_no_query(visitor: FlaskClient, lines: list[dict[str, Any]]) -> None:
    visitor.get("/throwaway/public?phone=77011234567&name=recognisable", headers={"User-Agent": "a browser"})
    line = lines[0]
    assert_entries(line, method="GET", path="/throwaway/public", status=200, agent="a browser")
    assert line["ms"] >= 0
    assert "recognisable" not in json.dumps(line)


def test_a_forged_form_has_a_line_of_its_own(visitor: FlaskClient, lines: list[dict[str, Any]]) -> None:
    answer = visitor.post("/login", data={"email": "x"})
    assert answer.status_code == 400
    assert lines[0]["status"] == 400
    assert lines[0]["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize("given", ["12345678", "a-b_c-d_e", "x" * 64, "a1" * 16])
def test_a_given_request_id_stands_beside_our_own(
    visitor: FlaskClient, lines: list[dict[str, Any]], given: str
) -> None:
    """The audit keeps ours: a visitor does not choose what his acts are found by."""
    own = visitor.get("/throwaway/public", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert_entries(lines[0], request_id=own, given_id=given)
    assert re.fullmatch(r"[0-9a-f]{32}", own)
    assert own != given


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "with space", "кириллица", "<script>alert", "12345678;"])
def test_an_unsound_request_id_is_written_nowhere(
    visitor: FlaskClient, lines: list[dict[str, Any]], given: str
) -> None:
    environ = {"HTTP_X_REQUEST_ID": given.encode().decode("latin-1")}
    visitor.get("/throwaway/public", environ_overrides=environ)
    assert "given_id" not in lines[0]


def production(config: Config) -> Config:
    return replace(config, env="production", base_url="https://cabinet.example.kz")


def test_in_production_cookie_and_transport_are_bound_to_https(app: Flask) -> None:
    kept = logging.getLogger().handlers[:]
    live = create_app(production(settings()))
    logging.getLogger().handlers[:] = kept
    assert live.config["SESSION_COOKIE_SECURE"]
    assert live.config["SESSION_COOKIE_NAME"].startswith("__Host-")
    answer = live.test_client().get("/login", base_url="https://cabinet.example.kz")
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
    cookie = answer.headers["Set-Cookie"]
    assert all(word in cookie for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    with live.app_context():
        db.engine.dispose()


def test_the_counter_of_attempts_does_not_wait_for_ever(app: Flask) -> None:
    kwargs = limiter.storage.storage.connection_pool.connection_kwargs  # type: ignore[union-attr]
    assert kwargs["socket_timeout"] <= 10
