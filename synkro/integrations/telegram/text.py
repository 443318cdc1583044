"""Text as Telegram takes it: escaped for its HTML and short enough for one message."""

from __future__ import annotations

import html

MESSAGE_LIMIT = 4_096
"""The vendor counts code points after parsing; we count UTF-16 units, which are never fewer."""


def escape(text: str) -> str:
    """Plain text for a message in HTML mode. Quotes stay: outside of attributes they mean nothing."""
    return html.escape(text, quote=False)


def length(text: str) -> int:
    """UTF-16 units of a text without tags. Half a surrogate pair counts as one."""
    return len(text.encode("utf-16-le", errors="replace")) // 2
