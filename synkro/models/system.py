"""Marks of the installation itself: when the last tick was, and a sealed word that tells a wrong key at start."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from synkro.models.columns import Moment, Words
from synkro.tenancy import Base


class SystemMark(Base):
    __tablename__ = "system_marks"

    name: Mapped[Words] = mapped_column(primary_key=True)
    value: Mapped[Words] = mapped_column(default="")
    at: Mapped[Moment]
