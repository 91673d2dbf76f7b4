"""Nothing moves, and its caller cannot know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mocks.faults.fault import Call, Fault, Parameter
from mocks.faults.lost_answer import LOOK, STATUS, lose_answer
from mocks.reply import Reply


class RejectBeforeCommit(Fault):
    """A payment is not executed, and its caller sees what it would see of ``commit_then_lose``, as late as
    an answer would have come: no answer at all, a reset, or an error. Its idempotency key stays free.

    Stands for: a request that is lost on its way to the gateway's database, a server that dies before its
    commit. The twin that a platform must tell from a lost answer before it charges anew.

    Hits are the payments that were not executed.
    """

    name = "reject_before_commit"
    decides = True
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {"look": LOOK, "status": STATUS}

    def concerns(self, call: Call) -> bool:
        return call.pays and super().concerns(call)

    def arrive(self, call: Call) -> None:
        call.fail(int(self.params["status"]))

    def sending(self, call: Call, reply: Reply) -> bool:
        return lose_answer(call, str(self.params["look"]))
