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
from synkro.integrations.http import host_port

Side = Literal["public", "secret"]
"""Which of the two keys it is: one that a browser may know, or one that passes every rule of the database."""

_REF = re.compile(r"[a-z0-9]{20}")
_HOSTED = re.compile(r"([a-z0-9]{20})\.supabase\.co")
_DASHBOARD = re.compile(r"(?:/dashboard)?/project/([a-z0-9]{20})(?:/.*)?")


def project_address(text: str, allow_hosts: Collection[str]) -> str:
    """The base address of the project: from its URL, its REST URL, a link into the dashboard or the bare reference.

    Another host is accepted only where its host:port is in allow_hosts. Raises Refused("supabase_url_form").
    """
    text = text.strip()
    if _REF.fullmatch(text):
        return f"https://{text}.supabase.co"
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        listed = parts.scheme in ("http", "https") and host_port(parts.geturl()) in allow_hosts
        plain = parts.scheme == "https" and parts.port in (None, 443) and not parts.username
    except ValueError:
        raise Refused("supabase_url_form") from None
    if listed:
        return f"{parts.scheme}://{host_port(parts.geturl())}"
    host = parts.hostname or ""
    if plain and _HOSTED.fullmatch(host):
        return f"https://{host}"
    in_dashboard = _DASHBOARD.fullmatch(parts.path) if host in ("supabase.com", "app.supabase.com") else None
    if plain and in_dashboard:
        return f"https://{in_dashboard[1]}.supabase.co"
    raise Refused("supabase_url_form")


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
        return "supabase_keys_swapped"
    said = claims(key)
    if ref and said.get("ref") not in (None, ref):
        return "supabase_other_project"
    expires = said.get("exp")
    if isinstance(expires, (int, float)) and expires < time.time():
        return "supabase_key_expired"
    return None
