"""Telegram's HTML: the few tags a message may carry, and the exact complaints about anything else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_KINDS = {
    **dict.fromkeys(("b", "strong"), "bold"),
    **dict.fromkeys(("i", "em"), "italic"),
    **dict.fromkeys(("u", "ins"), "underline"),
    **dict.fromkeys(("s", "strike", "del"), "strikethrough"),
    **dict.fromkeys(("span", "tg-spoiler"), "spoiler"),
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
    "tg-time": "date_time",
}
_SPACE = b" \t\r\n\v\0"
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_ENTITY = re.compile(rb"&(?:#(?P<dec>\d{1,7})|#[xX](?P<hex>[0-9a-fA-F]{1,6})|(?P<name>lt|gt|amp|quot)(?![A-Za-z]));?")
_NAME_TOKEN = re.compile(rb"[A-Za-z0-9.\-]*")
_ATTRIBUTE = re.compile(rb"[^\s=>/\"'\0]*")
_WEB = re.compile(r"(?:https?://|tg://|[\w-]+\.)\S+$")

Entity = dict[str, Any]


class ParseError(Exception):
    """The reason after "can't parse entities: ". Offsets are in bytes."""


@dataclass(frozen=True, slots=True)
class _Open:
    tag: str
    argument: str
    offset: int


def parse(text: str) -> tuple[str, list[Entity]]:
    """The visible text and its entities; offsets and lengths in UTF-16 units. Raises ParseError."""
    return _Parser(text.encode()).run()


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


class _Parser:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.shown = bytearray()
        self.open: list[_Open] = []
        self.entities: list[Entity] = []

    def run(self) -> tuple[str, list[Entity]]:
        while self.at < len(self.data):
            if self.data[self.at : self.at + 2] == b"</":
                self.end_tag()
            elif self.data[self.at] == ord("<"):
                self.start_tag()
            else:
                self.plain()
        if self.open:
            raise ParseError(f'Can\'t find end tag corresponding to start tag "{self.open[-1].tag}"')
        entities = sorted(self.entities, key=lambda one: (one["offset"], -one["length"]))
        return self.shown.decode(), entities

    def plain(self) -> None:
        character = self.entity()
        if character is None:
            self.shown.append(self.data[self.at])
            self.at += 1
        else:
            self.shown += character.encode()

    def entity(self) -> str | None:
        found = _ENTITY.match(self.data, self.at)
        if not found:
            return None
        if found["name"]:
            character = _NAMED[found["name"].decode()]
        else:
            number = int(found["dec"]) if found["dec"] else int(found["hex"], 16)
            if not 0 < number < 0x10FFFF or 0xD800 <= number < 0xE000:
                return None
            character = chr(number)
        self.at = found.end()
        return character

    def start_tag(self) -> None:
        begin = self.at
        self.at += 1
        name = self.until_space_or_end(f"Unclosed start tag at byte offset {begin}").lower()
        if name not in _KINDS:
            raise ParseError(f'Unsupported start tag "{name}" at byte offset {begin}')
        attributes: dict[str, str] = {}
        while not self.closes(name, begin):
            key, value = self.attribute(name, begin)
            attributes[key] = value
        if name == "span" and attributes.get("class") != "tg-spoiler":
            raise ParseError(f'Tag "span" must have class "tg-spoiler" at byte offset {begin}')
        self.open.append(_Open(name, _argument(name, attributes), len(self.shown)))

    def closes(self, name: str, begin: int) -> bool:
        self.skip_space()
        if self.at >= len(self.data):
            raise ParseError(f'Unclosed start tag "{name}" at byte offset {begin}')
        if self.data[self.at] != ord(">"):
            return False
        self.at += 1
        return True

    def attribute(self, name: str, begin: int) -> tuple[str, str]:
        key = self.matched(_ATTRIBUTE)
        if not key:
            raise ParseError(f'Empty attribute name in the tag "{name}" at byte offset {begin}')
        self.skip_space()
        if self.data[self.at : self.at + 1] != b"=":
            return key, ""
        self.at += 1
        self.skip_space()
        value = self.attribute_value()
        if self.at >= len(self.data):
            raise ParseError(f"Unclosed start tag at byte offset {begin}")
        return key, value

    def attribute_value(self) -> str:
        quote = self.data[self.at : self.at + 1]
        if quote in {b'"', b"'"}:
            return self.quoted(quote)
        begin = self.at
        value = self.matched(_NAME_TOKEN).lower()
        if self.data[self.at : self.at + 1] not in {b">", b""} and self.data[self.at] not in _SPACE:
            raise ParseError(f"Unexpected end of name token at byte offset {begin}")
        return value

    def quoted(self, quote: bytes) -> str:
        value = bytearray()
        self.at += 1
        while self.at < len(self.data) and self.data[self.at : self.at + 1] != quote:
            character = self.entity()
            if character is None:
                value.append(self.data[self.at])
                self.at += 1
            else:
                value += character.encode()
        self.at += 1
        return value.decode()

    def end_tag(self) -> None:
        begin = self.at
        if not self.open:
            raise ParseError(f"Unexpected end tag at byte offset {begin}")
        self.at += 2
        unclosed = f"Unclosed end tag at byte offset {begin}"
        name = self.until_space_or_end(unclosed)
        self.skip_space()
        if self.data[self.at : self.at + 1] != b">":
            raise ParseError(unclosed)
        self.at += 1
        last = self.open.pop()
        if name not in {"", last.tag}:
            expected = f'expected "</{last.tag}>", found "</{name}>"'
            raise ParseError(f"Unmatched end tag at byte offset {begin}, {expected}")
        self.add_entity(last)

    def add_entity(self, last: _Open) -> None:
        inside = self.shown[last.offset :].decode()
        entity = {
            "offset": utf16(self.shown[: last.offset].decode()),
            "length": utf16(inside),
            "type": _KINDS[last.tag],
        }
        if last.tag == "a":
            entity["url"] = last.argument or inside
            if not _WEB.match(str(entity["url"])):
                return
        elif last.tag == "blockquote" and last.argument:
            entity["type"] = "expandable_blockquote"
        elif last.argument:
            entity["language" if last.tag == "code" else "value"] = last.argument
        if inside:
            self.entities.append(entity)

    def until_space_or_end(self, complaint: str) -> str:
        begin = self.at
        while self.at < len(self.data) and self.data[self.at] not in _SPACE + b">":
            self.at += 1
        if self.at >= len(self.data):
            raise ParseError(complaint)
        return self.data[begin : self.at].decode(errors="replace")

    def skip_space(self) -> None:
        while self.at < len(self.data) and self.data[self.at] in _SPACE:
            self.at += 1

    def matched(self, pattern: re.Pattern[bytes]) -> str:
        found = pattern.match(self.data, self.at)
        end = found.end() if found else self.at
        piece = self.data[self.at : end].decode(errors="replace")
        self.at = end
        return piece


def _argument(tag: str, attributes: dict[str, str]) -> str:
    if tag == "a":
        return attributes.get("href", "")
    if tag == "code":
        language = attributes.get("class", "")
        return language.removeprefix("language-") if language.startswith("language-") else ""
    if tag == "blockquote":
        return "1" if "expandable" in attributes else ""
    return attributes.get("emoji-id", "")
