"""Structured logs: every line knows its request, run and tenant; none knows a secret."""

from __future__ import annotations

import json
import logging
import math
import re
import time
import uuid
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask, Response, g, request

KEEP_DAYS = 14
MOST_BYTES = 20_000_000

_context: ContextVar[dict[str, str]] = ContextVar("log_context", default={})  # noqa: B039 (never changed in place)

NAMES = ("password", "secret", "token", "key")


def _after(*signs: str) -> str:
    """What stands after a name and one of the signs. A look-behind leaves the name to whatever else goes by it."""
    return "(?i)(?:" + "|".join(f"(?<={name}{sign})" for name in NAMES for sign in signs) + ")"


SECRET_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?<!\d)\d{5,16}:[\w-]{20,}",  # a Telegram bot's token; it stands in the path of every call
        r"\b(?:sb_secret_|sb_publishable_|AQ\.|AIza)[\w.-]{8,}",
        r"\beyJ[\w-]{5,}\.[\w-]{5,}(?:\.[\w-]*)?",  # JSON web tokens
        r"(?i)(?<=bearer )[\w.~+/-]{8,}=*",
        r"\bv1\.[0-9a-f]{8}\.[\w-]{16,}",  # our own sealed values: useless alone, but nobody's business
        r"(?i)(?<=://)[^/\s:@]*:[^/\s@]+(?=@)",  # user:password in a URL
        _after("=") + r"[^&\s,\"']{4,}",
        r"(?i)(?<=[?&]code=)[^&\s,\"']{4,}",
        r"(?i)(?:(?<=api-key: )|(?<=apikey: ))\S{4,}",
        _after("[\"']:[\"']", "[\"']: [\"']", "=[\"']") + r"[^\"']+",  # in JSON, in the repr of a dict or an object
        r"(?<![\w-])\+?\d[\d ()-]{8,16}\d(?![\w-])",  # phones
    )
)
CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F, *range(0x80, 0xA0), 0x2028, 0x2029)}
UNESCAPED = {code: f"\\u{code:04x}" for code in CONTROL if code > 0x20}
"""Control characters that JSON may hold as they are, although many readers end a line there."""


def bind(**names: str | uuid.UUID | None) -> None:
    """Add ids to every further line of this context: run_id, tenant_id, user_id, step."""
    _context.set({**_context.get(), **{name: str(value) for name, value in names.items() if value is not None}})


def unbind() -> None:
    _context.set({})


def context() -> dict[str, str]:
    """The ids that every line carries now."""
    return dict(_context.get())


def request_id() -> str:
    return _context.get().get("request_id", "")


def redact(text: str) -> str:
    """Secrets and phones out. Applied to everything that is written, exceptions included.

    All are looked for in the text as it came: what one pattern takes out may be the name that another goes by.
    """
    kept, shown_to = [], 0
    for start, end in sorted(match.span() for pattern in SECRET_PATTERNS for match in pattern.finditer(text)):
        if start >= shown_to:
            kept += [text[shown_to:start], "***"]
        shown_to = max(shown_to, end)
    return "".join([*kept, text[shown_to:]])


def clean(value: object) -> object:
    """What JSON can hold, with every text in it redacted."""
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, dict):
        return {str(name): clean(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(one) for one in value]
    return redact(str(value))


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(record.getMessage()),
            **_context.get(),
            **{name: clean(value) for name, value in getattr(record, "fields", {}).items()},
        }
        if record.exc_info:
            line["trace"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False).translate(UNESCAPED)


class ForPeople(logging.Formatter):
    """One readable line in development. Control characters are shown, not obeyed: no forged lines."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {**_context.get(), **getattr(record, "fields", {})}
        tail = " ".join(f"{name}={value}" for name, value in fields.items())
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        lines = [f"{at} {record.levelname:<7} {record.getMessage()} {tail}".rstrip()]
        if record.exc_info:
            lines += [f"    {line}" for line in self.formatException(record.exc_info).splitlines()]
        return "\n".join(redact(line).translate(CONTROL) for line in lines)


class DailyFile(logging.Handler):
    """One file a day and a next one when it is full. Nothing is renamed, so any number of processes may write."""

    def __init__(self, folder: Path, name: str, level: int) -> None:
        super().__init__(level)
        self.folder = folder
        self.name_of = name
        folder.mkdir(parents=True, exist_ok=True)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record) + "\n"
            with self._path().open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(line)
        except Exception:  # noqa: BLE001 (a line that cannot be written must not break the work)
            self.handleError(record)

    def _path(self) -> Path:
        today = datetime.now(UTC).date()
        part = 0
        while True:
            path = self.folder / f"{self.name_of}-{today}{f'.{part}' if part else ''}.log"
            if not path.exists():
                self._forget_before((today - timedelta(days=KEEP_DAYS)).isoformat())
                return path
            if path.stat().st_size < MOST_BYTES:
                return path
            part += 1

    def _forget_before(self, day: str) -> None:
        for path in self.folder.glob(f"{self.name_of}-*.log"):
            if path.name.removeprefix(f"{self.name_of}-")[:10] < day:
                path.unlink(missing_ok=True)


def configure(level: str, folder: Path, *, production: bool) -> None:
    """Set up the root logger once per process: the console and two files."""
    console = logging.StreamHandler()
    console.setFormatter(JsonLines() if production else ForPeople())
    combined, errors = DailyFile(folder, "combined", logging.INFO), DailyFile(folder, "error", logging.ERROR)
    for file in (combined, errors):
        file.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [console, combined, errors]
    root.setLevel(level)
    for noisy in ("rq.worker", "rq.job", "rq_scheduler", "urllib3", "werkzeug", "requests_hardened", "alembic"):
        logging.getLogger(noisy).setLevel("WARNING")


access_log = logging.getLogger("synkro.request")
VALID_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


def init_app(app: Flask) -> None:
    """Give every request a number, and a line when it ends. Query strings are not logged: they may hold names."""

    @app.before_request
    def start() -> None:
        unbind()
        # our own, whatever the visitor sends: it stands in the audit
        bind(request_id=uuid.uuid4().hex)
        g.started = time.monotonic()

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-ID"] = request_id()
        if request.endpoint != "static":
            fields = {
                "method": request.method,
                "path": request.path,
                "status": response.status_code,
                "ms": round((time.monotonic() - g.started) * 1000),
                "agent": request.user_agent.string[:200],
            }
            given = request.headers.get("X-Request-ID", "")
            if VALID_ID.fullmatch(given):
                fields["given_id"] = given  # of a proxy perhaps: joins its log with ours
            access_log.info("request", extra={"fields": fields})
        return response

    @app.teardown_request
    def forget(_error: BaseException | None) -> None:
        unbind()
