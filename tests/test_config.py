from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import hexdigits
from typing import Any

import pytest
from dotenv import dotenv_values
from hypothesis import given, settings
from hypothesis import strategies as st

from config import SAMPLE, STAND_INS, ConfigError, _Reader, is_encryption_key, load
from tests.support.having import assert_has

ROOT = Path(__file__).resolve().parent.parent
KEYS = ("APP_SECRET_KEY", "AUDIT_KEY", "FIELD_ENCRYPTION_KEY")
SECRETS = {
    "APP_SECRET_KEY": "sssssssssssssssssssssssssssssssssss1",
    "APP_SECRET_KEYS_OLD": "ooooooooooooooooooooooooooooooooooo5",
    "AUDIT_KEY": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa2",
    "FIELD_ENCRYPTION_KEY": "e" * 63 + "3",
    "FIELD_ENCRYPTION_KEYS_OLD": "d" * 63 + "4",
    "DATABASE_URL": "postgresql://synkro_app:database-word@db/synkro",
    "DATABASE_OWNER_URL": "postgresql://synkro_owner:owner-word@db/synkro",
    "REDIS_URL": "redis://:redis-word@cache:6379/0",
    "MAIL_URL": "smtp://user:mail-word@mail:587",
    "SENTRY_DSN": "https://sentry-word@errors.example.kz/1",
}
PRODUCTION = {**SECRETS, "APP_ENV": "production", "BASE_URL": "https://cabinet.example.kz", "MAIL_FROM": "a@b.kz"}


class Recording(Mapping[str, str]):
    """Remembers which names were asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values_of = values
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self.values_of[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_of)

    def __len__(self) -> int:
        return len(self.values_of)


def faults(values: Mapping[str, str]) -> str:
    with pytest.raises(ConfigError) as caught:
        load(values)
    return "\n".join(caught.value.faults)


def test_production_with_everything_starts() -> None:
    assert load(PRODUCTION).production


def test_without_app_env_it_is_production() -> None:
    assert load({**PRODUCTION, "APP_ENV": ""}).production


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    told = faults(
        {
            "APP_ENV": "test",
            "VAR_DIR": str(tmp_path),
            "PROXY_HOPS": "many",
            "LOG_LEVEL": "LOUD",
            "DATABASE_URL": "mysql://x",
            "REDIS_URL": "http://x",
            "BASE_URL": "ftp://x",
            "LEASE_SECONDS": "0",
            "FIELD_ENCRYPTION_KEY": "short",
        }
    )
    for name in ("PROXY_HOPS", "LOG_LEVEL", "DATABASE_URL", "REDIS_URL", "BASE_URL", "LEASE_SECONDS", "ENCRYPTION_KEY"):
        assert name in told


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("value", ["", SAMPLE, f"{SAMPLE}-{'x' * 60}", "short"])
def test_production_refuses_a_missing_or_sample_key_in_one_line(name: str, value: str) -> None:
    assert faults({**PRODUCTION, name: value}) == f"{name} must be set to a long random value of your own"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"DATABASE_URL": ""}, "DATABASE_URL"),
        ({"REDIS_URL": ""}, "REDIS_URL"),
        ({"OUTBOUND_ALLOW_HOSTS": "10.0.0.1:80"}, "OUTBOUND_ALLOW_HOSTS"),
        ({"BASE_URL": "http://cabinet.example.kz"}, "BASE_URL"),
        ({"BASE_URL": ""}, "BASE_URL"),
        ({"RADIST_BASE_URL": "http://127.0.0.1:9"}, "emulators"),
        ({"AMOCRM_OAUTH_URL": "http://127.0.0.1:9"}, "emulators"),
        ({"MAIL_FROM": ""}, "MAIL_FROM"),
        ({"MAIL_URL": "smtp://mail.example.kz?starttls=never", "MAIL_FROM": "a@example.kz"}, "STARTTLS"),
        ({"MAIL_URL": "smtp://mail.example.kz?tls=1", "MAIL_FROM": "a@example.kz"}, "one option"),
        ({"MAIL_URL": "smtp://:25", "MAIL_FROM": "a@example.kz"}, "names no server"),
        ({"MAIL_FROM": "nobody"}, "MAIL_FROM"),
        ({"SENTRY_DSN": "http://key@sentry.example.kz/1"}, "https"),
        ({"SENTRY_DSN": "https://sentry.example.kz/1"}, "must look like"),
        ({"CORS_ALLOW_ORIGINS": "https://a.example.kz, *"}, "* is no origin"),
        ({"CORS_ALLOW_ORIGINS": "https://a.example.kz/"}, "no origin"),
    ],
)
def test_production_refuses(change: dict[str, str], word: str) -> None:
    assert word in faults({**PRODUCTION, **change})


@pytest.mark.parametrize("env", ["production", "development"])
def test_keys_must_differ(env: str, tmp_path: Path) -> None:
    same = {**PRODUCTION, "APP_ENV": env, "VAR_DIR": str(tmp_path), "AUDIT_KEY": SECRETS["APP_SECRET_KEY"]}
    assert "must differ" in faults(same)


def test_the_current_key_is_not_an_old_one() -> None:
    assert "also listed" in faults({**PRODUCTION, "FIELD_ENCRYPTION_KEYS_OLD": SECRETS["FIELD_ENCRYPTION_KEY"]})


def test_the_current_signing_key_is_not_an_old_one() -> None:
    assert "also listed" in faults({**PRODUCTION, "APP_SECRET_KEYS_OLD": SECRETS["APP_SECRET_KEY"]})


@pytest.mark.parametrize("old", ["short", SAMPLE, f"{'o' * 40},{'x' * 31}"])
def test_a_short_old_signing_key_is_refused(old: str) -> None:
    assert "APP_SECRET_KEYS_OLD: a key has 32" in faults({**PRODUCTION, "APP_SECRET_KEYS_OLD": old})


def test_old_signing_keys_stand_between_commas() -> None:
    old = ("o" * 40, "p" * 40)
    assert load({**PRODUCTION, "APP_SECRET_KEYS_OLD": ", ".join(old)}).secret_keys_old == old


def test_an_old_key_is_judged_like_the_current_one() -> None:
    assert "FIELD_ENCRYPTION_KEYS_OLD" in faults({**PRODUCTION, "FIELD_ENCRYPTION_KEYS_OLD": "ab, cd"})


def test_a_fault_does_not_show_the_value() -> None:
    told = faults({**PRODUCTION, "DATABASE_URL": "mysql://root:hunter2@db", "FIELD_ENCRYPTION_KEY": "hunter2" * 6})
    assert "hunter2" not in told


def test_the_repr_shows_no_secret() -> None:
    shown = repr(load(PRODUCTION))
    words = [*SECRETS.values(), "database-word", "owner-word", "redis-word", "mail-word"]
    assert not [word for word in words if word in shown]


def test_keys_are_made_once_and_kept_for_the_owner_only(tmp_path: Path) -> None:
    values = {"APP_ENV": "development", "VAR_DIR": str(tmp_path)}
    first, second = load(values), load(values)
    assert_has(first, secret_key=second.secret_key, audit_key=second.audit_key, encryption_key=second.encryption_key)
    kept = list((tmp_path / "keys").iterdir())
    assert {path.name for path in kept} == {name.lower() for name in KEYS}
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_in_production_no_key_is_made(tmp_path: Path) -> None:
    faults({**PRODUCTION, "APP_SECRET_KEY": "", "VAR_DIR": str(tmp_path)})
    assert not list(tmp_path.iterdir())


def test_an_empty_key_file_is_a_fault_and_not_an_empty_key(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "app_secret_key").touch()
    assert "APP_SECRET_KEY is empty" in faults({"APP_ENV": "test", "VAR_DIR": str(tmp_path)})


def test_a_folder_that_cannot_be_used_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be kept" in faults({"APP_ENV": "test", "VAR_DIR": str(tmp_path / "file")})


def test_processes_that_start_at_once_get_one_key(tmp_path: Path) -> None:
    code = "from config import load; c = load(); print(c.secret_key, c.audit_key, c.encryption_key)"
    env = {**os.environ, "APP_ENV": "development", "VAR_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    env = {name: value for name, value in env.items() if name not in KEYS}
    started = [
        subprocess.Popen([sys.executable, "-c", code], env=env, cwd=tmp_path, stdout=subprocess.PIPE) for _ in range(4)
    ]
    said = {process.communicate(timeout=300)[0] for process in started}
    assert [process.returncode for process in started] == [0, 0, 0, 0]
    assert len(said) == 1
    assert len(list((tmp_path / "keys").iterdir())) == len(KEYS)


def sample() -> dict[str, str]:
    return {name: value or "" for name, value in dotenv_values(ROOT / ".env.example").items()}


def test_the_sample_file_names_exactly_what_is_read(tmp_path: Path) -> None:
    values = Recording({"APP_ENV": "test", "VAR_DIR": str(tmp_path)})
    load(values)
    assert set(sample()) == values.asked


def test_the_sample_file_works_as_it_is_on_a_laptop(tmp_path: Path) -> None:
    assert is_encryption_key(load({**sample(), "VAR_DIR": str(tmp_path)}).encryption_key)


def test_the_sample_file_is_no_production(tmp_path: Path) -> None:
    told = faults({**sample(), "APP_ENV": "production", "VAR_DIR": str(tmp_path)})
    assert all(name in told for name in (*KEYS, "DATABASE_URL", "REDIS_URL", "BASE_URL"))


def test_the_sample_file_says_what_it_asks_for() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    bare = [line for above, line in zip(["", *lines], lines, strict=False) if line[:1].isalpha() and not above]
    assert [line.partition("=")[0] for line in bare] == ["AMOCRM_BASE_URL"]  # its section's title speaks for all five


def test_the_sample_file_holds_the_defaults(tmp_path: Path) -> None:
    values = {"APP_ENV": "development", "VAR_DIR": str(tmp_path)}
    assert load({**sample(), **values}) == load(values)


def test_every_stand_in_has_its_address(tmp_path: Path) -> None:
    names = ["AMOCRM_BASE_URL", "AMOCRM_OAUTH_URL", "RADIST_BASE_URL", "GEMINI_BASE_URL", "TELEGRAM_BASE_URL"]
    values = {name: f"http://127.0.0.1:{n}" for n, name in enumerate(names, 1)}
    config = load({"APP_ENV": "test", "VAR_DIR": str(tmp_path), **values})
    assert config.sandbox
    assert set(config.stand_ins) == set(STAND_INS)


@pytest.mark.parametrize(
    ("values", "bind"),
    [
        ({}, "127.0.0.1:8000"),
        ({"PORT": "9000"}, "127.0.0.1:9000"),
        ({"BIND": "0.0.0.0:80", "PORT": "9000"}, "0.0.0.0:80"),
        ({"BIND": "[::]:8000"}, "[::]:8000"),
        ({"BIND": "unix:/run/synkro/web.sock"}, "unix:/run/synkro/web.sock"),
    ],
)
def test_the_web_server_listens_where_it_is_told(values: dict[str, str], bind: str) -> None:
    assert load({**PRODUCTION, **values}).bind == bind


@pytest.mark.parametrize(
    "bind", ["8000", ":8000", "10.0.0.1", "0.0.0.0:many", "0.0.0.0:99999", "unix:web.sock", "unix:/"]
)
def test_a_place_where_nobody_can_listen_is_a_fault(bind: str) -> None:
    assert "BIND must be" in faults({**PRODUCTION, "BIND": bind})


@pytest.mark.parametrize("name", ["PORT", "WEB_WORKERS", "WEB_THREADS"])
@pytest.mark.parametrize("value", ["0", "70000", "many"])
def test_a_number_of_the_web_server_is_judged(name: str, value: str) -> None:
    assert f"{name} must be a whole number" in faults({**PRODUCTION, name: value})


def test_an_address_of_postgresql_gets_our_driver() -> None:
    config = load(PRODUCTION)
    assert config.database_url.startswith("postgresql+psycopg://")
    assert config.database_owner_url.startswith("postgresql+psycopg://")


def test_migrations_use_the_same_address_where_none_is_given() -> None:
    config = load({**PRODUCTION, "DATABASE_OWNER_URL": ""})
    assert config.database_owner_url == config.database_url


def read(value: str) -> _Reader:
    return _Reader({"X": value})


@settings(deadline=None)
@given(st.text() | st.from_regex(r"\A[0-9]{1,9}\Z") | st.integers().map(str) | st.just("9" * 5000))
def test_a_whole_number_is_in_range_or_a_fault(raw: str) -> None:
    reader = read(raw)
    number = reader.whole("X", 7, 1, 60)
    assert 1 <= number <= 60
    text = raw.strip()
    assert bool(reader.faults) == (
        bool(text) and not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= 60)
    )


@settings(deadline=None)
@given(st.text() | st.text().map("http://".__add__) | st.text(alphabet="ht:p/[]@%.:0 ", max_size=30))
def test_an_address_is_sound_or_a_fault(raw: str) -> None:
    reader = read(raw)
    given_back = reader.url("X", ("http", "https"))
    if given_back and not reader.faults:
        assert given_back.startswith(("http://", "https://"))


@pytest.mark.parametrize("raw", ["http:host", "http://", "http:///path", "http://[", "http://h:port", "//host"])
def test_a_broken_address_is_a_fault(raw: str) -> None:
    reader = read(raw)
    reader.url("X", ("http", "https"))
    assert reader.faults


@pytest.mark.parametrize("raw", ["unix:///run/valkey.sock?db=0", "redis://:p@h:6379/0", "rediss://h"])
def test_an_address_of_redis_is_taken(raw: str) -> None:
    reader = read(raw)
    assert reader.url("X", ("redis", "rediss", "unix")) == raw
    assert not reader.faults


def test_an_address_of_postgresql_on_a_socket_is_taken() -> None:
    reader = read("postgresql://synkro_app:@/synkro?host=/run/postgresql")
    reader.url("X", ("postgresql",))
    assert not reader.faults


@settings(deadline=None)
@given(st.text(alphabet=hexdigits, min_size=60, max_size=68) | st.text())
def test_an_encryption_key_is_usable_or_refused(text: Any) -> None:
    if is_encryption_key(text):
        assert len(bytes.fromhex(text)) == 32
