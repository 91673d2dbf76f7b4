"""The process is stopped in order, and started again."""

from __future__ import annotations

from mocks.faults.process_fault import ProcessFault


class Restart(ProcessFault):
    """The process of a gateway, or of the platform, stops as it does at SIGTERM: it takes no new connections,
    answers what it can within a second or two, and ends. Callers see the rest of their connections closed and
    new ones refused until it is back.

    Stands for: a deployment without a second instance, a restart for a changed
    setting or a renewed certificate.
    """

    name = "restart"
    orderly = True
