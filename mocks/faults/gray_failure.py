"""The gateway looks healthy and takes no payment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mocks.faults.fault import Call, Parameter
from mocks.faults.lost_answer import LOOK, STATUS
from mocks.faults.reject_before_commit import RejectBeforeCommit


class GrayFailure(RejectBeforeCommit):
    """Every payment fails, by default without an answer, and nothing of it is executed; ``/health``, reads
    and everything else work as always.

    Stands for: a gateway whose database for payments is down behind web servers that are up. A monitor that
    asks ``/health`` sees nothing.

    Hits are the payments that failed.
    """

    name = "gray_failure"
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {"look": LOOK, "status": STATUS}

    def concerns(self, call: Call) -> bool:
        return call.endpoint != "health" and super().concerns(call)
