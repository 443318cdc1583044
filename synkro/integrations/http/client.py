"""The only door out. Nothing else in the product opens a connection to another host."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from socket import gaierror
from typing import Any, Protocol
from urllib.parse import urlsplit

import requests
from requests_hardened import Config as HardenedConfig
from requests_hardened import HTTPSession
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.exceptions import HTTPError, NewConnectionError, ReadTimeoutError

from synkro.integrations.errors import ApiError, Busy, Lost, Nonsense, Refused, Unreachable

USER_AGENT = "Synkro/1.0"
CONNECT_SECONDS = 10
LONGEST_WAIT_SECONDS = 15
"""A longer wait is not slept through: the caller gets Busy and gives its worker back."""
CHUNK = 65_536
NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
"""A DNS name whose last part is letters: no IP in any of its spellings, no trailing dot, no letters that look alike."""

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
        except (ValueError, RecursionError):
            raise Nonsense("not_json", service=self.service) from None

    def json_or_none(self) -> Any:
        """The body as JSON, or None where it is HTML or broken. For judges: an error page is not an error in itself."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


Judge = Callable[[Answer], ApiError | None]


class Pacer(Protocol):
    """Shared by all workers, as the limits are that it keeps."""

    def wait(self, key: str, per_second: float) -> None:
        """Returns when one more request with this key may be made. Raises Busy where that is not soon."""

    def pause(self, key: str, seconds: float, code: str) -> None:
        """No request with this key for so long; code: what those who want to make one are told."""


class Breaker(Protocol):
    """Shared by all workers: leaves a service alone that fails again and again."""

    def admit(self, key: str, service: str) -> bool:
        """Whether failures are being counted. Raises Busy while the service is left alone."""

    def failed(self, key: str) -> None:
        """A request got no answer."""

    def worked(self, key: str) -> None:
        """A request got its answer: the count begins anew."""


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
    approved: frozenset[str] = frozenset()
    """host:port of this tenant's own servers that staff have agreed to. Public addresses only, unlike allow_hosts."""
    breaker: Breaker | None = None

    def open(
        self,
        kind: str,
        service: str,
        address: str,
        *,
        judge: Judge,
        headers: Mapping[str, str] | None = None,
        paces: Mapping[str, Pace] | None = None,
        methods: Sequence[str] = ("GET", "POST"),
    ) -> Http:
        """address: base URL of the vendor; a stand-in listed under kind replaces its scheme, host and port.

        service: the name that people read in sentences about it. methods: no other is ever sent. Raises Refused for an
        address that is not allowed, and for a header that HTTP cannot carry: the library's error would repeat the key.
        """
        if not all(value.isascii() and value.isprintable() for value in (headers or {}).values()):
            raise Refused("key_malformed", service=service)
        if stand_in := self.replace.get(kind):
            address = stand_in.rstrip("/") + urlsplit(address).path
        _refuse_unsafe(address, self.allow_hosts, self.approved)
        return Http(service, address.rstrip("/"), judge, dict(headers or {}), dict(paces or {}), methods, self)


class Http:
    """A connection to one vendor with one key: paced, limited in time and size, never redirected."""

    def __init__(
        self,
        service: str,
        base: str,
        judge: Judge,
        headers: dict[str, str],
        paces: dict[str, Pace],
        methods: Sequence[str],
        door: Door,
    ) -> None:
        self.service = service
        self._methods = methods
        self._base = base
        self._judge = judge
        self._paces = paces
        self._pacer = door.pacer
        self._breaker = door.breaker
        # what one tenant's key meets is no other tenant's trouble
        self._fuse = key_name(f"{base}|{sorted(headers.items())}")
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
        final: type[ApiError] | tuple[type[ApiError], ...] = (),
        read_seconds: float = 30,
        deadline_seconds: float = 90,
        max_bytes: int = 32_000_000,
    ) -> Answer:
        """One call. pace: names of the limits it counts against. final: kinds after which it is not repeated.

        Raises ApiError kinds only.
        """
        if method not in self._methods:
            raise ValueError(f"{self.service} is asked with {' and '.join(self._methods)} only")
        ends = time.monotonic() + deadline_seconds
        for turn in range(1, tries + 1):
            try:
                return self._once(method, path, params, body, headers, pace, read_seconds, ends, max_bytes)
            except ApiError as error:
                pause = error.retry_after or random.uniform(0.5, 1) * 2 ** (turn - 1)  # noqa: S311 (jitter, not a secret)
                last = turn >= min(tries, error.most_tries or tries) or not error.passing or isinstance(error, final)
                if last or pause > LONGEST_WAIT_SECONDS or time.monotonic() + pause > ends:
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
        self._take_turns(pace)
        troubled = self._breaker.admit(self._fuse, self.service) if self._breaker else False
        try:
            with self._session.request(
                method,
                self._base + path,
                params=list(params),
                data=None if body is None else _encode(body),
                headers={**({"Content-Type": "application/json"} if body is not None else {}), **(headers or {})},
                timeout=_timeouts(read_seconds, ends),
                allow_redirects=False,
                stream=True,
            ) as response:
                answer = Answer(
                    response.status_code,
                    {name.lower(): value for name, value in response.headers.items()},
                    self._read(response, ends, max_bytes),
                    self.service,
                )
        except (requests.RequestException, HTTPError, OSError, UnicodeError) as error:
            failure: ApiError | None = _failure(error, self.service)
        else:
            failure = self._judge(answer)
        # Raised out here and not where it was caught: the library's error holds the URL, with Telegram the token in it,
        # and Python would hang it on ours.
        self._count(failure, troubled)
        if failure:
            self._rest(pace, failure)
            raise failure
        return answer

    def _count(self, failure: ApiError | None, troubled: bool) -> None:
        """A refusal is an answer: the service is there. Only what gets none trips the breaker."""
        if self._breaker is None:
            return
        if isinstance(failure, Unreachable):
            self._breaker.failed(self._fuse)
        elif troubled:
            self._breaker.worked(self._fuse)

    def _take_turns(self, pace: Sequence[str]) -> None:
        for limit in self._limits(pace):
            try:
                self._pacer.wait(limit.key, limit.per_second)
            except Busy as error:
                error.params.setdefault("service", self.service)
                raise

    def _rest(self, pace: Sequence[str], failure: ApiError) -> None:
        """Nobody asks again before the time is over, whichever worker it is: going on earns a longer block.

        Too many requests are too many for every limit they count against; any other failure is about the first one
        named, the narrowest: another client that shares the wider ones has no part in it.
        """
        limits = self._limits(pace)
        for limit in limits if isinstance(failure, Busy) else limits[:1]:
            if failure.retry_after:
                self._pacer.pause(limit.key, failure.retry_after, failure.code)

    def _limits(self, pace: Sequence[str]) -> list[Pace]:
        return [limit for name in pace if (limit := self._paces.get(name))]

    def _read(self, response: requests.Response, ends: float, max_bytes: int) -> bytes:
        """The time-out of requests counts each read anew, so a slow drip needs its own clock."""
        body = bytearray()
        while chunk := response.raw.read1(CHUNK, decode_content=True):  # read() would wait until a chunk is full
            body += chunk
            if len(body) > max_bytes:
                raise Nonsense("too_large", service=self.service)
            if time.monotonic() > ends:
                raise Lost("too_slow", service=self.service)
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


def _encode(body: Any) -> bytes:
    """Half a surrogate pair, which only a cut text can hold, becomes `?`: UTF-8 cannot carry it."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _timeouts(read_seconds: float, ends: float) -> tuple[float, float]:
    """For connecting and for each read: neither may outlast what is left of the call."""
    left = max(ends - time.monotonic(), 0.1)
    return min(CONNECT_SECONDS, left), min(read_seconds, left)


def _failure(error: Exception, service: str) -> ApiError:
    """Our word for an error of the library."""
    match error:
        case InvalidIPAddress():
            return Refused("address_refused")
        case UnicodeError():
            return Refused("key_malformed", service=service)
        case requests.ConnectTimeout():
            return Unreachable("too_slow", service=service)
        case requests.ReadTimeout() | ReadTimeoutError():
            return Lost("too_slow", service=service)
    kind = Unreachable if _never_sent(error) else Lost
    return kind("unreachable", service=service)


def _never_sent(error: Exception) -> bool:
    """True where no connection came about: the name is unknown or the port closed. All else may have arrived."""
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError) or isinstance(error.__cause__, gaierror)


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
    listed = host_port(base) in allow_hosts
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


def host_port(url: str) -> str:
    """`host:port` as the list of allowed hosts spells it. Raises ValueError for a port that is no number."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"


def _refuse_unsafe(url: str, allow_hosts: frozenset[str], approved: frozenset[str]) -> None:
    """A listed host:port may be anything; all others are https names without user, query or IP literal, on port 443.

    Another port is open only where staff have agreed to exactly this host:port.
    """
    try:
        parts, host = urlsplit(url), host_port(url)
    except ValueError:
        raise Refused("address_refused") from None
    if host in allow_hosts and parts.scheme in ("http", "https"):
        return
    extra = "@" in parts.netloc or parts.query or parts.fragment
    odd_port = parts.port not in (None, 443) and host not in approved
    if parts.scheme != "https" or odd_port or extra or not NAME.fullmatch(parts.hostname or ""):
        raise Refused("address_refused")
