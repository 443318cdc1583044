"""What a call to a vendor is made of: its answer, its limits, and what is to be made of a failure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from socket import gaierror
from typing import Any, Protocol

import requests
from requests_hardened.ip_filter import InvalidIPAddress
from urllib3.exceptions import NewConnectionError, ReadTimeoutError

from synkro.integrations.errors import ApiError, Busy, Lost, Nonsense, Refused, Unreachable

Params = Sequence[tuple[str, str | int]]


@dataclass(frozen=True, slots=True)
class HttpAnswer:
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
        """The body as JSON, or None where it is HTML or broken: an error page is not an error in itself."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


AnswerCheck = Callable[[HttpAnswer], ApiError | None]


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


def common_failure(answer: HttpAnswer) -> ApiError | None:
    """What the check of every vendor ends with: redirects, 5xx and anything else that is not a success."""
    if answer.status < 300:
        return None
    if answer.status == 429:
        return Busy("busy", service=answer.service)
    if answer.status >= 500 or answer.status in (408, 425):
        return Unreachable("server_error", service=answer.service)
    return Nonsense("unexpected_shape", service=answer.service)


def failure_of(error: Exception, service: str) -> ApiError:
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
