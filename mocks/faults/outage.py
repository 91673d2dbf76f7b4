"""The gateway is gone."""

from __future__ import annotations

from mocks.faults.fault import Call, Fault


class Outage(Fault):
    """Connections are refused and the open ones are reset: the process has died, or its host is off the
    network. What was in flight and had not moved money never does, and its idempotency key is free again;
    what had moved money stays moved, though its caller never heard of it.

    Limited to an endpoint, a scope or a share of requests, or ramping, the socket goes on listening and the
    requests that are touched, those in flight at the start included, have their connections reset instead.

    Stands for: a gateway that crashes or loses its network, as in most of the full outages that gateways'
    status pages tell of.

    Hits are the connections reset plus the requests lost in flight. A refused connection is not among them:
    the system answers it for a socket that no longer listens, and nobody here can see it.
    """

    name = "outage"
    decides = True

    def start(self) -> None:
        if self.plan.whole:
            self.hits += self.target.go_dark(self.name)
        else:
            self.hits += self.target.cut_in_flight(self.touches, self.name)

    def stop(self) -> None:
        if self.plan.whole:
            self.target.come_back()

    def arrive(self, call: Call) -> None:
        call.reset()
