"""Where the sentence of a refusal is shown in the form that led to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_wtf import FlaskForm
from wtforms import StringField

from synkro.blueprints.shared.form_errors import ABOVE, errors_on
from synkro.errors import AppError
from synkro.i18n import _l

ROOT = Path(__file__).resolve().parents[3]
TAKEN = AppError(409, "email_taken", _l("Fill this in"))
WRONG = AppError(422, "bad_email", _l("Fill this in"))


class OneField(FlaskForm):  # type: ignore[misc]
    email = StringField()


@pytest.fixture
def form(app: Flask) -> Iterator[OneField]:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        yield OneField(formdata=None)


def test_a_refusal_stands_at_the_field_of_its_code(form: OneField) -> None:
    with errors_on(form, {"email_taken": "email"}):
        raise TAKEN
    assert form.email.errors == ["Fill this in"]


def test_a_refused_act_gives_its_status(form: OneField) -> None:
    with errors_on(form, {"email_taken": "email"}) as act:
        raise TAKEN
    assert act.refused == 409


def test_an_act_that_was_done_is_not_refused(form: OneField) -> None:
    with errors_on(form) as act:
        pass
    assert not act.refused


def test_other_wrong_input_stands_at_the_field_for_others(form: OneField) -> None:
    with errors_on(form, others="email"):
        raise WRONG
    assert form.email.errors == ["Fill this in"]


def test_other_wrong_input_may_stand_above_the_form(form: OneField) -> None:
    with errors_on(form, others=ABOVE):
        raise WRONG
    assert form.form_errors == ["Fill this in"]


@pytest.mark.parametrize(
    ("refusal", "fields", "others"),
    [(WRONG, {}, None), (WRONG, {"bad_email": "name"}, None), (TAKEN, {}, "email"), (TAKEN, {}, ABOVE)],
    ids=["no field is named", "the form has no such field", "not about the input", "not about the input, above"],
)
def test_a_refusal_without_a_field_goes_on_its_way(
    form: OneField, refusal: AppError, fields: dict[str, str], others: str | None
) -> None:
    with pytest.raises(AppError), errors_on(form, fields, others):
        raise refusal


def test_pages_place_refusals_by_the_helper_alone() -> None:
    """Apart from it: the door, which says it without a form field, an ended link, and a redirect to a vendor."""
    found = {
        str(path.relative_to(ROOT / "synkro/blueprints"))
        for path in (ROOT / "synkro/blueprints").rglob("*.py")
        if "except AppError" in path.read_text()
    }
    assert found == {"shared/form_errors.py", "auth/sign_in.py", "auth/welcome.py", "wizard/amocrm.py"}
