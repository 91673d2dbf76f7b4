"""The process is killed."""

from __future__ import annotations

from mocks.faults.process_fault import ProcessFault


class Kill(ProcessFault):
    """The process of a gateway, or of the platform, is killed (SIGKILL): nothing is flushed, nobody is told.
    Callers see their connections closed or reset in the middle of a request, and new ones refused until it is
    back. What it had not executed never happens; what it had is known when it comes back.

    Stands for: the out-of-memory killer, a machine that fails, a container that is moved without mercy.
    """

    name = "kill"
    orderly = False
