"""Text from strangers without the characters that hide, reorder or break it."""

from __future__ import annotations

import re

MESSAGE_LIMIT = 4_000
"""Messengers cap a message near this; what is longer is a pasted document."""

_EMOJI = "\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_LINE_END = re.compile("\r\n?|[\u2028\u2029]")
# Tags and selectors past U+E0000 carry invisible text; bidi controls swap what is seen; surrogates break encoders.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
_STRAY_SELECTOR = re.compile(
    f"(?<![{_EMOJI}\u00a9\u00ae\u203c\u2049\u2122\u2139])(?:(?<![0-9#*])\ufe0f|\ufe0f(?!\u20e3))"
)
_STRAY_JOINER = re.compile(f"(?<![{_EMOJI}\ufe0f])\u200d|\u200d(?![{_EMOJI}])")


def clean(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """At most `limit` characters, the last one an ellipsis when cut. Emoji keep their joiner and selector."""
    # The cut comes first as well, so that a text of megabytes costs no more than a long one.
    shown = _HIDDEN.sub("", _LINE_END.sub("\n", text[: limit * 8]))
    shown = _STRAY_JOINER.sub("", _STRAY_SELECTOR.sub("", shown)).strip()
    return shown if len(shown) <= limit else _STRAY_JOINER.sub("", shown[: limit - 1]).rstrip() + "…"


def one_line(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """The same on a single line: line ends become a visible mark."""
    return " ".join(clean(text, limit).replace("\n", " ⏎ ").split())
