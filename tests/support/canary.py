"""Recognisable secrets and client data, planted in the practice world, and a search that finds them where they lie."""

from __future__ import annotations

import base64
import secrets
import string
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql
from redis import Redis

from synkro.analysis.figures.window import Window
from synkro.sandbox.amocrm.oauth import long_lived_token
from synkro.sandbox.keys import Keys
from synkro.sandbox.server import Sandbox, Server
from synkro.sandbox.world import Chat, Contact, Integration, RadistContact, World

Place = tuple[str, bytes]
"""Where something lies, for the reader of a failure, and what lies there."""


def letters(count: int) -> str:
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(count))


def digits(count: int) -> str:
    return "".join(secrets.choice(string.digits) for _ in range(count))


@dataclass(frozen=True)
class Client:
    """A client of the company, whom nobody else is called like."""

    name: str
    number: str
    email: str
    iin: str
    card: str
    text: str

    @property
    def phone(self) -> str:
        """As people type it."""
        n = self.number
        return f"+7 {n[:3]} {n[3:6]}-{n[6:8]}-{n[8:]}"

    @property
    def message(self) -> str:
        return (
            f"{self.text}: пишите {self.name} на {self.email}, звоните {self.phone} или 8{self.number}, "
            f"ИИН {self.iin}, карта {self.card}"
        )

    def needles(self) -> dict[str, str]:
        """text is left out: it may go to the AI, the rest may not."""
        return {
            "client's name": self.name,
            "client's number": self.number,
            "client's phone": self.phone[3:],
            "client's e-mail": self.email,
            "client's IIN": self.iin,
            "client's card": self.card,
        }


def new_client() -> Client:
    """The card passes the check of its last digit, as a true one does."""
    card = f"4{digits(14)}"
    last = next(d for d in string.digits if _luhn(card + d))
    return Client(
        name=f"Kanar{letters(9)}".title(),
        number=f"70{digits(8)}",
        email=f"kanar{letters(9)}@example.com",
        iin=f"91{digits(10)}",
        card=card + last,
        text=f"kanartext{letters(12)}",
    )


def _luhn(number: str) -> bool:
    doubled = (sum(divmod(int(one) * 2, 10)) for one in number[-2::-2])
    return (sum(int(one) for one in number[-1::-2]) + sum(doubled)) % 10 == 0


def with_new_keys(world: World) -> World:
    """Every key of the world is a new one of the vendor's form."""
    keys = Keys(
        supabase_publishable_key=f"sb_publishable_{secrets.token_urlsafe(16)}",
        supabase_secret_key=f"sb_secret_{secrets.token_urlsafe(24)}",
        gemini_key=f"AQ.{secrets.token_urlsafe(36)}",
        telegram_token=f"7{digits(9)}:{secrets.token_urlsafe(26)}",
    )
    integration = Integration(client_secret=secrets.token_urlsafe(48), client_id=secrets.token_hex(16))
    return replace(world, keys=keys, radist_key=secrets.token_urlsafe(32), integration=integration)


def keys_of(world: World) -> dict[str, dict[str, str]]:
    """Vendor -> its keys by name."""
    keys = world.keys
    return {
        "supabase": {"publishable key": keys.supabase_publishable_key, "secret key": keys.supabase_secret_key},
        "amocrm": {"token": long_lived_token(world), "client secret": world.integration.client_secret},
        "radist": {"key": world.radist_key},
        "gemini": {"key": keys.gemini_key},
        "telegram": {"token": keys.telegram_token},
    }


def with_client(world: World, client: Client, window: Window) -> World:
    """Somebody who wrote in this window becomes this client, in amoCRM and in Radist."""
    for person in world.radist_contacts:
        for contact in world.contacts:
            if _is_known_and_wrote(person, contact, window):
                changed = replace(contact, name=client.name, phones=(client.phone,), email=client.email)
                renamed = replace(
                    person, name=client.name, chats=tuple(_renamed(chat, client, window) for chat in person.chats)
                )
                contacts = [changed if one is contact else one for one in world.contacts]
                people = [renamed if one is person else one for one in world.radist_contacts]
                return replace(world, contacts=contacts, radist_contacts=people)
    raise LookupError("nobody wrote in this window")


def _is_known_and_wrote(person: RadistContact, contact: Contact, window: Window) -> bool:
    if person.is_group or len(contact.phones) != 1:
        return False
    number = "".join(one for one in contact.phones[0] if one.isdigit())[-10:]
    return any((chat.phone or "")[-10:] == number and _first_asked(chat, window) is not None for chat in person.chats)


def _first_asked(chat: Chat, window: Window) -> int | None:
    """The place of the first message of the client in the window."""
    asked = (
        place
        for place, message in enumerate(chat.messages)
        if message.direction == "inbound" and message.kind == "text" and window.contains(message.at)
    )
    return next(asked, None)


def _renamed(chat: Chat, client: Client, window: Window) -> Chat:
    place = _first_asked(chat, window)
    messages = [
        replace(message, text=client.message) if number == place else message
        for number, message in enumerate(chat.messages)
    ]
    phone = f"7{client.number}"
    return replace(chat, name=client.name, phone=phone, source_chat_id=f"{phone}@c.us", messages=messages)


@dataclass
class Recorder:
    """Between a stand-in and the network: keeps whole requests, heads and bodies."""

    app: Callable[..., Any]
    seen: list[bytes]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        if not environ["PATH_INFO"].startswith("/__"):
            head = {name: value for name, value in environ.items() if name.startswith(("HTTP_", "PATH", "QUERY"))}
            self.seen.append(repr(head).encode() + environ["wsgi.input"].getvalue())
        return self.app(environ, start_response)


def record(sandbox: Sandbox) -> dict[str, list[bytes]]:
    """Vendor -> the requests that it gets from now on."""
    seen: dict[str, list[bytes]] = {}
    for vendor in sandbox.urls:
        server: Server = getattr(sandbox, vendor)
        server._http.app = Recorder(server._http.app, seen.setdefault(vendor, []))
    return seen


def spellings(value: str) -> set[bytes]:
    """The value as it would lie in JSON, in an address, in base64 at any offset and as hexadecimal digits."""
    raw = value.encode()
    inner = {base64.b64encode(b"\0" * shift + raw)[4:-4] for shift in range(3)}
    return {raw, quote(value, safe="").encode(), raw.hex().encode(), *inner}


def search(needles: Mapping[str, str], places: Iterable[Place]) -> list[str]:
    """What was found where. Compressed values are looked into as well."""
    wanted = {name: spellings(value) for name, value in needles.items()}
    return [
        f"{name} in {place}"
        for place, data in places
        for layer in layers(data)
        for name, forms in wanted.items()
        if any(form in layer for form in forms)
    ]


def layers(data: bytes) -> Iterator[bytes]:
    """The data, and what a compressed stream in its first bytes holds: rq packs its jobs, we pack pages."""
    yield data
    for start in range(min(len(data) - 2, 64)):
        if data[start] == 0x78:
            try:
                yield zlib.decompressobj().decompress(data[start:])
            except zlib.error:
                continue


def in_redis(store: Redis) -> Iterator[Place]:
    """Every key with its value, of any type."""
    readers: dict[bytes, Callable[[bytes], Any]] = {
        b"string": store.get,
        b"hash": store.hgetall,
        b"list": lambda key: store.lrange(key, 0, -1),
        b"set": store.smembers,
        b"zset": lambda key: store.zrange(key, 0, -1),
        b"stream": store.xrange,
    }
    for key in store.scan_iter():
        for part in _flat(readers[store.type(key)](key)):
            yield f"redis {key.decode()}", key + b" " + part
            yield f"redis {key.decode()}", part


def _flat(value: Any) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, Mapping):
        yield from _flat([*value.keys(), *value.values()])
    elif isinstance(value, (list, tuple, set)):
        for one in value:
            yield from _flat(one)


def in_database(superuser_url: str) -> Iterator[Place]:
    """Every row of every table as text, and every column of bytes as it is."""
    columns = "select table_name, column_name, data_type from information_schema.columns where table_schema = 'public'"
    with psycopg.connect(superuser_url, dbname="synkro") as connection:
        found = connection.execute(columns).fetchall()
        for table in sorted({row[0] for row in found}):
            rows = connection.execute(sql.SQL("select t::text from {} t").format(sql.Identifier(table)))
            yield from ((f"table {table}", row[0].encode()) for row in rows)
        for table, column, kind in found:
            if kind == "bytea":
                query = sql.SQL("select {} from {}").format(sql.Identifier(column), sql.Identifier(table))
                for (value,) in connection.execute(query):
                    yield f"column {table}.{column}", bytes(value or b"")


def in_files(needles: Mapping[str, str], folder: Path, superuser_url: str) -> list[str]:
    """All files below the folder, the engines' own data and journals included; the folder of keys is theirs."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("checkpoint")
    files = (path for path in folder.rglob("*") if path.is_file() and path.parent.name != "keys")
    found = []
    for path in files:
        with suppress(FileNotFoundError):  # the engines put files away as they like
            data = path.read_bytes()
            found += [f"{name} in {path}" for name, value in needles.items() if value.encode() in data]
    return found
