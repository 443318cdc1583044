"""The arithmetic of one-time codes: six digits from a secret and the time, a new one every 30 seconds (RFC 6238)."""

from __future__ import annotations

import hmac
import re
from datetime import datetime

import pyotp
import segno

STEP = 30
"""Seconds."""
ISSUER = "Synkro"
SPELLED = re.compile(r"[0-9]{6}")
LARGEST_QR = 240
"""Pixels: fits on the narrowest phone."""
QUIET_ZONE = 4
"""White modules around the code, as the standard has it: it is read in a dark theme, too."""


def new_secret() -> str:
    """160 bits, 32 characters of base32."""
    return pyotp.random_base32(32)


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step whose code this is: the present one or a neighbour, since clocks differ. None: a wrong code."""
    if not SPELLED.fullmatch(code):
        return None
    present, codes = int(now.timestamp()) // STEP, pyotp.TOTP(secret, interval=STEP)
    near = (present, present + 1, present - 1)
    return next((step for step in near if hmac.compare_digest(codes.generate_otp(step), code)), None)


def uri(secret: str, email: str) -> str:
    """What authenticator apps read, as a link or out of a QR code."""
    return pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=email, issuer_name=ISSUER)


def qr_svg(text: str) -> str:
    """A black and white <svg> of at most LARGEST_QR, without a script or a style."""
    code = segno.make(text, micro=False)
    # whole pixels a module: with a fraction segno leaves a part of the white ground out
    scale = max(LARGEST_QR // code.symbol_size(border=QUIET_ZONE)[0], 2)
    return code.svg_inline(scale=scale, border=QUIET_ZONE, dark="#000", light="#fff", svgclass=None, lineclass=None)
