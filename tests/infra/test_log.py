from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from synkro.crypto import Vault
from synkro.infra import log as logs
from synkro.infra.log import DailyFile, ForPeople, JsonLines, bind, redact, unbind
from tests.support.having import assert_entries

SECRETS = {
    "telegram token": "7000000001:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc",
    "supabase secret": "sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz",
    "supabase publishable": "sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH",
    "gemini key": "AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY",
    "new gemini key": "AQ.Ab8RN6JfakeFakeFakeFakeFakeFakeFake",
    "json web token": "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJzeW5rcm8ifQ.c2lnbmF0dXJl",
    "sealed value": Vault("a1" * 32).seal("value", "place"),
    "phone": "+7 (701) 123-45-67",
    "bare phone": "77011234567",
}
NAMED = {
    "in the query": ("https://vendor.example/x?api_key=", "recognisable1", "&page=1"),
    "in a form": ("refresh_token=", "recognisable2", "&grant_type=refresh_token"),
    "an OAuth code": ("https://cabinet.example/back?code=", "recognisable3", "&state=x"),
    "in JSON": ('{"refresh_token": "', "recognisable4", '"}'),
    "in tight JSON": ('{"client_secret":"', "recognisable4", '"}'),
    "in a dict": ("{'api_key': '", "recognisable5", "', 'company_id': '1'}"),
    "a password": ("password=", "recognisable6", " rest"),
    "in the repr of an object": ("Settings(password='", "recognisable12", "')"),
    "in the address of a database": ("postgresql://synkro_app:", "recognisable7", "@db/synkro"),
    "in the address of Redis": ("redis://:", "recognisable8", "@cache:6379/0"),
    "in the address of a bot": ("/bot", SECRETS["telegram token"], "/sendMessage"),
    "in a header": ("Authorization: Bearer ", "recognisable9", "\n"),
    "in another header": ("X-Api-Key: ", "recognisable10", "\n"),
    "in a third header": ("apikey: ", "recognisable11", "\n"),
}
EDGES = st.sampled_from(
    [" ", "\n", "\t", "'", '"', ",", "(", ")", "/", "=", ";", "<", ">", "|", "[", "]", "\x00", "\u2028"]
)


@pytest.mark.parametrize("kind", SECRETS)
@settings(deadline=None)
@given(before=st.text(max_size=40), left=EDGES, right=EDGES, after=st.text(max_size=40))
def test_a_secret_does_not_pass(kind: str, before: str, left: str, right: str, after: str) -> None:
    secret = SECRETS[kind]
    assert secret not in redact(f"{before}{left}{secret}{right}{after}")


@pytest.mark.parametrize("where", NAMED)
@settings(deadline=None)
@given(before=st.text(max_size=40), edge=EDGES, after=st.text(max_size=40))
@example(before="PASSWORD", edge="=", after="")
def test_a_named_secret_does_not_pass(where: str, before: str, edge: str, after: str) -> None:
    left, secret, right = NAMED[where]
    assert secret not in redact(f"{before}{edge}{left}{secret}{right}{after}")


@pytest.mark.parametrize("first", NAMED)
@pytest.mark.parametrize("where", NAMED)
def test_a_name_before_it_does_not_hide_a_secret(first: str, where: str) -> None:
    left, secret, right = NAMED[where]
    assert secret not in redact(f"{NAMED[first][0]}{left}{secret}{right}")


@pytest.mark.parametrize(
    "text",
    [
        "step failed code=amocrm_refused attempt 3",
        "run 550e8400-e29b-41d4-a716-446655440000 begins",
        "Traceback (most recent call last): File 'x.py', line 12, in work",
        "GET /reports/12 200 in 35 ms",
    ],
)
def test_plain_words_stay(text: str) -> None:
    assert redact(text) == text


CONTROLS = st.text(
    alphabet=st.sampled_from("\n\r\t\x00\x0b\x0c\x1b\x1c\x7f\x85\x9b\u2028\u2029ab") | st.characters(), max_size=60
)
"""Whatever ends a line for some reader, steers a terminal, or cannot be encoded."""


def record(message: str, fields: dict[str, Any] | None = None, error: BaseException | None = None) -> logging.LogRecord:
    made = logging.LogRecord("synkro.test", logging.ERROR, __file__, 1, message, None, None)
    made.fields = fields or {}
    if error:
        made.exc_info = (type(error), error, error.__traceback__)
    return made


def raised(words: str) -> Exception:
    try:
        raise RuntimeError(words)
    except RuntimeError as error:
        return error


@settings(deadline=None)
@given(CONTROLS, CONTROLS)
def test_a_line_of_json_is_one_line_whatever_is_said(message: str, value: str) -> None:
    line = JsonLines().format(record(message, {"value": value}, raised(value)))
    assert len(line.splitlines()) == 1
    assert not any(ord(ch) < 0x20 or 0x7F <= ord(ch) < 0xA0 for ch in line)
    assert set(json.loads(line)) >= {"at", "level", "logger", "message", "value", "trace"}


@settings(deadline=None)
@given(CONTROLS, CONTROLS)
def test_a_line_for_people_cannot_be_forged(message: str, value: str) -> None:
    line = ForPeople().format(record(message, {"value": value}))
    assert len(line.splitlines()) == 1


@settings(deadline=None)
@given(CONTROLS)
def test_a_trace_for_people_cannot_forge_a_line(words: str) -> None:
    first, *rest = ForPeople().format(record("broke", None, raised(words))).splitlines()
    assert "ERROR" in first
    assert rest
    assert all(line.startswith("    ") for line in rest)


def test_json_keeps_what_was_said() -> None:
    said = json.loads(JsonLines().format(record("шаг готов", {"count": 3, "share": 0.5, "ok": True, "none": None})))
    assert_entries(said, message="шаг готов", count=3, share=0.5, ok=True, none=None)
    assert said["level"] == "ERROR"
    assert datetime.fromisoformat(said["at"]).tzinfo is not None


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"a": [s]}, lambda s: (s,), lambda s: {s}, RuntimeError])
@pytest.mark.parametrize("formatter", [JsonLines(), ForPeople()])
def test_no_field_carries_a_secret(formatter: logging.Formatter, wrap: Any) -> None:
    token = SECRETS["telegram token"]
    assert token not in formatter.format(record("call failed", {"value": wrap(token)}))


@pytest.mark.parametrize("formatter", [JsonLines(), ForPeople()])
def test_no_trace_carries_a_secret(formatter: logging.Formatter) -> None:
    token = SECRETS["json web token"]
    assert token not in formatter.format(record("broke", None, raised(f"401 for {token}")))


def test_what_json_has_no_word_for_is_written_all_the_same() -> None:
    line = JsonLines().format(record("odd", {"nan": float("nan"), "path": Path("/x"), 1: {2: 3}}))  # type: ignore[dict-item]
    assert json.loads(line, parse_constant=pytest.fail)["path"] == "/x"


@pytest.fixture
def context() -> Iterator[None]:
    unbind()
    yield
    unbind()


@pytest.mark.usefixtures("context")
def test_every_line_names_its_request_run_and_company() -> None:
    bind(request_id="of-the-request", tenant_id="of-the-company")
    bind(run_id="of-the-run", step=None)
    said = json.loads(JsonLines().format(record("x")))
    assert_entries(said, request_id="of-the-request", tenant_id="of-the-company", run_id="of-the-run")
    assert "step" not in said
    assert "run_id=of-the-run" in ForPeople().format(record("x"))
    unbind()
    assert "run_id" not in json.loads(JsonLines().format(record("x")))


@pytest.fixture
def daily(tmp_path: Path) -> DailyFile:
    handler = DailyFile(tmp_path / "logs", "combined", logging.INFO)
    handler.setFormatter(JsonLines())
    return handler


def names(daily: DailyFile) -> list[str]:
    return sorted(path.name for path in daily.folder.iterdir())


class Day:
    """A clock that stands on one day."""

    def __init__(self, day: int) -> None:
        self._now = datetime(2026, 11, 1, 12, tzinfo=UTC) + timedelta(days=day)

    def now(self, zone: Any) -> datetime:
        return self._now.astimezone(zone)

    fromtimestamp = staticmethod(datetime.fromtimestamp)


def test_each_day_has_its_file(daily: DailyFile, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in (0, 0, 1):
        monkeypatch.setattr(logs, "datetime", Day(day))
        daily.emit(record("x"))
    assert names(daily) == ["combined-2026-11-01.log", "combined-2026-11-02.log"]
    assert len((daily.folder / "combined-2026-11-01.log").read_text().splitlines()) == 2


def test_a_full_file_is_followed_by_the_next(daily: DailyFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST_BYTES", 500)
    monkeypatch.setattr(logs, "datetime", Day(0))
    for _ in range(10):
        daily.emit(record("x" * 100))
    sizes = [path.stat().st_size for path in daily.folder.iterdir()]
    assert len(sizes) > 2
    assert max(sizes) < 500 + 300
    assert sum(len(path.read_text().splitlines()) for path in daily.folder.iterdir()) == 10


def test_after_fourteen_days_a_file_is_forgotten(daily: DailyFile, monkeypatch: pytest.MonkeyPatch) -> None:
    (daily.folder / "error-2026-10-01.log").touch()
    for day in (0, 1, 15):
        monkeypatch.setattr(logs, "datetime", Day(day))
        daily.emit(record("x"))
    assert names(daily) == ["combined-2026-11-02.log", "combined-2026-11-16.log", "error-2026-10-01.log"]


@pytest.mark.parametrize("message", ["\ud800 half a character", "x" * 100_000])
def test_any_text_can_be_written(daily: DailyFile, message: str) -> None:
    daily.emit(record(message))
    assert json.loads(next(daily.folder.iterdir()).read_text())["message"] == message


def test_a_line_that_cannot_be_written_does_not_break_the_work(
    daily: DailyFile, capsys: pytest.CaptureFixture[str]
) -> None:
    daily.folder.rmdir()
    daily.emit(record("x"))
    wrong = logging.LogRecord("synkro.test", logging.ERROR, __file__, 1, "%d", ("no number",), None)
    daily.emit(wrong)
    assert "FileNotFoundError" in capsys.readouterr().err


@pytest.mark.parametrize(("production", "kind"), [(True, JsonLines), (False, ForPeople)])
def test_the_console_speaks_json_in_production(tmp_path: Path, production: bool, kind: type) -> None:
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    try:
        logs.configure("INFO", tmp_path, production=production)
        console, *files = root.handlers
        assert isinstance(console.formatter, kind)
        assert [(file.level, type(file.formatter)) for file in files] == [
            (logging.INFO, JsonLines),
            (logging.ERROR, JsonLines),
        ]
    finally:
        root.handlers[:] = kept
        root.setLevel(level)
