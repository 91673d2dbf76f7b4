"""The gateway forgets which requests it has had."""

from __future__ import annotations

from mocks.faults.fault import Call, Fault, within


class KeysLost(Fault):
    """A request whose idempotency key is known finds it forgotten: it is executed anew, as if its key had
    never been used. A key whose first request is still under way is not forgotten.

    Stands for: an idempotency store that is flushed, fails over to an empty replica, or keeps its keys for
    less time than was promised. A caller that counts on the key alone pays twice.

    Hits are the keys that were forgotten, each found by a request that used it again.
    """

    name = "keys_lost"
    inside = True

    def concerns(self, call: Call) -> bool:
        return call.http_method != "GET" and super().concerns(call) and within(call).knows_key

    def arrive(self, call: Call) -> None:
        within(call).forget_key()
