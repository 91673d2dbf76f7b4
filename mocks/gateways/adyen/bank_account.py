"""Bank accounts of SEPA direct debits."""

from __future__ import annotations

import re

from mocks.gateways.adyen.amounts import Body
from mocks.gateways.adyen.errors import invalid, missing

METHOD = "sepadirectdebit"
"""``paymentMethod.type`` of a SEPA direct debit."""

_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")


def check_account(method: Body) -> None:
    """Whether a ``paymentMethod`` names an account: ``ownerName`` and ``iban``. Nothing of it is kept.

    Raises:
        AdyenError: 422 with 14_002 (no owner) or 161 (no IBAN, or a wrong one; the code is second-hand).
    """
    owner, iban = method.get("ownerName"), method.get("iban")
    if not isinstance(owner, str) or not owner:
        raise missing("paymentMethod.ownerName")
    if not isinstance(iban, str) or not is_iban(iban):
        raise invalid("161", "Invalid iban")


def is_iban(text: str) -> bool:
    """Whether the check digits are right (ISO 13616, ISO 7064 MOD 97-10). Spaces don't count; lengths of
    countries are not looked at."""
    compact = text.replace(" ", "").upper()
    if not compact.isascii() or _IBAN.fullmatch(compact) is None:
        return False
    turned = compact[4:] + compact[:4]
    return int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1
