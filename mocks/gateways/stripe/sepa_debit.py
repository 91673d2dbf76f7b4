"""SEPA Direct Debit: the bank accounts for tests, and what becomes of a debit.

The IBANs and their ``pm_..._de`` names are those of Stripe's documentation ("Accept a SEPA Direct Debit
payment", "Test your integration"), of three countries. Stripe's test environment shortens the wait to
seconds, and to three minutes for the delayed ones; here a debit takes as long as a real one, by the mock's
clock, which can be put forward or run faster.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from mocks.gateways.stripe.cards import Decline, fingerprint
from mocks.gateways.stripe.errors import invalid

DAY_S = 86_400
USUAL_S = 5 * DAY_S
"""Seconds until the outcome of a debit is known ("typically 5 business days")."""

DELAYED_S = 14 * DAY_S
"""Seconds for the test accounts whose outcome is delayed ("up to 14 business days")."""

CURRENCY = "eur"
"""The only currency of SEPA Direct Debit."""

# The documentation names no failure code for the accounts that just fail; this one and the messages are an
# assumption.
_FAILED = Decline("payment_intent_payment_attempt_failed", None, "The payment failed.")
_VOLUME = Decline(
    "charge_exceeds_source_limit", None, "The debit exceeds what may be taken from this account in a week."
)
_TRANSACTIONS = Decline(
    "charge_exceeds_weekly_limit", None, "The account has been debited too many times in a week."
)
_FUNDS = Decline("insufficient_funds", None, "The account has too little money for this debit.")


class Account(NamedTuple):
    """A bank account.

    Attributes:
        decline: How its debits fail; None for an account that pays.
        outcome_s: Seconds until the outcome of a debit is known.
        sequel: What comes after a debit that succeeded, of ``cards.SEQUELS``; mostly nothing (empty).
    """

    country: str
    bank_code: str
    last4: str
    digest: str
    decline: Decline | None = None
    outcome_s: int = USUAL_S
    sequel: str = ""

    @property
    def kind(self) -> str:
        """The ``type`` of its PaymentMethod."""
        return "sepa_debit"

    @property
    def authentication(self) -> str:
        """Its holder is never authenticated."""
        return ""

    @property
    def attachable(self) -> bool:
        """Whether it can be attached to a customer."""
        return True

    def body(self) -> dict[str, Any]:
        """What the API shows of the account on its PaymentMethod."""
        return {
            "bank_code": self.bank_code,
            "branch_code": "",
            "country": self.country,
            "fingerprint": self.digest,
            "generated_from": {"charge": None, "setup_attempt": None},
            "last4": self.last4,
        }

    def charge_body(self, authenticated: bool, mandate: str) -> dict[str, Any]:
        """What the API shows of the account on a charge."""
        return {
            "bank_code": self.bank_code,
            "branch_code": "",
            "country": self.country,
            "fingerprint": self.digest,
            "last4": self.last4,
            "mandate": mandate,
        }


_IBANS = {
    "success": ("DE89370400440532013000", "IE29AIBK93115212345678", "LU280019400644750000"),
    "successDelayed": ("DE08370400440532013003", "IE24AIBK93115212345671", "LU440019400644750003"),
    "failed": ("DE62370400440532013001", "IE02AIBK93115212345679", "LU980019400644750001"),
    "failedDelayed": ("DE78370400440532013004", "IE94AIBK93115212345672", "LU170019400644750004"),
    "disputed": ("DE35370400440532013002", "IE51AIBK93115212345670", "LU710019400644750002"),
    "exceedsWeeklyVolumeLimit": ("DE65370400440000343434", "IE10AIBK93115200343434", "LU900010000000343434"),
    "exceedsWeeklyTransactionLimit": (
        "DE27370400440000121212",
        "IE69AIBK93115200121212",
        "LU520010000000121212",
    ),
    "insufficientFunds": ("DE65370400440002222227", "IE10AIBK93115202222227", "LU900010000002222227"),
}
"""The name's first part -> the IBANs."""

_DECLINES = {
    "failed": _FAILED,
    "failedDelayed": _FAILED,
    "exceedsWeeklyVolumeLimit": _VOLUME,
    "exceedsWeeklyTransactionLimit": _TRANSACTIONS,
    "insufficientFunds": _FUNDS,
}

_BANK_CODE = {"DE": slice(4, 12), "IE": slice(4, 8), "LU": slice(4, 7)}


def _account(iban: str, fate: str) -> Account:
    return Account(
        country=iban[:2],
        bank_code=iban[_BANK_CODE[iban[:2]]],
        last4=iban[-4:],
        digest=fingerprint(iban),
        decline=_DECLINES.get(fate),
        outcome_s=DELAYED_S if fate.endswith("Delayed") else USUAL_S,
        sequel="fraudulent" if fate == "disputed" else "",
    )


_BY_IBAN = {iban: _account(iban, fate) for fate, ibans in _IBANS.items() for iban in ibans}
_BY_NAME = {
    f"pm_{fate}_{iban[:2].lower()}": _BY_IBAN[iban] for fate, ibans in _IBANS.items() for iban in ibans
}

NAMES = tuple(_BY_NAME)
"""The ``pm_..._de`` names."""


def by_name(name: str) -> Account | None:
    """The account of a ``pm_..._de`` name; None when there is none."""
    return _BY_NAME.get(name)


def by_iban(iban: str, param: str) -> Account:
    """The account of an IBAN, in groups or in one piece.

    Raises:
        StripeError: 400 for what is no IBAN (ISO 13616: length and check digits), and for one that is not
            published for tests. That the latter is refused is this mock's own caution.
    """
    plain = iban.replace(" ", "").upper()
    account = _BY_IBAN.get(plain)
    if account is not None:
        return account
    if not is_iban(plain):
        raise invalid("The IBAN you provided is invalid.", param=param, code="account_number_invalid")
    raise invalid(
        "A live bank account cannot be used in test mode: use one of the published test IBANs.",
        param=param,
        code="account_number_invalid",
    )


def is_iban(iban: str) -> bool:
    """Whether the text has an IBAN's form and its check digits are right: with the first four letters moved
    to the end and A to Z read as 10 to 35, the number leaves 1 when divided by 97."""
    if not (15 <= len(iban) <= 34 and iban.isascii() and iban.isalnum() and iban[:2].isalpha()):
        return False
    return int("".join(str(int(letter, 36)) for letter in iban[4:] + iban[:4])) % 97 == 1
