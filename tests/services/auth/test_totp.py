"""The arithmetic of one-time codes, and how a secret is drawn."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synkro.services.auth import totp

NOON = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
"""The beginning of a time step."""
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.mark.parametrize(
    ("at", "code"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_codes_are_those_of_the_standard(at: int, code: str) -> None:
    assert totp.step_of(RFC_SECRET, code, datetime.fromtimestamp(at, UTC)) == at // 30


@pytest.mark.parametrize(("seconds", "is_taken"), [(-31, False), (-30, True), (0, True), (59, True), (60, False)])
def test_a_code_is_good_from_one_step_before_to_one_step_after(seconds: int, is_taken: bool) -> None:
    code = pyotp.TOTP(RFC_SECRET).at(NOON)
    assert (totp.step_of(RFC_SECRET, code, NOON + timedelta(seconds=seconds)) is not None) is is_taken


RIGHT = tuple(pyotp.TOTP(RFC_SECRET).at(NOON, counter_offset=step) for step in (-1, 0, 1))
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


@given(
    st.text()
    | st.integers(0, 999_999).map("{:06}".format)
    | st.sampled_from(RIGHT)
    | st.tuples(st.sampled_from(RIGHT), st.sampled_from(["{}0", "0{}", "+{}", "{}\n", "{}\x00"])).map(
        lambda pair: pair[1].format(pair[0])
    )
    | st.sampled_from(RIGHT).map(lambda code: code.translate(FULL_WIDTH))
)
def test_only_the_right_digits_fit(typed: str) -> None:
    assert (totp.step_of(RFC_SECRET, typed, NOON) is not None) == (typed in RIGHT)


def test_secret_has_160_bits() -> None:
    assert re.fullmatch(r"[A-Z2-7]{32}", totp.new_secret())


@pytest.mark.parametrize("email", ["a@b.kz", "x" * 64 + "@" + "y" * 180 + ".kz", 'a"<b>&@example.com', "имя@пример.рф"])
def test_drawing_needs_no_style_and_fits_a_phone(email: str) -> None:
    svg = totp.qr_svg(totp.uri(RFC_SECRET, email))
    width, height = re.findall(r'(?:width|height)="(\d+)"', svg)
    assert width == height
    assert int(width) <= totp.LARGEST_QR
    assert 'fill="#fff"' in svg
    assert not re.search(r"style|script|class|<text|<title", svg)
