"""Where a person may be sent after a form."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from synkro.blueprints.shared.own_paths import is_own_path, page_or

SPICE = st.text(st.sampled_from(list("/\\:.@?#%\t\n\r \x00aehilpstv")), max_size=12)


def where_a_browser_goes(text: str) -> str:
    """As the URL standard reads an address beside https://synkro.example/login: the host it leads to."""
    text = text.strip("".join(map(chr, range(0x21))))
    for skipped in "\t\n\r":
        text = text.replace(skipped, "")
    text = text.replace("\\", "/")
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", text):
        return "elsewhere"
    if text.startswith("//"):
        return re.split(r"[/?#]", text.lstrip("/"))[0] or "elsewhere"
    return "synkro.example"


@given(st.one_of(st.text(max_size=30), SPICE, SPICE.map("/".__add__), SPICE.map("//".__add__)))
def test_what_passes_stays_with_us(text: str) -> None:
    if is_own_path(text):
        assert where_a_browser_goes(text) == "synkro.example"


@pytest.mark.parametrize(
    "text",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "\t//evil.example",
        "https:evil.example",
        "https://evil.example",
        "///evil.example",
        "/x\r\nSet-Cookie: a=b",
        "/\x00",
        "javascript:alert(1)",
        "reports",
        "/..//evil.example",
        "/" + "a" * 3000,
        "",
    ],
)
def test_refused(text: str) -> None:
    assert not is_own_path(text)


@pytest.mark.parametrize("text", ["/", "/reports?page=2", "/reports/1#comments", "/admin"])
def test_own(text: str) -> None:
    assert is_own_path(text)


@pytest.mark.parametrize("text", ["/logout", "/dashboard/run", "/no-such-page", "//evil.example", "", None])
def test_only_pages_that_can_be_opened(app: Flask, text: str | None) -> None:
    assert page_or(text, "/default") == "/default"
