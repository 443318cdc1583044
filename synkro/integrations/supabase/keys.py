"""What a Supabase address and a Supabase key tell before the network is asked."""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from collections.abc import Collection
from typing import Any, Literal
from urllib.parse import urlsplit

from synkro.integrations.errors import Refused
from synkro.integrations.http.addresses import host_port
from synkro.integrations.own_host import address_of, own_host, with_scheme

Side = Literal["public", "secret"]
"""Which of the two keys it is: one that a browser may know, or one that passes every rule of the database."""

_REF = re.compile(r"[a-z0-9]{20}")
_HOSTED = re.compile(r"([a-z0-9]{20})\.supabase\.co")
_DATABASE = re.compile(r"db\.([a-z0-9]{20})\.supabase\.co")
_DASHBOARD = re.compile(r"(?:/dashboard)?/project/([a-z0-9]{20})(?:/.*)?")
_VENDOR = re.compile(r"(?:.+\.)?supabase\.(?:co|com)")
"""Names of the vendor's: an address there that is no project is a slip, not a server of one's own."""
_PERSON = re.compile(r"^([a-z]+://)?.*@", re.DOTALL | re.IGNORECASE)
"""Up to the last @: people paste passwords as they are, with slashes in them."""


def tidy_address(text: str) -> str:
    """As it is kept and shown: the base address of the project or of a server of one's own. What is neither stays.

    Never with a user or a password, which a pasted connection string brings along.
    """
    text = _PERSON.sub(r"\1", text.strip())
    if hosted := _hosted(text):
        return hosted
    host = own_host(text)
    return address_of(host) if host else text


def project_address(text: str, allow_hosts: Collection[str], approved: Collection[str] = ()) -> str:
    """The base address of the project: from its URL, its REST URL, a link into the dashboard or the bare reference.

    Another host is accepted only where its host:port is in allow_hosts (anything) or in approved (https names).
    Raises Refused("supabase_url_form"), or Refused("supabase_host_unapproved", host=) for what staff may agree to.
    """
    if hosted := _hosted(text):
        return hosted
    written = with_scheme(text)
    try:
        scheme, listed = urlsplit(written).scheme, host_port(written)
    except ValueError:
        raise Refused("supabase_url_form") from None
    if listed in allow_hosts and scheme in ("http", "https"):
        return f"{scheme}://{listed}"
    host = own_host(written)
    if host is None or _VENDOR.fullmatch(host.partition(":")[0]):
        raise Refused("supabase_url_form")
    if host not in approved:
        raise Refused("supabase_host_unapproved", host=host.removesuffix(":443"))
    return address_of(host)


def _hosted(text: str) -> str | None:
    """The address of a project that Supabase hosts, however it was written."""
    ref = text.strip().lower()
    if _REF.fullmatch(ref):
        return f"https://{ref}.supabase.co"
    try:
        parts = urlsplit(with_scheme(text))
        is_plain = parts.scheme == "https" and parts.port in (None, 443) and "@" not in parts.netloc
    except ValueError:
        return None
    host = parts.hostname or ""
    found = _HOSTED.fullmatch(host) if is_plain else None
    if is_plain and host in ("supabase.com", "app.supabase.com"):
        found = _DASHBOARD.fullmatch(parts.path)
    if parts.scheme in ("postgres", "postgresql"):
        found = _DATABASE.fullmatch(host)
    return f"https://{found[1]}.supabase.co" if found else None


def project_ref(address: str) -> str | None:
    """The project's reference; None for a host of one's own, whose keys name no project."""
    found = _HOSTED.fullmatch(urlsplit(address).hostname or "")
    return found[1] if found else None


def key_headers(key: str) -> dict[str, str]:
    """New keys are no JWT and go into `apikey` alone; an old key there alone would act as anon (vendor's key guide)."""
    if key.startswith("sb_"):
        return {"apikey": key}
    return {"apikey": key, "Authorization": f"Bearer {key}"}


def key_side(key: str) -> Side | None:
    """None: this is no Supabase key."""
    if key.startswith("sb_publishable_"):
        return "public"
    if key.startswith("sb_secret_"):
        return "secret"
    role = claims(key).get("role")
    return {"anon": "public", "service_role": "secret"}.get(role) if isinstance(role, str) else None  # type: ignore[return-value]


def claims(key: str) -> dict[str, Any]:
    """What an old key (a JWT) says of itself, unverified; empty for anything else."""
    parts = key.split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def key_fault(key: str, wanted: Side, ref: str | None) -> str | None:
    """The code of what is wrong with a key at first sight, or None. ref: the project that it has to belong to."""
    side = key_side(key)
    if side is None:
        return f"supabase_{wanted}_key_form"
    if side != wanted:
        return f"supabase_{wanted}_key_is_{side}"
    said = claims(key)
    if ref and said.get("ref") not in (None, ref):
        return f"supabase_{wanted}_key_elsewhere"
    expires = said.get("exp")
    if isinstance(expires, (int, float)) and expires < time.time():
        return f"supabase_{wanted}_key_expired"
    return None


def keys_fault(public: str, secret: str, ref: str | None) -> str | None:
    """The same for both: one that stands in the other's field is told of before all else."""
    if (key_side(public), key_side(secret)) == ("secret", "public"):
        return "supabase_keys_swapped"
    return key_fault(public, "public", ref) or key_fault(secret, "secret", ref)
