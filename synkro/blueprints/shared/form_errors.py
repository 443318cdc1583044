"""An act of a form that a service may refuse: the sentence is put where it was typed, and the form shown again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

from flask_wtf import FlaskForm

from synkro.errors import AppError

ABOVE = ""
"""Instead of the name of a field: over the whole form."""
WRONG_INPUT = 422
NO_FIELDS: Mapping[str, str] = MappingProxyType({})


@dataclass(slots=True)
class Outcome:
    """refused: the status to answer with, 0 where the act was done."""

    refused: int = 0


@contextmanager
def errors_on(form: FlaskForm, fields: Mapping[str, str] = NO_FIELDS, others: str | None = None) -> Iterator[Outcome]:
    """Around the act; afterwards the outcome says whether the form has to be shown again. See put_error."""
    outcome = Outcome()
    try:
        yield outcome
    except AppError as refusal:
        put_error(form, refusal, fields, others)
        outcome.refused = refusal.status


def put_error(
    form: FlaskForm, refusal: AppError, fields: Mapping[str, str] = NO_FIELDS, others: str | None = None
) -> None:
    """fields: code of a refusal -> its field. others: the field of all others that are about what was typed.

    A refusal that has no field in this form is raised again: the page of errors says it.
    """
    name = fields.get(refusal.code, others if refusal.status == WRONG_INPUT else None)
    if name == ABOVE:
        form.form_errors.append(str(refusal.says))
    elif name is None or name not in form:
        raise refusal
    else:
        form[name].errors = [refusal.says]
