"""The creditor: the merchant on whose behalf everything happens, and what all resources share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mocks.gateways.gocardless.events import Events
from mocks.ledger import Ledger
from mocks.mock_clock import MockClock


@dataclass(frozen=True, slots=True)
class Creditor:
    """One merchant.

    Attributes:
        id: Its identifier.
        bank_account: The identifier of the account that its payouts go to.
        ledger: Where its money truly moves.
        clock: The mock's clock.
        events: Its events.
        new_id: Prefix -> a new identifier.
    """

    id: str
    bank_account: str
    ledger: Ledger
    clock: MockClock
    events: Events
    new_id: Callable[[str], str]
