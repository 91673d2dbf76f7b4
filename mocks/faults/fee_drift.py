"""The gateway withholds another fee than it says."""

from __future__ import annotations

from mocks.faults.drift_fault import DriftFault


class FeeDrift(DriftFault):
    """The fees that the gateway withholds from a payout are higher than its API, its events and its reports
    say. Callers see nothing of it: only who compares the fees that were told with those that were withheld.

    Stands for: a price list that was changed on one side only, interchange that is passed on with a mistake.

    Hits are the payouts whose fees drifted: fees are booked as a sum when a payout leaves, so one has to
    leave while the fault is on.
    """

    name = "fee_drift"
    kind = "fee"
    sign = 1
