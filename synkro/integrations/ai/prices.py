"""What a million tokens costs, by model and date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

PRICES_AS_OF = date(2026, 11, 20)
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens. at_least: input tokens of a request from which it holds."""

    model: str
    into: Decimal
    out: Decimal
    since: date = date.min
    at_least: int = 0


def _price(model: str, into: str, out: str, since: date = date.min, at_least: int = 0) -> Price:
    return Price(model, Decimal(into), Decimal(out), since, at_least)


PRICES = (
    # ai.google.dev/gemini-api/docs/pricing as of PRICES_AS_OF. Of several rows for a model the last that fits holds.
    _price("gemini-3.8-flash", "0.75", "3.75"),
    _price("gemini-3.8-flash", "1.50", "7.50", since=date(2027, 1, 1)),
    _price("gemini-3.7-flash", "0.75", "3.75"),
    _price("gemini-3.6-flash", "0.75", "3.75"),
    _price("gemini-3.5-flash", "1.50", "9.00"),
    _price("gemini-3.5-flash-lite", "0.30", "2.50"),
    _price("gemini-3.1-flash-lite", "0.25", "1.50"),
    _price("gemini-3.1-pro-preview", "2", "12"),
    _price("gemini-3.1-pro-preview", "4", "18", at_least=200_001),
    _price("gemini-2.5-flash-lite", "0.10", "0.40"),
)


def price(model: str, on: date, tokens_in: int = 0) -> Price | None:
    """What holds on a day for a request of this size; None where no price is known."""
    name = model.removeprefix("models/")
    fitting = [row for row in PRICES if row.model == name and row.since <= on and tokens_in >= row.at_least]
    return fitting[-1] if fitting else None


def cost(model: str, tokens_in: int, tokens_out: int, on: date) -> Decimal | None:
    """US dollars for one request on a day; None for a model without a known price. Cache discounts are ignored."""
    found = price(model, on, tokens_in)
    return (found.into * tokens_in + found.out * tokens_out) / MILLION if found else None
