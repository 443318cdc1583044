"""Where a server with OpenAI's interface is: the base address as people write it, and whether we may go there."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from synkro.integrations.errors import Refused
from synkro.integrations.http.addresses import host_port
from synkro.integrations.http.client import HttpClient
from synkro.integrations.own_host import own_host, with_scheme

_CALL = re.compile(r"/(?:chat/completions|chat|completions|models)$")
_PERSON = re.compile(r"//[^/?#]*@")


def tidy_base(text: str) -> str:
    """As it is kept and shown: with https://, without the name of a call, a query, a user or a password."""
    plain = _PERSON.sub("//", with_scheme(text)) if text.strip() else ""
    return _CALL.sub("", re.split(r"[?#]", plain)[0].rstrip("/")).rstrip("/")


def base_address(text: str, http_client: HttpClient) -> str:
    """The address to call. Raises Refused for what is no public https address, and for a host nobody has agreed to."""
    address = tidy_base(text)
    try:
        scheme, listed = urlsplit(address).scheme, host_port(address)
    except ValueError:
        raise Refused("ai_address_form") from None
    if listed in http_client.allow_hosts and scheme in ("http", "https"):
        return address
    host = own_host(address)
    if host is None:
        raise Refused("ai_address_form")
    if host not in http_client.approved:
        raise Refused("ai_host_not_approved", host=host.removesuffix(":443"))
    return address
