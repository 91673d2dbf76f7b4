"""A verdict: what an answer of a gateway says about the money."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """What became of a charge or a refund at one gateway."""

    TAKEN = "taken"
    """The money moved. Final."""

    ACCEPTED = "accepted"
    """The gateway collects the money and says later whether it came: a bank debit. Final for the call."""

    DECLINED = "declined"
    """The gateway works and said no. Final, and no reason to try elsewhere."""

    NOT_TAKEN = "not_taken"
    """The money did not move and won't: the request was never sent, was refused before it was carried out,
    or the gateway says that it has no such payment and can't come to have it."""

    THROTTLED = "throttled"
    """Not carried out, come back later (429). No sign of an outage."""

    BUSY = "busy"
    """An earlier request with the same idempotency key is still being carried out."""

    UNKNOWN = "unknown"
    """It may have moved, or may move yet."""


class Verdict(NamedTuple):
    """A verdict and what goes with it.

    Attributes:
        reference: The gateway's own id of the payment or refund, where it named one.
        decline_code: Why it was declined, in Stripe's words.
        reason: In a few words, for people; never quotes a request.
        wait_ns: How long the gateway asks a throttled caller to wait.
        in_flight: Something that was sent for it had no answer, and may still be under way.
    """

    kind: Kind
    reference: str = ""
    decline_code: str = ""
    reason: str = ""
    wait_ns: int = 0
    in_flight: bool = False


def unknown(reason: str) -> Verdict:
    return Verdict(Kind.UNKNOWN, reason=reason)


def not_taken(reason: str) -> Verdict:
    return Verdict(Kind.NOT_TAKEN, reason=reason)
