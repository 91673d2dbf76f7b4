"""Customers whose given name says what becomes of their mandates and payments.

The names and what they do are those of GoCardless' documentation of its sandbox. There, it happens almost at
once; here, after ``SOON_S`` when nothing else moves by itself, or else on the days of the timeline.
"""

from __future__ import annotations

from typing import NamedTuple

SOON_S = 1.0
"""Seconds of the mock's clock (assumed)."""


class Fate(NamedTuple):
    """What becomes of a customer's mandates (``active``, ``failed``) and payments (``paid_out``, ``failed``,
    ``late_failure``, ``charged_back``)."""

    mandate: str
    payment: str


ORDINARY = Fate("active", "paid_out")

FATES = {
    "Successful": ORDINARY,
    "Penniless": Fate("active", "failed"),
    "Fickle": Fate("active", "charged_back"),
    "Late": Fate("active", "late_failure"),
    "Invalid": Fate("failed", "failed"),
}
"""Given name -> fate. ``Invalid`` is second-hand."""
