"""What may go wrong outside. An error's kind decides about trying again, its code about the words."""

from __future__ import annotations

from typing import Any, ClassVar

from flask_babel import LazyString

from synkro.i18n import _l


class ApiError(Exception):
    """A vendor's failure, in our words. It never holds a vendor's text, a URL or a secret.

    code: stable word for operators and tests; its sentence is in SENTENCES or in the integration's own table.
    params: numbers and names that the sentence needs.
    retry_after: seconds to wait before another try, where the vendor said so.
    """

    passing: ClassVar[bool] = False
    """True: the same call may work later. False: a person has to do something first."""
    is_choice: ClassVar[bool] = False
    """True: it ends when a person chooses from what the service offers."""
    most_tries: ClassVar[int | None] = None
    """How often at most a request, or a step, is made when it ends like this. None: as often as its plan says."""

    def __init__(self, code: str, *, retry_after: float | None = None, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.retry_after = retry_after
        self.params = params


class Refused(ApiError):
    """The key, its rights or the address is not accepted."""


class ChoiceDue(Refused):
    """The key works, and a person has to choose first from what it opens."""

    is_choice = True


class Gone(ApiError):
    """What we asked for does not exist there, or our request was wrong."""


class Unpaid(ApiError):
    """The account is unpaid, paused or restricted."""


class Nonsense(ApiError):
    """An answer that cannot be understood. Worth one more try, then a person has to look."""

    passing = True
    most_tries = 2


class Busy(ApiError):
    """Too many requests, or the vendor asks to wait."""

    passing = True


class Unreachable(ApiError):
    """No answer: network, time-out or a server error."""

    passing = True


class Lost(Unreachable):
    """The request may have been carried out, but its answer never came. Unreachable for all who may simply repeat."""


class Unsure(ApiError):
    """The call may have had its effect, but the answer never came. Never repeated blindly."""


SENTENCES: dict[str, LazyString] = {
    "unreachable": _l("%(service)s does not answer."),
    "server_error": _l("%(service)s reports an error on its side."),
    "busy": _l("%(service)s asks to wait: too many requests."),
    "not_json": _l("%(service)s gave an answer that cannot be read."),
    "unexpected_shape": _l("%(service)s gave an answer of an unknown form."),
    "too_large": _l("%(service)s gave an answer that is too large."),
    "address_refused": _l("This address is not allowed."),
    "key_malformed": _l("The key for %(service)s holds characters that no key has. Copy it once more, without spaces."),
    "too_slow": _l("%(service)s took too long to answer."),
    "resting": _l("%(service)s has failed many times in a row. We ask again in a minute."),
    "pace_unavailable": _l("The request counter is not available right now."),
}
