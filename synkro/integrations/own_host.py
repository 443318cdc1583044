"""Servers of a client's own: what an address has to look like before staff are asked to agree to its host."""

from __future__ import annotations

from urllib.parse import urlsplit

from synkro.integrations.http.addresses import NAME


def with_scheme(text: str) -> str:
    """As typed, or with https:// before it where people left that out."""
    text = text.strip()
    return text if "://" in text else f"https://{text}"


def own_host(text: str) -> str | None:
    """host:port of an https address; None for what nobody may agree to.

    That is: another scheme, an IP in any spelling, a name with letters that look alike (also written as xn--), a user
    or a password. Whether the name leads to a public address shows only when it is called: the door minds that.
    """
    try:
        parts = urlsplit(with_scheme(text))
        host, port = parts.hostname or "", parts.port or 443
    except ValueError:
        return None
    is_plain = parts.scheme == "https" and "@" not in parts.netloc and NAME.fullmatch(host)
    if not is_plain or any(label.startswith("xn--") for label in host.split(".")):
        return None
    return f"{host}:{port}"


def address_of(host: str) -> str:
    """The https address of a host:port, as people write it."""
    return f"https://{host.removesuffix(':443')}"
