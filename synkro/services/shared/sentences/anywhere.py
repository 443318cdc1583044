"""What may happen anywhere, in words."""

from __future__ import annotations

from synkro.i18n import _l

SENTENCES = {
    "internal": _l("Something broke on our side. It was written down."),
    "keys_unreadable": _l("The saved keys can no longer be opened. Enter them anew."),
    "no_worker": _l("Nobody has taken this up on our side. If it stays so, write to the administrator of Synkro."),
    "queue_away": _l("Redis does not answer, so no worker can be told. Try again in a moment."),
}
