"""Nobody can log in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mocks.faults.fault import Call, Fault, Parameter, gateway_of

TOKEN_ENDPOINT = "oauth2.token"  # noqa: S105 (a name)


class TokenOutage(Fault):
    """Authentication fails. At a gateway with OAuth (PayPal) the access tokens that were given out are
    forgotten at the start and its token endpoint answers with an error: a caller finds its token refused with
    401, and gets no new one. At the others, whose keys go with every request, every request but ``/health``
    is answered with the error. Nothing is executed.

    Stands for: an outage of the identity service alone, while the API behind it is healthy; tokens that are
    revoked with a rotated key.

    Hits are the requests that were answered with the error; those that PayPal refuses because of a forgotten
    token are the consequence.
    """

    name = "token_outage"
    decides = True
    inside = True
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {
        "status": Parameter("status", 401, "the HTTP status to answer, in the gateway's own shape")
    }

    def start(self) -> None:
        gateway_of(self.target).forget_tokens()

    def concerns(self, call: Call) -> bool:
        if gateway_of(self.target).has_tokens and call.endpoint != TOKEN_ENDPOINT:
            return False
        return call.endpoint != "health" and super().concerns(call)

    def arrive(self, call: Call) -> None:
        call.fail(int(self.params["status"]))
