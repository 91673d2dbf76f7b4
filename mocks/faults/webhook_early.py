"""Webhooks arrive before the answer to the request that brought them about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, cast

from mocks.faults.fault import Call, Fault, FaultPlan, Parameter, Target, Value
from mocks.faults.matcher import matcher_of
from mocks.faults.webhook import WebhookFault
from mocks.reply import Reply

if TYPE_CHECKING:
    from mocks.gateways.call import Call as Request
    from mocks.webhook_delivery import WebhookDelivery

_SECOND = 1_000_000_000


class _Awaited:
    """A call whose answer waits: for these events, by their numbers; ``reply`` once it was to be sent."""

    __slots__ = ("call", "numbers", "reply")

    def __init__(self, call: Call, numbers: set[int]) -> None:
        self.call = call
        self.numbers = numbers
        self.reply: Reply | None = None


class WebhookEarly(WebhookFault):
    """The webhooks of a payment are delivered before the caller has the answer: they go out when the payment
    is made, and the answer is held until each was answered with a 2xx at one URL, or a time has passed.

    Stands for: an everyday race, which callers seldom prepare for because it is lost only under load: the
    webhook names a payment whose identifier they do not know yet.

    It is scoped and shared like a fault on requests, by default to those that make money move; ``event`` in
    ``match`` says which webhooks are waited for. A request that brings about no event is not touched.

    Hits are the answers that went out after their webhooks, or after having waited for them in vain.
    """

    name = "webhook_early"
    late = True
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "within": Parameter("duration", _SECOND, "how long an answer is held at most")
    }

    def __init__(self, plan: FaultPlan, target: Target, seed: int) -> None:
        super().__init__(plan, target, seed)
        requests = {trait: values for trait, values in plan.match.items() if trait != "event"}
        self._matcher = matcher_of(requests) if requests else None
        self._before = 0
        self._calls: dict[Call, _Awaited] = {}
        self._numbers: dict[int, _Awaited] = {}

    def _check_scope(self) -> None:
        """A request has every trait."""

    @classmethod
    def check(cls, params: Mapping[str, Value]) -> None:
        if not params["within"]:
            raise ValueError("fault webhook_early: within must be longer than 0, or no answer waits")

    def stop(self) -> None:
        super().stop()
        for awaited in tuple(self._calls.values()):
            self._release(awaited)
        self._calls.clear()
        self._numbers.clear()

    def concerns(self, call: Call) -> bool:
        return Fault.concerns(self, call) and (self.plan.endpoint is not None or call.pays)

    def touches_delivery(self, delivery: WebhookDelivery) -> bool:
        return False

    def executing(self, call: Call) -> Reply | None:
        self._before = self.outbox.added
        return None

    def executed(self, call: Call, reply: Reply) -> Reply:
        outbox = self.outbox
        numbers = {
            event.number
            for event in (
                outbox[number - outbox.forgotten]
                for number in range(max(self._before, outbox.forgotten), outbox.added)
            )
            if self.concerns_event(event.kind) and outbox.pending(event)
        }
        if numbers and self.on:
            awaited = self._calls[call] = _Awaited(call, numbers)
            self._numbers |= dict.fromkeys(numbers, awaited)
        return reply

    def sending(self, call: Call, reply: Reply) -> bool:
        awaited = self._calls.get(call)
        if awaited is None:
            return False
        call.hit_by(self)
        if not awaited.numbers:
            self._forget(awaited)
            return False
        awaited.reply = reply
        self.outbox.after(int(self.params["within"]), lambda: self._release(awaited))
        return True

    def attempted(self, delivery: WebhookDelivery, status: int) -> None:
        awaited = self._numbers.get(delivery.event.number)
        if awaited is None or delivery.forgery is not None:
            return
        delivery.touch(self.name)
        if 200 <= status < 300:
            del self._numbers[delivery.event.number]
            awaited.numbers.discard(delivery.event.number)
            if not awaited.numbers:
                self._release(awaited)

    def _release(self, awaited: _Awaited) -> None:
        if awaited.reply is None:
            return
        self._forget(awaited)
        reply, awaited.reply = awaited.reply, None
        if not cast("Request", awaited.call).over:
            from mocks.transmission import Transmission

            awaited.call.transmit(reply, Transmission(_whole))

    def _forget(self, awaited: _Awaited) -> None:
        self._calls.pop(awaited.call, None)
        for number in awaited.numbers:
            self._numbers.pop(number, None)


def _whole(head: bytes, body: bytes) -> Iterator[bytes]:
    yield head + body
