"""The refusals that the program knows: raised by whoever finds them, turned into an answer by web/answers.py."""

from __future__ import annotations

from flask_babel import LazyString

from synkro.i18n import _l

NEEDS_ACCESS = _l("Ask an administrator if you need access.")


class AppError(Exception):
    """A known refusal. code: stable word for programs. says: one sentence for people. fields: which are wrong."""

    def __init__(self, status: int, code: str, says: LazyString, fields: list[str] | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.says = says
        self.fields = fields


class NotOpen(AppError):
    """Somebody asked for what is closed to the own role."""

    def __init__(self) -> None:
        super().__init__(403, "forbidden", NEEDS_ACCESS)
