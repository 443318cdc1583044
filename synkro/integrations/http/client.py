"""Calls to vendors: paced, limited in time and size, never redirected. Nothing else opens a connection to a host."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from synkro.integrations.errors import ApiError, Busy, Lost, Nonsense, Refused, Unreachable
from synkro.integrations.http.addresses import CONNECT_SECONDS, refuse_unsafe, session_for
from synkro.integrations.http.calls import AnswerCheck, Breaker, HttpAnswer, Pace, Pacer, Params, failure_of, key_name

USER_AGENT = "Synkro/1.0"
LONGEST_WAIT_SECONDS = 15
"""A longer wait is not slept through: the caller gets Busy and gives its worker back."""
CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class HttpClient:
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
        check_answer: AnswerCheck,
        headers: Mapping[str, str] | None = None,
        paces: Mapping[str, Pace] | None = None,
        methods: Sequence[str] = ("GET", "POST"),
    ) -> HttpConnection:
        """address: base URL of the vendor; a stand-in listed under kind replaces its scheme, host and port.

        service: the name that people read in sentences about it. methods: no other is ever sent. Raises Refused for an
        address that is not allowed, and for a header that HTTP cannot carry: the library's error would repeat the key.
        """
        if not all(value.isascii() and value.isprintable() for value in (headers or {}).values()):
            raise Refused("key_malformed", service=service)
        if stand_in := self.replace.get(kind):
            address = stand_in.rstrip("/") + urlsplit(address).path
        refuse_unsafe(address, self.allow_hosts, self.approved)
        return HttpConnection(
            service, address.rstrip("/"), check_answer, dict(headers or {}), dict(paces or {}), methods, self
        )


class HttpConnection:
    """A connection to one vendor with one key: paced, limited in time and size, never redirected."""

    def __init__(
        self,
        service: str,
        base: str,
        check_answer: AnswerCheck,
        headers: dict[str, str],
        paces: dict[str, Pace],
        methods: Sequence[str],
        http_client: HttpClient,
    ) -> None:
        self.service = service
        self._methods = methods
        self._base = base
        self._check_answer = check_answer
        self._paces = paces
        self._pacer = http_client.pacer
        self._breaker = http_client.breaker
        # what one tenant's key meets is no other tenant's trouble
        self._fuse = key_name(f"{base}|{sorted(headers.items())}")
        self._session = session_for(base, http_client.allow_hosts)
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json", **headers})

    def get(self, path: str, params: Params = (), **options: Any) -> HttpAnswer:
        """A request that changes nothing: tried up to three times. options: as of send."""
        return self.send("GET", path, params=params, tries=options.pop("tries", 3), **options)

    def post(self, path: str, body: Any, params: Params = (), **options: Any) -> HttpAnswer:
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
    ) -> HttpAnswer:
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
    ) -> HttpAnswer:
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
                answer = HttpAnswer(
                    response.status_code,
                    {name.lower(): value for name, value in response.headers.items()},
                    self._read(response, ends, max_bytes),
                    self.service,
                )
        except (requests.RequestException, HTTPError, OSError, UnicodeError) as error:
            failure: ApiError | None = failure_of(error, self.service)
        else:
            failure = self._check_answer(answer)
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


def _encode(body: Any) -> bytes:
    """Half a surrogate pair, which only a cut text can hold, becomes `?`: UTF-8 cannot carry it."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _timeouts(read_seconds: float, ends: float) -> tuple[float, float]:
    """For connecting and for each read: neither may outlast what is left of the call."""
    left = max(ends - time.monotonic(), 0.1)
    return min(CONNECT_SECONDS, left), min(read_seconds, left)
