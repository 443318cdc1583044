"""The full text of a report can only be read."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synkro.blueprints.reports.prose import TAGS, is_safe_link, render

MARKUP = st.lists(
    st.sampled_from(
        [
            *"[]()<>!*_`#-&;:/\\\"' \n",
            "<script>",
            "<img src=x onerror=alert(1)>",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://shop.kz",
            "http://shop.kz",
            "[a](",
            "![a](",
            "&#106;",
            "\n\n- ",
            "\x00",
        ]
    ),
    max_size=25,
).map("".join)


class Seen(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@given(st.one_of(MARKUP, st.text(max_size=60)))
def test_nothing_comes_out_but_plain_marks(markdown: str) -> None:
    for tag, attributes in Seen(str(render(markdown))).tags:
        assert tag in TAGS
        if tag == "a" and "href" in attributes:
            assert re.match(r"https://[^/@]+", attributes["href"] or "")
            assert attributes["rel"] == "noopener nofollow"
        assert set(attributes) <= {"href", "rel"}


@pytest.mark.parametrize(
    "markdown",
    [
        "[a](javascript:alert(1))",
        "[a](http://shop.kz)",
        "[a](/reports)",
        "[a]()",
        "[a](<>)",
        "[a](//shop.kz)",
        "[a](https:shop)",
        "[a](https://bank.kz@evil.example/)",
        "[a](mailto:a@b.kz)",
        "[a](data:text/html;base64,PHNjcmlwdD4=)",
        "https://shop.kz",
    ],
)
def test_no_link(markdown: str) -> None:
    assert "href" not in render(markdown)


def test_link_shows_where_it_leads() -> None:
    assert render("[the bank](https://evil.example/bank)") == (
        '<p><a href="https://evil.example/bank" rel="noopener nofollow">the bank (evil.example)</a></p>\n'
    )


def test_no_image() -> None:
    assert "<img" not in render("![x](https://evil.example/pixel.png)")


def test_raw_html_is_text() -> None:
    assert "&lt;script&gt;" in render("<script>alert(1)</script>")


def test_headings_stand_below_those_of_the_page() -> None:
    assert render("# Company\n\n## Deals") == "<h3>Company</h3>\n<h4>Deals</h4>\n"


@given(st.text(max_size=40))
def test_any_address_is_judged(url: str) -> None:
    assert is_safe_link(url) in (True, False)
