"""Reads lag behind writes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, ClassVar

import orjson

from mocks.faults.fault import Call, Fault, FaultPlan, Parameter, Target, Value
from mocks.reply import Reply

MOST = 20_000
"""Objects that are remembered; the oldest are forgotten first."""


class _Seen:
    """What answers have told of an object: its state, the one before, and when they changed. ``before`` is
    None while the object did not exist, which is not known of one that was first heard of by a read."""

    __slots__ = ("before", "changed_ns", "known_before", "now")

    def __init__(self, now: Reply, *, new: bool) -> None:
        self.now = now
        self.before: Reply | None = None
        self.known_before = new
        self.changed_ns: int | None = None


class StaleRead(Fault):
    """A GET of an object within a time after a write to it answers what it answered before the write, or 404
    when there was no such object yet. Lists and searches are not touched. Writes are carried out and answered
    as always.

    Stands for: reads that are served by a replica that lags, or by a cache. A platform that asks what became
    of a payment concludes from the stale answer that it does not exist, and charges again.

    It knows an object from the answers that were given while it is on: what the object was before its first
    such answer is not known, and then a read tells the truth. Hits are the reads that were stale.
    """

    name = "stale_read"
    late = True
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "lag": Parameter("duration", 1_000_000_000, "for how long after a write reads are stale")
    }

    def __init__(self, plan: FaultPlan, target: Target, seed: int) -> None:
        super().__init__(plan, target, seed)
        self._objects: OrderedDict[str, _Seen] = OrderedDict()

    @classmethod
    def check(cls, params: Mapping[str, Value]) -> None:
        if params["lag"] == 0:
            raise ValueError("fault stale_read: lag must be above 0")

    def start(self) -> None:
        self._objects.clear()

    def touches(self, call: Call) -> bool:
        # Every write is looked at; the scope and the share are of reads.
        return call.http_method != "GET" or super().touches(call)

    def answering(self, call: Call, reply: Reply) -> Reply:
        if not self.on or not 200 <= reply.status < 300:
            return reply
        path = call.exchange.request.path
        if call.http_method != "GET":
            self._written(path, reply)
            return reply
        seen = self._objects.get(path)
        if seen is None:
            if _identifier(reply.body) and path.endswith(f"/{_identifier(reply.body)}"):
                self._keep(path, _Seen(reply, new=False))
            return reply
        fresh = seen.changed_ns is None or self.now_ns() - seen.changed_ns >= int(self.params["lag"])
        if fresh or not seen.known_before:
            seen.now = reply
            return reply
        call.hit_by(self)
        return seen.before if seen.before is not None else call.error(404)

    def _written(self, path: str, reply: Reply) -> None:
        name = _identifier(reply.body)
        if not name:
            return
        new = name not in path
        # An action stands behind its object (/payments/PM1/actions/cancel), a new object behind its kind.
        place = f"{path}/{name}" if new else path[: path.index(name) + len(name)]
        seen = self._objects.get(place)
        if seen is None:
            seen = _Seen(reply, new=new)
            self._keep(place, seen)
        elif seen.now.body != reply.body:
            seen.before, seen.known_before, seen.now = seen.now, True, reply
        seen.changed_ns = self.now_ns()

    def _keep(self, place: str, seen: _Seen) -> None:
        self._objects[place] = seen
        if len(self._objects) > MOST:
            self._objects.popitem(last=False)


def _identifier(body: bytes) -> str:
    """``id`` of the object in a body, also of the one within an envelope of one field; empty without one."""
    try:
        value: Any = orjson.loads(body)
    except ValueError:
        return ""
    if isinstance(value, dict) and "id" not in value and len(value) == 1:
        (value,) = value.values()
    name = value.get("id") if isinstance(value, dict) else None
    return name if isinstance(name, str) else ""
