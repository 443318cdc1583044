"""The settings of one installation. This module is the only reader of the environment."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Literal, cast
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from dotenv import dotenv_values

Environment = Literal["development", "test", "production"]

MAKE_KEY = "python3 -c 'import secrets; print(secrets.token_hex(32))'"
"""Works before anything is set, as our own command line does not."""
SAMPLE = "change-me"
"""What .env.example holds in place of keys: no key at all."""
SHORTEST_KEY = 32
STAND_INS = ("amocrm", "amocrm_oauth", "radist", "gemini", "telegram")
SAMPLE_SENDER = "Synkro <synkro@localhost>"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


class ConfigError(Exception):
    """Everything that is wrong with the settings, one line each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("The settings are not usable:\n" + "\n".join(f"  - {fault}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Config:
    """One typed object for the whole program. An empty database_url or redis_url means the embedded engine."""

    env: Environment
    secret_key: str = field(repr=False)
    secret_keys_old: tuple[str, ...] = field(repr=False)
    """What they have signed or hashed is still known; nothing new is made with them."""
    audit_key: str = field(repr=False)
    encryption_key: str = field(repr=False)
    encryption_keys_old: tuple[str, ...] = field(repr=False)
    database_url: str = field(repr=False)
    database_owner_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    var_dir: Path
    bind: str
    """Where the web server listens: host:port or unix:/path."""
    web_workers: int
    web_threads: int
    base_url: str
    proxy_hops: int
    mail_url: str = field(repr=False)
    """Empty: letters become files under var_dir/mail."""
    mail_from: str
    log_level: str
    sentry_dsn: str = field(repr=False)
    """Empty: errors stay in the log."""
    cors_origins: frozenset[str]
    stand_ins: Mapping[str, str]
    """Vendor -> base URL of an emulator. Not empty only outside production."""
    outbound_allow_hosts: frozenset[str]
    lease_seconds: int
    tick_seconds: int
    artifact_days: int
    queue_actions: bool
    """Whether the queues' own page may requeue and delete."""

    @property
    def production(self) -> bool:
        return self.env == "production"

    @property
    def sandbox(self) -> bool:
        """True where the vendors are emulators: reports say so."""
        return bool(self.stand_ins)


class _Reader:
    """Reads typed values and collects every fault instead of stopping at the first."""

    def __init__(self, values: Mapping[str, str | None]) -> None:
        self.values = values
        self.faults: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        return (self.values.get(name) or "").strip() or default

    def several(self, name: str) -> tuple[str, ...]:
        return tuple(self.text(name).replace(",", " ").split())

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        raw = self.text(name, str(default))
        # the length first: int() of thousands of digits raises
        if raw.isascii() and raw.isdigit() and len(raw) < 10 and least <= int(raw) <= most:
            return int(raw)
        self.faults.append(f"{name} must be a whole number from {least} to {most}")
        return default

    def one_of(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        raw = self.text(name, default)
        if raw not in allowed:
            self.faults.append(f"{name} must be one of: {', '.join(allowed)}")
        return raw

    def url(self, name: str, schemes: tuple[str, ...], default: str = "") -> str:
        raw = self.text(name, default)
        if raw and not raw.startswith(tuple(f"{scheme}://" for scheme in schemes)):
            self.faults.append(f"{name} must start with {' or '.join(s + '://' for s in schemes)}")
        elif raw and not _is_address(raw):
            self.faults.append(f"{name} is not an address")
        return raw

    def hex_key(self, name: str, raw: str) -> str:
        if raw and not is_encryption_key(raw):
            self.faults.append(f"{name} must be 64 characters 0-9 and a-f (make one with: {MAKE_KEY})")
        return raw


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return False
    # a server on a socket is named by the path or the query
    return parts.scheme not in ("http", "https") or bool(parts.hostname)


def is_encryption_key(text: str) -> bool:
    return len(text) == 64 and all(ch in "0123456789abcdef" for ch in text)


def load(environ: Mapping[str, str] | None = None) -> Config:
    """Read and judge the settings; raises ConfigError with all faults. An .env file fills what is not set."""
    read = _Reader({**dotenv_values(".env"), **os.environ} if environ is None else environ)
    env = cast(Environment, read.one_of("APP_ENV", "production", ("development", "test", "production")))
    var_dir = Path(read.text("VAR_DIR", "var")).resolve()
    old = read.several("FIELD_ENCRYPTION_KEYS_OLD")
    for key in old:
        read.hex_key("FIELD_ENCRYPTION_KEYS_OLD", key)
    keys = _Keys(read, env, var_dir)
    database_url = read.url("DATABASE_URL", ("postgresql+psycopg", "postgresql"))
    config = Config(
        env=env,
        secret_key=keys.get("APP_SECRET_KEY", lambda: secrets.token_urlsafe(48)),
        secret_keys_old=read.several("APP_SECRET_KEYS_OLD"),
        audit_key=keys.get("AUDIT_KEY", lambda: secrets.token_urlsafe(48)),
        encryption_key=read.hex_key(
            "FIELD_ENCRYPTION_KEY", keys.get("FIELD_ENCRYPTION_KEY", lambda: secrets.token_hex(32))
        ),
        encryption_keys_old=old,
        database_url=_psycopg(database_url),
        database_owner_url=_psycopg(read.url("DATABASE_OWNER_URL", ("postgresql+psycopg", "postgresql"), database_url)),
        redis_url=read.url("REDIS_URL", ("redis", "rediss", "unix")),
        var_dir=var_dir,
        bind=read.text("BIND") or f"127.0.0.1:{read.whole('PORT', 8000, 1, 65_535)}",
        web_workers=read.whole("WEB_WORKERS", 2, 1, 64),
        web_threads=read.whole("WEB_THREADS", 4, 1, 32),
        base_url=read.url("BASE_URL", ("http", "https"), "http://127.0.0.1:8000").rstrip("/"),
        proxy_hops=read.whole("PROXY_HOPS", 0, 0, 5),
        mail_url=read.url("MAIL_URL", ("smtp", "smtps")),
        mail_from=read.text("MAIL_FROM", SAMPLE_SENDER),
        log_level=read.one_of("LOG_LEVEL", "INFO", LOG_LEVELS),
        sentry_dsn=read.url("SENTRY_DSN", ("https", "http")),
        cors_origins=frozenset(read.several("CORS_ALLOW_ORIGINS")),
        stand_ins={kind: url for kind in STAND_INS if (url := read.url(_stand_in_name(kind), ("http", "https")))},
        outbound_allow_hosts=frozenset(read.several("OUTBOUND_ALLOW_HOSTS")),
        lease_seconds=read.whole("LEASE_SECONDS", 60, 1, 3600),
        tick_seconds=read.whole("TICK_SECONDS", 10, 1, 60),
        artifact_days=read.whole("ARTIFACT_DAYS", 30, 1, 3650),
        queue_actions=read.one_of("RQ_DASHBOARD_ACTIONS", "off", ("off", "on")) == "on",
    )
    faults = read.faults + keys.faults + _judge(config)
    if faults:
        raise ConfigError(faults)
    return config


class _Keys:
    """Keys come from the environment; outside production an empty one is made once and kept in VAR_DIR/keys."""

    def __init__(self, read: _Reader, env: Environment, var_dir: Path) -> None:
        self.read = read
        self.env = env
        self.folder = var_dir / "keys"
        self.faults: list[str] = []

    def get(self, name: str, make: Callable[[], str]) -> str:
        given = self.read.text(name)
        if SAMPLE in given:
            given = ""  # an untouched .env.example
        if self.env != "production":
            return given or self._kept(name, self.folder / name.lower(), make)
        if len(given) >= SHORTEST_KEY:
            return given
        self.faults.append(f"{name} must be set to a long random value of your own")
        return ""

    def _kept(self, name: str, path: Path, make: Callable[[], str]) -> str:
        try:
            if not path.exists():
                self._make(path, make)
            kept = path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            self.faults.append(f"{name} is empty and cannot be kept in {path} ({type(error).__name__})")
            return ""
        if not kept:
            self.faults.append(f"{name} is empty, and so is {path}: set the one, or delete the other")
        return kept

    def _make(self, path: Path, make: Callable[[], str]) -> None:
        """Written aside and linked, so that two programs that start at once read the same whole key."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile("w", dir=self.folder, encoding="ascii") as draft:  # has mode 0600
            draft.write(make())
            draft.flush()
            os.fsync(draft.fileno())
            with suppress(FileExistsError):
                path.hardlink_to(draft.name)


def _stand_in_name(kind: str) -> str:
    return {"amocrm_oauth": "AMOCRM_OAUTH_URL"}.get(kind, f"{kind.upper()}_BASE_URL")


def _psycopg(url: str) -> str:
    """SQLAlchemy picks the driver by the scheme; psycopg 3 is the one we have."""
    return "postgresql+psycopg" + url.removeprefix("postgresql") if url.startswith("postgresql:") else url


def _judge(config: Config) -> list[str]:
    faults = []
    if config.encryption_key in config.encryption_keys_old:
        faults.append("FIELD_ENCRYPTION_KEY is also listed in FIELD_ENCRYPTION_KEYS_OLD")
    if config.secret_key in config.secret_keys_old:
        faults.append("APP_SECRET_KEY is also listed in APP_SECRET_KEYS_OLD")
    if any(len(key) < SHORTEST_KEY for key in config.secret_keys_old):
        faults.append(f"APP_SECRET_KEYS_OLD: a key has {SHORTEST_KEY} characters or more, without commas and spaces")
    keys = [key for key in (config.secret_key, config.encryption_key, config.audit_key) if key]
    if len(set(keys)) < len(keys):
        faults.append("APP_SECRET_KEY, AUDIT_KEY and FIELD_ENCRYPTION_KEY must differ from each other")
    if datetime(2024, 3, 2, tzinfo=ZoneInfo("Asia/Almaty")).utcoffset() != timedelta(hours=5):
        faults.append(
            "The time zone data is older than 2024a: reports would be an hour late. Update the tzdata package"
        )
    if not _is_bind(config.bind):
        faults.append("BIND must be host:port, such as 0.0.0.0:8000, or unix: and an absolute path")
    if config.sentry_dsn and not _is_dsn(config.sentry_dsn):
        faults.append("SENTRY_DSN must look like https://key@host/1")
    faults += [f"CORS_ALLOW_ORIGINS: {one} is no origin" for one in sorted(config.cors_origins) if not _is_origin(one)]
    if config.production:
        faults += _judge_production(config)
    return faults + _judge_mail(config)


def _is_bind(text: str) -> bool:
    if text.startswith("unix:"):
        return text.startswith("unix:/") and len(text) > len("unix:/")
    host, _, port = text.rpartition(":")
    return bool(host) and _is_address(f"http://{text}") and port.isascii() and port.isdigit()


def _is_dsn(text: str) -> bool:
    parts = urlsplit(text)
    return bool(parts.username) and parts.path.rpartition("/")[2].isdigit()


def _is_origin(text: str) -> bool:
    """Scheme, host and perhaps a port, as a browser sends it."""
    parts = urlsplit(text) if _is_address(text) else urlsplit("")
    return (
        parts.scheme in ("http", "https") and text == f"{parts.scheme}://{parts.netloc}".lower() and not parts.username
    )


def _judge_mail(config: Config) -> list[str]:
    faults = []
    local, _, domain = parseaddr(config.mail_from)[1].rpartition("@")
    if not (local and domain and config.mail_from.isprintable() and (local + domain).isascii()):
        faults.append("MAIL_FROM must be an address, such as Synkro <synkro@example.com>")
    if not config.mail_url:
        return faults
    parts = urlsplit(config.mail_url)
    options = parse_qsl(parts.query, keep_blank_values=True)
    if not parts.hostname:
        faults.append("MAIL_URL names no server")
    if options not in ([], [("starttls", "never")]):
        faults.append("MAIL_URL takes one option only: starttls=never")
    elif options and config.production:
        faults.append("MAIL_URL must not switch STARTTLS off in production")
    if config.production and config.mail_from == SAMPLE_SENDER:
        faults.append("MAIL_FROM must be the address that letters come from")
    return faults


def _judge_production(config: Config) -> list[str]:
    rules = (
        (config.sentry_dsn.startswith("http:"), "SENTRY_DSN must begin with https://"),
        (not config.database_url, "DATABASE_URL is empty: the embedded PostgreSQL is not for production"),
        (not config.redis_url, "REDIS_URL is empty: the embedded Valkey is not for production"),
        (bool(config.stand_ins), "AMOCRM_BASE_URL and its like point to emulators: not in production"),
        (bool(config.outbound_allow_hosts), "OUTBOUND_ALLOW_HOSTS opens private hosts: not in production"),
        (not config.base_url.startswith("https://"), "BASE_URL must be the https address that people open"),
    )
    return [text for broken, text in rules if broken]
