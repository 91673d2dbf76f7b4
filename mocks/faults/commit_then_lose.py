"""The money moves, and its caller never hears of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mocks.faults.fault import Call, Fault, Parameter
from mocks.faults.lost_answer import LOOK, STATUS, lose_answer
from mocks.reply import Reply


class CommitThenLose(Fault):
    """A payment or refund is executed, and its answer is lost: no answer at all, a reset, or an error. From
    outside it cannot be told from ``reject_before_commit``; only the idempotency key can, under which the
    true answer is kept, or a read, or a webhook.

    Stands for: the connection that breaks between the gateway's commit and its answer, a load balancer that
    gives up first (504). The commonest cause of double charges.

    Hits are the answers that were lost; those to refused or declined payments arrive, as do those that are
    due after the fault has stopped.
    """

    name = "commit_then_lose"
    late = True
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {"look": LOOK, "status": STATUS}

    def concerns(self, call: Call) -> bool:
        return call.http_method != "GET" and super().concerns(call)

    def answering(self, call: Call, reply: Reply) -> Reply:
        if self.params["look"] != "error" or not self._moved(call, reply):
            return reply
        call.hit_by(self)
        return call.error(int(self.params["status"]))

    def sending(self, call: Call, reply: Reply) -> bool:
        if self.params["look"] == "error" or not self._moved(call, reply):
            return False
        call.hit_by(self)
        return lose_answer(call, str(self.params["look"]))

    def _moved(self, call: Call, reply: Reply) -> bool:
        return self.on and call.moved(reply)
