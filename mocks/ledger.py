"""A gateway's ledger: the money that truly moved, append-only."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from journal.records import Movement
from mocks.drift import Drift


class OverRefundError(ValueError):
    """The refund is larger than what is left of the capture.

    ``left_minor`` is what could be refunded.
    """

    def __init__(self, asked_minor: int, left_minor: int) -> None:
        super().__init__(f"{asked_minor} asked, {left_minor} left to refund")
        self.left_minor = left_minor


class Ledger:
    """Captures, refunds, disputes, fees and payouts of one gateway.

    A capture happens once per reference, and the refunds of a capture never exceed it: whatever a caller
    does, these two hold. ``at_ns`` are readings of ``time.monotonic_ns()``.

    Args:
        gateway: Its name, part of every movement.
        moved: Called with every movement after it has been appended.

    Attributes:
        drifts: What makes fees and payouts other than the gateway tells, in the order in which they act.
    """

    def __init__(self, gateway: str, moved: Callable[[Movement], None] = lambda movement: None) -> None:
        self.gateway = gateway
        self._moved = moved
        self._movements: list[Movement] = []
        self._captures: dict[str, Movement] = {}
        self._refunded: dict[str, int] = {}
        self._disputed: dict[str, int] = {}
        self.drifts: list[Drift] = []

    def __iter__(self) -> Iterator[Movement]:
        return iter(self._movements)

    def __len__(self) -> int:
        return len(self._movements)

    def capture(
        self, reference: str, order_id: str, amount_minor: int, currency: str, at_ns: int
    ) -> Movement:
        """Take the money of a payment.

        Raises:
            ValueError: The amount is not positive, or this reference has been captured before.
        """
        if amount_minor <= 0:
            raise ValueError(f"a capture of {amount_minor}")
        if reference in self._captures:
            raise ValueError(f"{reference} has been captured before")
        movement = Movement(self.gateway, "capture", reference, "", order_id, amount_minor, currency, at_ns)
        self._captures[reference] = movement
        self._append(movement)
        return movement

    def refund(self, reference: str, capture: str, amount_minor: int, at_ns: int) -> Movement:
        """Give back money of the capture with the reference ``capture``.

        Raises:
            KeyError: There is no such capture.
            OverRefundError: More is asked than is left.
            ValueError: The amount is not positive.
        """
        left = self.refundable(capture)
        if amount_minor <= 0:
            raise ValueError(f"a refund of {amount_minor}")
        if amount_minor > left:
            raise OverRefundError(amount_minor, left)
        taken = self._captures[capture]
        movement = Movement(
            self.gateway, "refund", reference, capture, taken.order_id, amount_minor, taken.currency, at_ns
        )
        self._refunded[capture] = self.refunded(capture) + amount_minor
        self._append(movement)
        return movement

    def return_refund(self, reference: str, capture: str, amount_minor: int, at_ns: int) -> Movement:
        """A refund did not reach its payer, and its money is back: a ``refund`` of a negative amount, which
        may be refunded anew.

        Raises:
            KeyError: There is no such capture.
            ValueError: The amount is not positive, or more than was refunded.
        """
        taken = self._captures[capture]
        if not 0 < amount_minor <= self.refunded(capture):
            raise ValueError(f"a return of {amount_minor} of {self.refunded(capture)} refunded")
        movement = Movement(
            self.gateway, "refund", reference, capture, taken.order_id, -amount_minor, taken.currency, at_ns
        )
        self._refunded[capture] -= amount_minor
        self._append(movement)
        return movement

    def dispute(self, reference: str, capture: str, amount_minor: int, at_ns: int) -> Movement:
        """Money of a capture that its payer has fetched back through the bank.

        Raises:
            KeyError: There is no such capture.
            ValueError: The amount is not positive, or more than was captured.
        """
        taken = self._captures[capture]
        if not 0 < amount_minor <= taken.amount_minor:
            raise ValueError(f"a dispute of {amount_minor} of a capture of {taken.amount_minor}")
        movement = Movement(
            self.gateway, "dispute", reference, capture, taken.order_id, amount_minor, taken.currency, at_ns
        )
        self._disputed[capture] = self._disputed.get(capture, 0) + amount_minor
        self._append(movement)
        return movement

    def return_dispute(self, reference: str, capture: str, amount_minor: int, at_ns: int) -> Movement:
        """Disputed money is back: a ``dispute`` of a negative amount.

        Raises:
            KeyError: There is no such capture.
            ValueError: The amount is not positive, or more than is disputed.
        """
        taken = self._captures[capture]
        if not 0 < amount_minor <= self._disputed.get(capture, 0):
            raise ValueError(f"a return of {amount_minor} of {self._disputed.get(capture, 0)} disputed")
        movement = Movement(
            self.gateway, "dispute", reference, capture, taken.order_id, -amount_minor, taken.currency, at_ns
        )
        self._disputed[capture] -= amount_minor
        self._append(movement)
        return movement

    def fee(self, reference: str, parent: str, amount_minor: int, currency: str, at_ns: int) -> Movement:
        """What the gateway keeps for itself, as a sum over many payments: one movement each would cost the
        journal as much as the payments do. ``parent`` is the payout it was withheld from, empty if none."""
        amount_minor = self._drifted("fee", amount_minor)
        movement = Movement(self.gateway, "fee", reference, parent, "", amount_minor, currency, at_ns)
        self._append(movement)
        return movement

    def payout(self, reference: str, amount_minor: int, currency: str, at_ns: int) -> Movement:
        """Money that leaves for the merchant's bank account; negative when the bank sends it back."""
        amount_minor = self._drifted("payout", amount_minor)
        movement = Movement(self.gateway, "payout", reference, "", "", amount_minor, currency, at_ns)
        self._append(movement)
        return movement

    def captured(self, reference: str) -> int:
        """The amount captured under a reference, in the minor unit; 0 if none was."""
        movement = self._captures.get(reference)
        return movement.amount_minor if movement is not None else 0

    def refunded(self, capture: str) -> int:
        """The sum of the refunds of a capture, in the minor unit; 0 if there is no such capture."""
        return self._refunded.get(capture, 0)

    def refundable(self, capture: str) -> int:
        """What is left of a capture, in the minor unit. Raises KeyError if there is no such capture."""
        return self._captures[capture].amount_minor - self._refunded.get(capture, 0)

    def _drifted(self, kind: str, amount_minor: int) -> int:
        for drift in self.drifts:
            if drift.kind == kind:
                amount_minor = drift.change(amount_minor)
        return amount_minor

    def _append(self, movement: Movement) -> None:
        self._movements.append(movement)
        self._moved(movement)
