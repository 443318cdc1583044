"""What the words of the audit mean: the installation."""

from __future__ import annotations

from synkro.i18n import _l

ACTS = {
    "keys_rotated": _l("Sealing key replaced"),
}

THINGS = {
    "key": _l("Sealing key"),
}
