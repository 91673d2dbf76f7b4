"""The gateway pays out less than it says."""

from __future__ import annotations

from mocks.faults.drift_fault import DriftFault


class PayoutDrift(DriftFault):
    """What reaches the merchant's bank account is less than the amount of the payout that the gateway's API,
    its events and its reports tell.

    Stands for: a payout that is cut on its way (a correspondent bank's charge, a reserve that was withheld
    without a word), or a mistake in the gateway's books that no item of the payout explains.

    Hits are the payouts that were less; one has to leave while the fault is on.
    """

    name = "payout_drift"
    kind = "payout"
    sign = -1
