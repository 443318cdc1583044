"""The audit as people see and export it, and the words for what is recorded."""

from __future__ import annotations

import ast
import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
import time_machine
from werkzeug.test import TestResponse

from synkro.blueprints.admin import audit_csv
from synkro.blueprints.admin.audit_words import ACTS, ROOMS, THINGS
from synkro.models import AuditLog, LinkPurpose, Tenant
from synkro.services import audit
from synkro.services.audit import export
from synkro.tenancy import db, system_scope, tenant_scope
from tests.conftest import ROOT
from tests.support.having import assert_has
from tests.support.web_client import Enter

HOSTILE = "<script>alert(1)</script>"


def noted(tenant: Tenant, act: str = "comment_added", actor: str = "a@example.com", **details: object) -> None:
    with tenant_scope(tenant.id):
        audit.record(act, "report", "77", actor=actor, **details)
        db.session.commit()


def cells(answer: TestResponse) -> list[list[str]]:
    assert answer.data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def acts() -> list[str]:
    with system_scope("test: look at the audit log"):
        return [row.act for row in db.session.query(AuditLog).order_by(AuditLog.id)]


def test_staff_see_the_acts_of_every_company(enter: Enter, tenant: Tenant, other_tenant: Tenant) -> None:
    noted(tenant, actor="one@example.com")
    noted(other_tenant, actor="two@example.com", step="analyse", fields=["a", "b"])
    page = enter("admin").get("/admin/audit").text
    for said in ("one@example.com", "two@example.com", "Alfa", "Beta", "step: analyse; fields: a, b", "Comment added"):
        assert said in page


def test_a_company_sees_its_own(enter: Enter, tenant: Tenant, other_tenant: Tenant) -> None:
    noted(tenant, actor="one@example.com")
    noted(other_tenant, actor="two@example.com")
    page = enter("settings").get("/audit").text
    assert "one@example.com" in page
    assert "two@example.com" not in page


def test_a_company_cannot_choose_another(enter: Enter, tenant: Tenant, other_tenant: Tenant) -> None:
    noted(other_tenant, actor="two@example.com")
    page = enter("settings").get(f"/audit?company={other_tenant.id}")
    assert page.status_code == 200
    assert "two@example.com" not in page.text


def test_the_filter_narrows(enter: Enter, tenant: Tenant, other_tenant: Tenant) -> None:
    noted(tenant, actor="one@example.com")
    noted(tenant, "run_started", actor="two@example.com")
    noted(other_tenant, "run_started", actor="three@example.com")
    page = enter("admin").get(f"/admin/audit?act=run_started&company={tenant.id}&actor=TWO").text
    assert [name in page for name in ("one@", "two@", "three@")] == [False, True, False]


def test_days_are_those_of_the_company_and_whole(enter: Enter, tenant: Tenant) -> None:
    # midnight in Almaty is 19:00 UTC
    for moment, actor in ((18, "before"), (19, "first"), (42, "last"), (43, "after")):
        with time_machine.travel(datetime(2026, 11, 1, tzinfo=UTC) + timedelta(hours=moment), tick=False):
            noted(tenant, actor=f"{actor}@example.com")
    page = enter("settings").get("/audit?since=2026-11-02&until=2026-11-02").text
    assert [f"{name}@" in page for name in ("before", "first", "last", "after")] == [False, True, True, False]


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday",
        "since=0001-01-01",
        "until=9999-12-31",
        "since=2026-11-02&until=2026-11-01",
        "act=nothing",
        f"act={HOSTILE}",
        "actor=" + "x" * 201,
        "company=1",
        "company=00000000-0000-0000-0000-000000000009",
    ],
)
@pytest.mark.parametrize("path", ["/admin/audit", "/admin/audit.csv"])
def test_a_filter_that_cannot_be_is_refused(enter: Enter, tenant: Tenant, path: str, query: str) -> None:
    noted(tenant)
    answer = enter("admin").get(f"{path}?{query}")
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert HOSTILE not in answer.text
    assert "a@example.com" not in answer.text
    assert acts() == ["comment_added"]


@pytest.mark.parametrize("query", ["before=x", "before=-1", "before=0", "after=", "before=" + "9" * 5000, "actor=%00"])
def test_an_id_that_cannot_be_means_the_newest(enter: Enter, tenant: Tenant, query: str) -> None:
    noted(tenant)
    answer = enter("admin").get(f"/admin/audit?{query}")
    assert answer.status_code == 200
    assert "a@example.com" in answer.text


def test_pages_keep_the_filter(enter: Enter, tenant: Tenant) -> None:
    with tenant_scope(tenant.id):
        for number in range(150):
            audit.record("run_started" if number % 2 else "comment_added", actor=f"{number}@example.com")
        for number in range(150, 205):
            audit.record("run_started", actor=f"{number}@example.com")
        db.session.commit()
    browser = enter("settings")
    first = browser.get("/audit?act=run_started").text
    older = next(part.split('"')[0] for part in unescape(first).split('href="') if "before=" in part.split('"')[0])
    second = browser.get(older).text
    assert first.count("@example.com</span>") == 100
    assert second.count("@example.com</span>") == 30
    assert "after=" in second


def test_what_was_written_is_never_markup(enter: Enter, tenant: Tenant) -> None:
    noted(tenant, actor=HOSTILE, note=HOSTILE)
    page = enter("admin").get("/admin/audit").text
    assert HOSTILE not in page
    assert unescape(page).count(HOSTILE) == 2


def test_an_export_holds_the_rows_of_the_filter(enter: Enter, tenant: Tenant, other_tenant: Tenant) -> None:
    noted(tenant, actor="one@example.com", step="analyse")
    noted(tenant, "run_started")
    noted(other_tenant, actor="two@example.com")
    answer = enter("admin").get(f"/admin/audit.csv?act=comment_added&company={tenant.id}")
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="audit-')
    heading, *rows = cells(answer)
    shown = [dict(zip(heading, row, strict=True)) for row in rows]
    assert [(row["Who"], row["Code"], row["Company"], row["Details"]) for row in shown] == [
        ("one@example.com", "comment_added", "Alfa", "step: analyse")
    ]


def test_an_export_of_a_company_holds_its_own_rows(enter: Enter, tenant: Tenant, other_tenant: Tenant) -> None:
    noted(tenant, actor="one@example.com")
    noted(other_tenant, actor="two@example.com")
    text = enter("settings").get("/audit.csv").text
    assert "one@example.com" in text
    assert "two@example.com" not in text


@pytest.mark.parametrize(("who", "path"), [("admin", "/admin/audit.csv"), ("settings", "/audit.csv")])
def test_an_export_is_written_down(enter: Enter, tenant: Tenant, who: str, path: str) -> None:
    enter(who).get(f"{path}?actor=x").close()
    with system_scope("test: look at the audit log"):
        row = db.session.query(AuditLog).one()
        assert_has(row, act="audit_exported", actor=f"{who}@example.com", details={"fields": ["actor"]})
        assert row.tenant_id == (tenant.id if who == "settings" else None)


@pytest.mark.parametrize(("who", "path"), [("admin", "/admin/audit.csv"), ("settings", "/audit.csv")])
def test_an_export_asks_for_the_password_anew(enter: Enter, tenant: Tenant, who: str, path: str) -> None:
    browser = enter(who)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=16)):
        answer = browser.get(path)
    assert answer.status_code == 303
    assert "confirm" in answer.location
    assert acts() == []


def test_an_export_says_where_it_was_cut(enter: Enter, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (export, audit_csv):
        monkeypatch.setattr(module, "MOST_EXPORTED", 2)
    for _ in range(3):
        noted(tenant)
    _, *rows = cells(enter("settings").get("/audit.csv"))
    # the export itself is the newest row
    assert [row[4] for row in rows[:2]] == ["audit_exported", "comment_added"]
    assert rows[2:] == [["Cut here: a file holds at most 2 rows. Choose a shorter period."]]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_of_an_export_is_a_formula(enter: Enter, tenant: Tenant, start: str) -> None:
    noted(tenant, actor=f"{start}cmd|' /C calc'!A0")
    _, _, row = cells(enter("settings").get("/audit.csv"))
    assert row[2] == f"'{start}cmd|' /C calc'!A0"
    assert not any(audit_csv.FORMULA.search(cell) for cell in row)


@pytest.mark.parametrize("text", ["Alfa;=1+1", "Alfa; =1+1", "a;b\t@c", " =1", 'Alfa, "x";+1'])
def test_no_part_of_a_cell_between_semicolons_becomes_a_formula(text: str) -> None:
    shown = audit_csv.harmless(text)
    assert shown.replace("'", "") == text
    assert not any(cell.lstrip()[:1] in tuple("=+-@") for cell in re.split("[;\t]", shown))


@pytest.mark.parametrize("text", ["", "Alfa; Beta", "step: analyse; code: busy", "2026-11-21T08:00:00+05:00", "a-b=c"])
def test_an_ordinary_cell_stays_as_it_is(text: str) -> None:
    assert audit_csv.harmless(text) == text


def recorded() -> Iterator[tuple[str, ast.Call, list[str], list[str]]]:
    """Each call that records an act, also through a function of the same module: its possible acts and things."""
    for path in sorted((ROOT / "synkro").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        for function in functions:
            for call in calls_of(function, "record"):
                yield str(path.relative_to(ROOT)), call, said(tree, function, call.args[0]), words_in(*call.args[1:2])


def calls_of(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and ast.unparse(node.func) in (name, f"audit.{name}"):
            yield node


def said(tree: ast.AST, function: ast.FunctionDef, act: ast.expr) -> list[str]:
    """The words that can stand there; of a parameter, those that the callers give."""
    names = [argument.arg for argument in function.args.args]
    if not isinstance(act, ast.Name) or act.id not in names:
        return words_in(act)
    place = names.index(act.id)
    return [word for call in calls_of(tree, function.name) for word in given(tree, call, place)]


def given(tree: ast.AST, call: ast.Call, place: int) -> list[str]:
    value = call.args[place]
    if isinstance(value, ast.Name):
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and call in list(ast.walk(function)):
                return said(tree, function, value)
    return words_in(value)


def words_in(*nodes: ast.AST) -> list[str]:
    """A word that begins with {purpose} stands for one of each purpose."""
    if nodes and ast.unparse(nodes[0]) == "f'{purpose}_used'":
        return [f"{purpose}_used" for purpose in LinkPurpose]
    inner = [node for one in nodes for node in ast.walk(one)]
    return [node.value for node in inner if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def test_there_are_words_for_every_act() -> None:
    found = list(recorded())
    assert len(found) > 10
    unread = [(path, call.lineno) for path, call, words, _ in found if not words]
    assert not unread, "the act must be written where it is recorded, or one call away"
    assert {word for _, _, words, _ in found for word in words} - set(ACTS) == set()


def test_there_are_words_for_every_kind_of_thing() -> None:
    assert {word for _, _, _, words in recorded() for word in words} - set(THINGS) == set()


def test_no_words_are_kept_for_acts_that_are_gone() -> None:
    assert set(ACTS) - {word for _, _, words, _ in recorded() for word in words} == set()


def test_no_act_and_no_thing_is_named_by_two_rooms() -> None:
    assert len(ACTS) == sum(len(room.ACTS) for room in ROOMS)
    assert len(THINGS) == sum(len(room.THINGS) for room in ROOMS)


def test_a_room_has_the_words_for_what_it_records() -> None:
    """An act that several rooms record may stand in any of them."""
    recording: dict[str, set[str]] = {}
    for path, _, words, _ in recorded():
        for word in words:
            recording.setdefault(word, set()).add(Path(path).parts[2])
    homes = {act: room.__name__.split(".")[2] for room in ROOMS for act in room.ACTS}
    assert {act for act, home in homes.items() if home not in recording[act]} == set()
