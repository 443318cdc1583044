"""Markdown of a report as HTML that can do nothing but be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markupsafe import Markup

TAGS = {"p", "h3", "h4", "h5", "h6", "ul", "ol", "li", "strong", "em", "code", "pre", "blockquote", "br", "hr", "a"}
DEEPER = 2
"""The page has its own h1 and h2: those of the text begin below them."""


def render(markdown: str) -> Markup:
    """No raw HTML, no images; links only to absolute https addresses, with the host written beside the words."""
    # what the first misses the second stops: they share no code
    html = nh3.clean(
        _reader.render(markdown),
        tags=TAGS,
        attributes={"a": {"href"}},
        url_schemes={"https"},
        link_rel="noopener nofollow",
    )
    return Markup(html)  # noqa: S704  # cleaned in the line above


def is_safe_link(url: str) -> bool:
    """An address with a name or password in it pretends to be another host."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False


def _tell(state: StateCore) -> None:
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + DEEPER, 6)}"
        if token.children:
            token.children = list(_with_hosts(token.children))


def _with_hosts(tokens: Iterable[Token]) -> Iterator[Token]:
    url = ""
    for token in tokens:
        if token.type == "link_open":
            url = str(token.attrGet("href") or "")
        if token.type in ("link_open", "link_close") and not is_safe_link(url):
            continue  # the reader lets a link without an address through
        if token.type == "link_close":
            yield Token("text", "", 0, content=f" ({urlsplit(url).hostname})")
        yield token


_reader = MarkdownIt("commonmark", {"html": False}).disable("image")
_reader.validateLink = is_safe_link  # type: ignore[method-assign]  # the library's own way to set it
_reader.core.ruler.push("tell", _tell)
