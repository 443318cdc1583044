"""What the AI claims, each claim with the messages it stands on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext

from synkro.i18n import _l
from synkro.services.reports.reports import Body

KINDS = {
    "risk": _l("Risk"),
    "loss": _l("Loss"),
    "praise": _l("Well done"),
    "idea": _l("Idea"),
    "question": _l("Question"),
}
ATTACHMENTS = {
    "image": ("image", _l("Picture")),
    "voice": ("mic", _l("Voice message")),
    "audio": ("mic", _l("Audio recording")),
    "video": ("play", _l("Video")),
    "file": ("report", _l("File")),
    "waba_interactive": ("chat", _l("Message with buttons")),
    "waba_template": ("chat", _l("Message from a template")),
    "waba_order": ("log", _l("Order")),
    "radist_order": ("log", _l("Order")),
}
"""By kind of message: icon and name."""
OTHER_ATTACHMENT = ("report", _l("Attachment"))


def findings(body: Body) -> list[dict[str, Any]]:
    """Findings, then remarks on managers: {n, kind, text, basis, quotes}."""
    return [{"n": n, **claim} for n, claim in enumerate(_claims(body), 1)]


def unconfirmed(body: Body) -> list[dict[str, str]]:
    return [{"text": text, "why": gettext("No message confirms it.")} for text in body.unconfirmed]


def _claims(body: Body) -> Iterator[dict[str, Any]]:
    for one in body.findings:
        yield _claim(str(KINDS.get(one["kind"], one["kind"])), one["text"], one["evidence"])
    for one in body.managers:
        yield _claim(gettext("About a manager"), f"{one['name']}: {one['remark']}", one["evidence"])


def _claim(kind: str, text: str, evidence: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    dialogs = len({said["chat_id"] for said in evidence})
    return {
        "kind": kind,
        "text": text,
        "basis": gettext(
            "Rests on messages: %(messages)s, dialogs: %(dialogs)s", messages=len(evidence), dialogs=dialogs
        ),
        "quotes": [_quote(said) for said in evidence],
    }


def _quote(said: Mapping[str, Any]) -> dict[str, Any]:
    from_client = said["direction"] == "in"
    return {
        "side": said["direction"],
        "who": (said["client"] or gettext("Client")) if from_client else gettext("We"),
        "at": datetime.fromisoformat(said["at"]),
        "text": said["text"],
        "attachment": _attachment(said.get("kind", "text"), said["text"]),
        "phone": said["phone"],
        "translation": "",
        "url": "",
    }


def _attachment(kind: str, text: str) -> dict[str, str] | None:
    """{sign, title, note} of a message without a text of its own, which is stored as "[kind]" or "[kind] note"."""
    mark = f"[{kind}]"
    if kind == "text" or not text.startswith(mark):
        return None
    sign, title = ATTACHMENTS.get(kind, OTHER_ATTACHMENT)
    return {"sign": sign, "title": str(title), "note": text.removeprefix(mark).strip()}
