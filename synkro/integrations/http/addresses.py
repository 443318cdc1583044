"""Which addresses may be called, and a session that reaches no other."""

from __future__ import annotations

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

import requests
from requests_hardened import Config as HardenedConfig
from requests_hardened import HTTPSession
from requests_hardened.ip_filter import InvalidIPAddress
from requests_hardened.ip_filter_adapter import IPFilterAdapter

from synkro.integrations.errors import Refused

CONNECT_SECONDS = 10
NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
"""A DNS name whose last part is letters: no IP in any of its spellings, no trailing dot, no letters that look alike."""


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


def session_for(base: str, allow_hosts: frozenset[str]) -> requests.Session:
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


def refuse_unsafe(url: str, allow_hosts: frozenset[str], approved: frozenset[str]) -> None:
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
