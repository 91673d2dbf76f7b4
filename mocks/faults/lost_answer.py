"""What a caller sees of an answer that is lost: shared by faults that differ in what happened before."""

from __future__ import annotations

from mocks.faults.fault import Call, Parameter

LOOK = Parameter(
    "text",
    "timeout",
    "what the caller sees: timeout (no answer, the connection stays open), reset, or error (the status)",
    ("timeout", "reset", "error"),
)
STATUS = Parameter("status", 504, "the HTTP status of the error, in the gateway's own shape")


def lose_answer(call: Call, look: str) -> bool:
    """Lose the answer of a call in this way. Returns False for ``error``: that one has an answer."""
    if look == "timeout":
        call.hold()
    elif look == "reset":
        call.reset()
    return look != "error"
