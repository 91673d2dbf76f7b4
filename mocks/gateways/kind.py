"""What is known of a kind of gateway without starting one."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from mocks.faults.matcher import Traits
from mocks.latency import Latency

if TYPE_CHECKING:
    from mocks.gateways.gateway import Gateway


@dataclass(frozen=True, slots=True)
class GatewayType:
    """One kind of gateway.

    Attributes:
        name: What a scenario calls it.
        endpoints: The names of its endpoints, as in the journal and in a fault's scope.
        methods: The payment methods it takes.
        default_port: Where it listens when it is served by hand.
        payment_endpoints: Those of the endpoints that make money move: a payment, its capture.
        traits_of: The body of a request -> what it says of a payment; raises what reading it raises.
        error_body: HTTP status -> the body of an error of its own making, in its own shape.
        application: Module and class of the gateway itself, imported when one is made.
    """

    name: str
    endpoints: tuple[str, ...]
    methods: tuple[str, ...]
    default_port: int
    payment_endpoints: tuple[str, ...]
    traits_of: Callable[[bytes], Traits]
    error_body: Callable[[int], bytes]
    application: str

    def make(self, name: str, latency: Latency, seed: int) -> Gateway:
        """A gateway of this kind, without a server yet. ``name`` is what the journal calls it."""
        module, _, attribute = self.application.partition(":")
        kind = getattr(importlib.import_module(module), attribute)
        return cast("Gateway", kind(name, latency, seed))
