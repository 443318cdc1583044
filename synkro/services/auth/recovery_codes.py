"""Ten ways past a lost phone, each good for one time. Every function is part of an act: see the callers' scope."""

from __future__ import annotations

import base64
import re
import secrets
import uuid

from sqlalchemy import delete, func, select, update

from synkro.infra import clock
from synkro.models import RecoveryCode
from synkro.tenancy import db
from synkro.tokens import keyed_hash, known_hashes

PURPOSE = "recovery code"
HOW_MANY = 10
BYTES = 10
"""80 random bits: 16 characters of base32."""
SPELLED = re.compile(r"[A-Za-z2-7]{16}")


def renew(user_id: uuid.UUID) -> list[str]:
    """Ten new codes to be shown once, like "ABCD-EFGH-IJKL-MNOP"; the old ones are gone.

    Only a keyed hash is stored. A slow one protects what people think up; 80 random bits can not be tried out, however
    fast the hash, and without the key of the program a stolen table can not even be tried. The caller commits.
    """
    forget(user_id)
    codes = [base64.b32encode(secrets.token_bytes(BYTES)).decode() for _ in range(HOW_MANY)]
    db.session.add_all(RecoveryCode(user_id=user_id, code_hash=_hash(code)) for code in codes)
    return ["-".join(re.findall("....", code)) for code in codes]


def spend(user_id: uuid.UUID, code: str) -> bool:
    """One statement: of two at the same moment one gets False. code: without spaces and dashes. The caller commits."""
    if not SPELLED.fullmatch(code):
        return False
    mine = RecoveryCode.user_id == user_id, RecoveryCode.code_hash.in_(known_hashes(code.upper(), PURPOSE))
    spent = (
        update(RecoveryCode)
        .where(*mine, RecoveryCode.used_at.is_(None))
        .values(used_at=clock.now())
        .returning(RecoveryCode.id)
    )
    return db.session.execute(spent).first() is not None


def left(user_id: uuid.UUID) -> int:
    statement = select(func.count()).where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    return db.session.execute(statement).scalar_one()


def forget(user_id: uuid.UUID) -> None:
    """The caller commits."""
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))


def _hash(code: str) -> str:
    return keyed_hash(code.upper(), PURPOSE)
