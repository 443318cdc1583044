"""Codes as sentences: ours, and those that a service has in its class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import LazyString

from synkro import integrations
from synkro.services.shared.sentences import SENTENCES


def remarks(code: str | None, params: Mapping[str, Any]) -> str:
    """What a step or a check has to say: its remark or fault, and notices that change no colour. "" for nothing."""
    codes = [*([code] if code else []), *params.get("notices", ())]
    return " ".join(sentence(one, params) for one in codes)


def sentence(code: str, params: Mapping[str, Any]) -> str:
    """What a code means. One without a sentence is shown as it is: better than silence."""
    says = _says(code)
    if says is None:
        return code
    try:
        return str(says) % dict(params)
    except (KeyError, ValueError):
        return str(says)


def is_known(code: str) -> bool:
    """Whether the word is one of ours."""
    return _says(code) is not None


def outline(code: str, service: str) -> str:
    """What a code means, with gaps where something would stand that was found out about a company."""
    return str(_says(code) or code) % _Gaps(service=service)


class _Gaps(dict[str, str]):
    def __missing__(self, _name: str) -> str:
        return "…"


def _says(code: str) -> LazyString | None:
    return SENTENCES.get(code) or integrations.all_sentences().get(code)
