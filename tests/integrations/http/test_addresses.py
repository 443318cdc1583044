"""The door out: the addresses that it refuses before anything is sent."""

from __future__ import annotations

import socket

import pytest

from synkro.integrations.errors import ApiError, Lost, Refused, Unreachable
from synkro.integrations.http.calls import HttpAnswer, common_failure
from synkro.integrations.http.client import HttpClient
from tests.support.emulators import Counted, Sockets, resolving_to

HOSTILE = (
    "http://127.0.0.1/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://0.0.0.0/",
    "https://localhost/",
    "https://localhost./",
    "https://127.0.0.1./",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::7f00:1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[fe80::1]/",
    "https://[fec0::1]/",
    "https://[fd00::1]/",
    "https://[2002:7f00:1::]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://10.0.0.1/",
    "https://100.64.0.1/",
    "https://192.168.1.1/",
    "https://192.0.0.192/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://8.8.8.8/",
    "http://vendor.example.com/",
    "ftp://vendor.example.com/",
    "file:///etc/passwd",
    "gopher://vendor.example.com/",
    "https://vendor.example.com:22/",
    "https://vendor.example.com:6379/",
    "https://vendor.example.com:99999/",
    "https://vendor.example.com:port/",
    "https://user:pw@127.0.0.1/",
    "https://user@vendor.example.com/",
    "https://:pw@vendor.example.com/",
    "https://vendor.example.com@127.0.0.1/",
    "https://127.0.0.1\\.example.com/",
    "https://127.0.0.1%2f.example.com/",
    "https://vendor.example.com./",
    "https://vendor.example.com?.example.com/",
    "https://vendor.example.com#.example.com/",
    "https://vendor_\u0430.example.com/",
    "https://vendor..com/",
    "https://.com/",
    "https:///path",
    "//vendor.example.com/",
    "vendor.example.com",
    "",
)


def check_answer(answer: HttpAnswer) -> ApiError | None:
    return Refused("no") if answer.status == 401 else common_failure(answer)


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_address_is_refused_before_any_socket_opens(url: str, sockets: Sockets) -> None:
    with pytest.raises(Refused, match="address_refused"):
        HttpClient(Counted()).open("vendor", "Vendor", url, check_answer=check_answer)
    assert sockets == []


PRIVATE = (
    "127.0.0.1",
    "0.0.0.0",  # noqa: S104 (an address to refuse)
    "10.1.2.3",
    "172.16.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.192",
    "224.0.0.1",
    "240.0.0.1",
    "::1",
    "::",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "fec0::1",
    "fe80::1",
    "fd00::1",
    "ff02::1",
    "2002:7f00:1::",
)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_resolves_to_a_private_address_is_refused(
    address: str, sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving_to(address))
    http = HttpClient(Counted()).open("vendor", "Vendor", "https://rebind.example.com", check_answer=check_answer)
    with pytest.raises(Refused, match="address_refused"):
        http.get("/")
    assert sockets == []


def test_the_address_that_was_checked_is_the_one_connected_to(
    sockets: Sockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", resolving_to("93.184.215.14"))
    http = HttpClient(Counted()).open("vendor", "Vendor", "https://vendor.example.com", check_answer=check_answer)
    with pytest.raises(Unreachable):
        http.get("/", tries=1)
    assert sockets == [("93.184.215.14", 443)]


def test_an_unknown_name_is_unreachable_and_was_surely_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_more: object) -> None:
        raise socket.gaierror(8, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    http = HttpClient(Counted()).open("vendor", "Vendor", "https://vendor.example.com", check_answer=check_answer)
    with pytest.raises(Unreachable) as raised:
        http.get("/", tries=1)
    assert not isinstance(raised.value, Lost)
