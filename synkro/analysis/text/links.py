"""Text of the AI without anything a reader could click by mistake."""

from __future__ import annotations

import re

_IMAGE_OR_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\s[^()]*)?\)")
_URL = re.compile(
    r"<?\b(?:[a-z][a-z0-9+.-]{1,20}://|www\.|mailto:|javascript:|vbscript:|data:[a-z]+/)\S*", re.IGNORECASE
)
_ADDRESS_WITH_PATH = re.compile(r"(?<![a-z0-9.-])(?:[a-z0-9-]+\.)+[a-z]{2,24}/\S*", re.IGNORECASE | re.ASCII)
_HOST = re.compile(r"(?<=[a-z0-9-])\.(?=[a-z]{2,24}\b)", re.IGNORECASE | re.ASCII)
_MENTION = re.compile(r"@(?=\w)")


def without_links(text: str) -> str:
    """Images and addresses go, a link leaves its words, a bare host becomes "shop[.]kz", a mention loses its @.

    Messengers turn bare hosts and mentions into links by themselves, so leaving out the markup is not enough.
    """
    before = None
    while before != text:
        before = text
        text = _IMAGE_OR_LINK.sub(lambda found: "" if found[0][0] == "!" else found[1], text)
    text = _ADDRESS_WITH_PATH.sub("", _URL.sub("", text)).replace("](", "] (")
    return _MENTION.sub("", _HOST.sub("[.]", text)).strip()
