"""The walk of the canaries through the product: settings, checks, runs, pages, commands, with and without faults."""

from __future__ import annotations

import json
import logging
import traceback
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import requests
from flask.testing import FlaskClient

from synkro import embedded
from synkro.extensions import redis, settings
from synkro.integrations import INTEGRATIONS
from synkro.integrations.errors import ApiError
from synkro.models import User
from synkro.sandbox.world import World
from synkro.services.connections import checks, integrations
from synkro.services.connections.secrets import open_secrets
from synkro.services.reports import reports, runs
from synkro.tenancy import tenant_scope
from tests.support import canary
from tests.support.canary import Client, Place
from tests.support.practice import Practice
from tests.support.web_client import Browser

VENDORS = {"supabase": "supabase", "amocrm": "amocrm", "radist": "radist", "ai": "gemini", "telegram": "telegram"}
"""Kind of connection -> stand-in."""
FAULTS = ("500", "502_html", "429", "drop", "drop_after", "broken_json", "html", "empty")
KNOBS = {"amocrm": {"rps": 0, "account_rps": 0}, "radist": {"strict_rate": False}}
NOWHERE = "http://127.0.0.1:9"


class Ears(logging.Handler):
    """Every record as its author wrote it, before anything is blacked out."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.heard: list[Place] = []

    def emit(self, record: logging.LogRecord) -> None:
        trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        text = f"{record.getMessage()} {getattr(record, 'fields', '')} {trace}"
        self.heard.append((f"log {record.name}", text.encode()))


@dataclass
class Walk:
    """found: place -> secrets in it; personal: place -> what a client said or is called; count: how much was seen."""

    world: World
    client: Client
    password: str
    wrong_password: str
    found: dict[str, list[str]] = field(default_factory=dict)
    personal: dict[str, list[str]] = field(default_factory=dict)
    count: dict[str, int] = field(default_factory=dict)
    vendors: dict[str, list[bytes]] = field(default_factory=dict)
    outcomes: list[str] = field(default_factory=list)
    colours: set[str] = field(default_factory=set)

    def secrets(self) -> dict[str, str]:
        keys = canary.keys_of(self.world)
        config = settings()
        return {
            **{f"{vendor}'s {name}": key for vendor, own in keys.items() for name, key in own.items()},
            "password": self.password,
            "wrong password": self.wrong_password,
            "session key": config.secret_key,
            "sealing key": config.encryption_key,
            "audit key": config.audit_key,
        }

    def private(self) -> dict[str, str]:
        return {**self.client.needles(), "client's words": self.client.text}

    def look(self, where: str, places: list[Place], *, own_people: bool = False) -> None:
        """own_people: the company's own may read what its clients wrote; a secret nobody."""
        self.count[where] = self.count.get(where, 0) + len(places)
        self.found.setdefault(where, []).extend(canary.search(self.secrets(), places))
        needles = {} if own_people else self.private()
        self.personal.setdefault(where, []).extend(canary.search(needles, places))


class Walker:
    def __init__(self, practice: Practice, walk: Walk, engines: embedded.Engines) -> None:
        self.practice, self.walk, self.engines = practice, walk, engines
        self.app, self.slug = practice.app, practice.tenant.slug

    def commands(self) -> None:
        """Settings and people by the command line, as they should be and wrong."""
        keys = canary.keys_of(self.walk.world)
        typed = json.dumps({"token": keys["amocrm"]["token"], "client_secret": keys["amocrm"]["client secret"]})
        self.command("integrations", "set", self.slug, "amocrm", given=typed)
        self.command("integrations", "set", self.slug, "amocrm", given=typed[:-1])
        self.command("integrations", "set", self.slug, "radist", given=json.dumps({"no": keys["radist"]["key"]}))
        self.command("integrations", "set", self.slug, "telegram", given=json.dumps([keys["telegram"]["token"]]))
        person = ("users", "create", "canary@example.com", "--role", "user", "--tenant", self.slug, "--password-stdin")
        self.command(*person, given=self.walk.password)
        self.command(*person, given=self.walk.password)
        self.command(
            "users", "create", "no", "--role", "admin_lite", "--password-stdin", given=self.walk.wrong_password
        )
        for words in (("keys", "check"), ("supabase-sql",), ("engines", "status"), ("tick",)):
            self.command(*words)

    def command(self, *words: str, given: str = "") -> str:
        """Both streams and the exception are looked through."""
        done = self.app.test_cli_runner().invoke(args=list(words), input=given)
        trace = told(done.exception) if done.exception else ""
        place = (" ".join(words), (done.stdout + done.stderr + trace).encode())
        self.walk.look("command line", [place], own_people=words[:2] == ("reports", "show"))
        return str(done.stdout)

    def checks(self) -> None:
        """Each connection green, then with every fault its vendor can have, and with broken values."""
        with tenant_scope(self.practice.tenant.id):
            for kind, vendor in VENDORS.items():
                self.check(kind)
                for fault in FAULTS:
                    self.practice.control(vendor, fault=fault, times=-1)
                    self.check(kind)
                    self.calm(vendor)
                self.broken(kind)

    def check(self, kind: str) -> None:
        self.walk.colours.add(f"{kind} {checks.run(kind).colour}")
        try:
            client = integrations.build(kind)
            self.walk.look("exceptions", [(kind, f"{client!r} {client.http!r} {client.check()!r}".encode())])
        except ApiError as error:
            self.walk.look("exceptions", [(kind, told(error).encode())])

    def broken(self, kind: str) -> None:
        """The company's own values with one thing wrong: nobody at the address, or a key that HTTP cannot carry."""
        config = integrations.find(kind)
        assert config is not None
        values = {**config.settings, **open_secrets(config)}
        cls, http_client = INTEGRATIONS[kind], integrations.http_client(kind)
        closed = replace(
            http_client, replace=dict.fromkeys(http_client.replace, NOWHERE), allow_hosts=frozenset({"127.0.0.1:9"})
        )
        tries = [({**values, "url": NOWHERE}, closed)]
        for name in cls.secret_names() & set(values):
            tries += [({**values, name: f"{values[name]}{tail}"}, http_client) for tail in ("\nx", "ключ", "x")]
        for given, through in tries:
            try:
                cls(given, through).check()
            except ApiError as error:
                self.walk.look("exceptions", [(kind, told(error).encode())])

    def calm(self, vendor: str) -> None:
        """Take the faults back, keep the knobs of the practice, and let no service rest from what it went through."""
        for key in (*redis().scan_iter("synkro:resting:*"), *redis().scan_iter("synkro:failures:*")):
            redis().delete(key)
        requests.delete(f"{self.practice.urls[vendor]}/__control", timeout=60).raise_for_status()
        self.practice.control(vendor, set=KNOBS.get(vendor, {}))

    def runs(self) -> None:
        """One that does not get on at each vendor, one that fails, then a whole one."""
        for vendor in VENDORS.values():
            self.practice.control(vendor, fault="html", times=-1)
            run_id = self.run()
            self.calm(vendor)
            self.command("runs", "cancel", run_id)
        self.practice.control("amocrm", set={"revoked": True})
        self.walk.outcomes.append(self.state(self.run()))
        self.calm("amocrm")
        run_id = self.run()
        self.walk.outcomes.append(self.state(run_id))
        self.command("runs", "show", run_id, "--json")
        self.command("reports", "show", str(reports.id_for(uuid.UUID(run_id))), "--json")

    def run(self) -> str:
        """Its id. The queues are looked into while a job lies in each."""
        window = self.practice.yesterday
        words = ("reports", "run", self.slug, "--from", window.start.isoformat(), "--to", window.end.isoformat())
        run_id = str(json.loads(self.command(*words, "--json"))["id"])
        with tenant_scope(self.practice.tenant.id):
            checks.request("radist")
        self.central()
        self.practice.drain()
        self.central()
        return run_id

    def state(self, run_id: str) -> str:
        return str(self.practice.state(uuid.UUID(run_id))[0].status)

    def pages(self, cast: dict[str, User], sign_in: Callable[..., FlaskClient]) -> None:
        """Every page as everybody sees it, for people and for programs."""
        for password in (self.walk.wrong_password, self.walk.password):
            answer = Browser(self.app).send("/login", email="canary@example.com", password=password)
            self.walk.outcomes.append(str(answer.status_code))
            self.walk.look("pages", [("/login", whole(answer))])
        for name in ("nobody", *cast):
            browser = Browser(self.app)
            if name != "nobody":
                sign_in(browser, cast[name])
            for path in self.paths():
                for accept in ("text/html", "application/json"):
                    answer = browser.get(path, headers={"Accept": accept})
                    place = (f"{path} for {name}", whole(answer))
                    self.walk.look("pages", [place], own_people=name in ("user", "settings"))
                    self.walk.outcomes.append(str(answer.status_code))

    def paths(self) -> Iterator[str]:
        """Every address that can be opened, with the ids of the company that has something to show."""
        with tenant_scope(self.practice.tenant.id):
            latest = runs.latest()
        assert latest is not None
        known: dict[str, Any] = {
            "run_id": latest.id,
            "report_id": reports.id_for(latest.id),
            "tenant_id": self.practice.tenant.id,
            "slug": self.slug,
            "which": "prompt",
            "filename": "favicon.svg",
        }
        with self.app.test_request_context():
            for rule in self.app.url_map.iter_rules():
                for kind in VENDORS if "kind" in rule.arguments else ("",):
                    if "GET" in (rule.methods or ()):
                        values = {one: known.get(one, kind or uuid.uuid4()) for one in rule.arguments}
                        yield self.app.url_for(rule.endpoint, **values)

    def central(self) -> None:
        self.walk.look("database", list(canary.in_database(self.engines.superuser_url)))
        self.walk.look("redis", list(canary.in_redis(redis())))

    def files(self, folder: Path) -> None:
        """What lies on the disk, the journals of the engines included: what was ever written, not only what is left."""
        address = self.engines.superuser_url
        self.walk.found["files"] = canary.in_files(self.walk.secrets(), folder, address)
        self.walk.personal["files"] = canary.in_files(self.walk.private(), folder, address)
        self.walk.count["files"] = sum(1 for _ in folder.rglob("*"))


def told(error: BaseException | None) -> str:
    """All that an exception can tell whoever prints it, with those that hang on it."""
    if error is None:
        return ""
    own = "".join(traceback.format_exception(error)) + f"{error!r} {error.args!r} {vars(error)!r}"
    return own + told(error.__cause__) + told(error.__context__)


def whole(answer: Any) -> bytes:
    with answer:
        return f"{answer.status} {answer.headers}".encode() + bytes(answer.get_data())
