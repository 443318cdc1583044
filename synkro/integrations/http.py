"""The only door out. Nothing else in the product opens a connection to another host."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
from requests_hardened import Config as HardenedConfig
from requests_hardened import HTTPSession
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.exceptions import HTTPError

from synkro.integrations.errors import ApiError, Busy, Nonsense, Refused, Unreachable

USER_AGENT = "Synkro/1.0"
CONNECT_SECONDS = 10
LONGEST_WAIT_SECONDS = 15
"""A longer wait is not slept through: the caller gets Busy and gives its worker back."""
CHUNK = 65_536

Params = Sequence[tuple[str, str | int]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. headers: names in lower case. body: at most the size limit of the call."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    service: str = ""

    @property
    def is_json(self) -> bool:
        return "json" in self.headers.get("content-type", "")

    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            raise Nonsense("not_json", service=self.service) from None

    def json_or_none(self) -> Any:
        """The body as JSON, or None where it is HTML or broken. For judges: an error page is not an error in itself."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


Judge = Callable[[Answer], ApiError | None]


class Pacer(Protocol):
    """Shared by all workers: returns when one more request with this key may be made."""

    def wait(self, key: str, per_second: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """A limit of a vendor. key names what is counted: an account, an API key, an address."""

    key: str
    per_second: float


def key_name(secret: str) -> str:
    """A name for a key that does not give the key away."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Door:
    """What the outside may be reached with. replace: kind -> base URL that stands in for the vendor's own host."""

    pacer: Pacer
    replace: Mapping[str, str] = field(default_factory=dict)
    allow_hosts: frozenset[str] = frozenset()

    def open(
        self,
        kind: str,
        service: str,
        address: str,
        *,
        judge: Judge,
        headers: Mapping[str, str] | None = None,
        paces: Mapping[str, Pace] | None = None,
    ) -> Http:
        """address: base URL of the vendor; a stand-in listed under kind replaces its scheme, host and port.

        service: the name that people read in sentences about it. Raises Refused for an address that is not allowed.
        """
        if stand_in := self.replace.get(kind):
            address = stand_in.rstrip("/") + urlsplit(address).path
        _refuse_unsafe(address, self.allow_hosts)
        return Http(service, address.rstrip("/"), judge, dict(headers or {}), dict(paces or {}), self)


class Http:
    """A connection to one vendor with one key: paced, limited in time and size, never redirected."""

    def __init__(
        self, service: str, base: str, judge: Judge, headers: dict[str, str], paces: dict[str, Pace], door: Door
    ) -> None:
        self.service = service
        self._base = base
        self._judge = judge
        self._paces = paces
        self._pacer = door.pacer
        self._session = _session(base, door.allow_hosts)
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json", **headers})

    def get(self, path: str, params: Params = (), **options: Any) -> Answer:
        """A request that changes nothing: tried up to three times. options: as of send."""
        return self.send("GET", path, params=params, tries=options.pop("tries", 3), **options)

    def post(self, path: str, body: Any, params: Params = (), **options: Any) -> Answer:
        """A JSON request, made once unless the caller says that repeating it is safe (tries)."""
        return self.send("POST", path, params=params, body=body, **options)

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Params = (),
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        pace: Sequence[str] = ("default",),
        tries: int = 1,
        read_seconds: float = 30,
        deadline_seconds: float = 90,
        max_bytes: int = 32_000_000,
    ) -> Answer:
        """One call. pace: names of the limits it counts against. Raises ApiError kinds only."""
        ends = time.monotonic() + deadline_seconds
        for turn in range(1, tries + 1):
            try:
                return self._once(method, path, params, body, headers, pace, read_seconds, ends, max_bytes)
            except ApiError as error:
                pause = error.retry_after or random.uniform(0.5, 1) * 2 ** (turn - 1)  # noqa: S311 (jitter, not a secret)
                last = turn == tries or not error.passing or pause > LONGEST_WAIT_SECONDS
                if last or time.monotonic() + pause > ends:
                    raise
            time.sleep(pause)
        raise AssertionError("tries must be at least 1")

    def _once(
        self,
        method: str,
        path: str,
        params: Params,
        body: Any,
        headers: Mapping[str, str] | None,
        pace: Sequence[str],
        read_seconds: float,
        ends: float,
        max_bytes: int,
    ) -> Answer:
        for name in pace:
            if limit := self._paces.get(name):
                self._pacer.wait(limit.key, limit.per_second)
        try:
            with self._session.request(
                method,
                self._base + path,
                params=list(params),
                data=None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
                headers={**({"Content-Type": "application/json"} if body is not None else {}), **(headers or {})},
                timeout=(CONNECT_SECONDS, read_seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                answer = Answer(
                    response.status_code,
                    {name.lower(): value for name, value in response.headers.items()},
                    self._read(response, ends, max_bytes),
                    self.service,
                )
        except InvalidIPAddress:
            raise Refused("address_refused") from None
        except (requests.ConnectTimeout, requests.ReadTimeout):
            raise Unreachable("too_slow", service=self.service) from None
        except (requests.RequestException, HTTPError, OSError):
            # `from None`: the vendor library's message holds the URL, and with Telegram the URL holds the token
            raise Unreachable("unreachable", service=self.service) from None
        if error := self._judge(answer):
            raise error
        return answer

    def _read(self, response: requests.Response, ends: float, max_bytes: int) -> bytes:
        """The time-out of requests counts each read anew, so a slow drip needs its own clock."""
        body = bytearray()
        for chunk in response.iter_content(CHUNK):
            body += chunk
            if len(body) > max_bytes:
                raise Nonsense("too_large", service=self.service)
            if time.monotonic() > ends:
                raise Unreachable("too_slow", service=self.service)
        return bytes(body)

    def close(self) -> None:
        self._session.close()


def common_failure(answer: Answer) -> ApiError | None:
    """What every vendor's judge ends with: redirects, 5xx and anything else that is not a success."""
    if answer.status < 300:
        return None
    if answer.status == 429:
        return Busy("busy", service=answer.service)
    if answer.status >= 500 or answer.status in (408, 425):
        return Unreachable("server_error", service=answer.service)
    return Nonsense("unexpected_shape", service=answer.service)


class _PublicOnly(IPFilterAdapter):  # type: ignore[misc]  # the library ships no types
    """requests-hardened resolves once and pins the address; two old IPv6 forms pass its filter, so we look again."""

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> Any:
        host, pool = super().build_connection_pool_key_attributes(*args, **kwargs)
        pinned = ipaddress.ip_address(str(host["host"]).strip("[]"))
        if not pinned.is_global or getattr(pinned, "is_site_local", False) or _embeds_ipv4(pinned):
            raise InvalidIPAddress(pinned)
        return host, pool


def _embeds_ipv4(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.version == 6 and int(address) >> 32 == 0


def _session(base: str, allow_hosts: frozenset[str]) -> requests.Session:
    listed = _host_port(base) in allow_hosts
    session: requests.Session = HTTPSession(
        HardenedConfig(
            ip_filter_enable=not listed,
            ip_filter_allow_loopback_ips=False,
            never_redirect=True,
            default_timeout=(CONNECT_SECONDS, 30),
            user_agent_override=None,
        )
    )
    session.trust_env = False  # no proxies, and no .netrc that would add a second credential
    if not listed:
        session.mount("https://", _PublicOnly(is_https_proto=True))
    return session


def _host_port(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def _refuse_unsafe(url: str, allow_hosts: frozenset[str]) -> None:
    """A listed host:port may be anything; all others are https names on port 443, without user, query or IP literal."""
    try:
        parts, listed = urlsplit(url), _host_port(url) in allow_hosts
    except ValueError:
        raise Refused("address_refused") from None
    if listed and parts.scheme in ("http", "https"):
        return
    name = parts.hostname or ""
    if parts.scheme != "https" or parts.port not in (None, 443) or parts.username or not _is_name(name):
        raise Refused("address_refused")


def _is_name(host: str) -> bool:
    """A DNS name with a dot whose last part is letters: no IP in any of its spellings, no trailing dot."""
    last = host.rpartition(".")[2]
    return "." in host and last.isascii() and last.isalpha() and not host.endswith(".")
