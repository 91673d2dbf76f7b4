"""3-D Secure: payments whose shopper has to be authenticated first, and how a test client does that.

The redirect: ``/payments`` answers ``RedirectShopper`` with the URL of a page, which here is the mock's own.
A GET of it stands for the shopper's visit and is answered with a redirect to ``returnUrl``, with
``redirectResult`` in its query; that goes to ``/payments/details``. ``outcome=failed`` or
``outcome=canceled``, added to the page's query, stands for a shopper who fails or gives up.

The native flow: ``IdentifyShopper``, then with ``threeds2.fingerprint`` ``ChallengeShopper``, then with
``threeds2.challengeResult`` the result; or, as Adyen's own components do it, ``threeDSResult`` at once. The
results are base64 of JSON with ``transStatus``: Y and A are authenticated. The payment is found by
``paymentData`` or by the ``authorisationToken`` in the result. What the action's ``token`` holds for Adyen's
components is left out: it names the transaction only.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from urllib.parse import parse_qs, quote

import orjson

from mocks.draws import ALPHANUMERIC
from mocks.gateways.adyen import cards
from mocks.gateways.adyen.amounts import Body
from mocks.gateways.adyen.errors import AdyenError, invalid, missing
from mocks.gateways.adyen.payments import Payments
from mocks.gateways.adyen.request import PaymentRequest
from mocks.reply import Reply

PAGE = "/checkoutshopper/threeDS/redirect"
"""The path of the page that a shopper is redirected to."""

_OUTCOMES: dict[str, cards.Refusal | None] = {
    "authenticated": None,
    "failed": cards.NOT_AUTHENTICATED,
    "canceled": cards.SHOPPER_CANCELLED,
}


class Authentication:
    """A payment that waits for its shopper.

    Attributes:
        psp_reference: Of the payment.
        request: The payment request.
        answer: What ``/payments/details`` said in the end; it says the same again when asked again.
    """

    __slots__ = ("answer", "psp_reference", "request")

    def __init__(self, psp_reference: str, request: PaymentRequest) -> None:
        self.psp_reference = psp_reference
        self.request = request
        self.answer: Reply | None = None


class Authentications:
    """The authentications of one gateway.

    Args:
        payments: Makes the payment once its shopper is authenticated.
        new_token: Makes opaque tokens of the given length and alphabet.
    """

    def __init__(self, payments: Payments, new_token: Callable[[int, str], str]) -> None:
        self._payments = payments
        self._new_token = new_token
        self._by_token: dict[str, Authentication] = {}
        self._results: dict[str, tuple[Authentication, cards.Refusal | None]] = {}

    def begin(self, psp_reference: str, request: PaymentRequest, base_url: str) -> Reply:
        """Ask for the shopper. ``base_url`` is where the client found the mock."""
        token = self._new_token(32, ALPHANUMERIC)
        self._by_token[token] = Authentication(psp_reference, request)
        if request.flow == "redirect":
            action = {
                "type": "redirect",
                "method": "GET",
                "paymentMethodType": request.method,
                "url": f"{base_url}{PAGE}?MD={token}",
            }
            body: Body = {
                "pspReference": psp_reference,
                "resultCode": "RedirectShopper",
                "merchantReference": request.reference,
                "action": action,
            }
            return Reply(200, orjson.dumps(body), "processing")
        return _native("IdentifyShopper", "fingerprint", token)

    def visit(self, query: str) -> Reply:
        """The shopper's visit of the page. Raises AdyenError (404, 422)."""
        values = parse_qs(query)
        authentication = self._by_token.get(values.get("MD", [""])[0])
        if authentication is None or authentication.request.flow != "redirect":
            raise AdyenError(404, "000", "HTTP Status Response - Not Found", "security")
        outcome = values.get("outcome", ["authenticated"])[0]
        if outcome not in _OUTCOMES:
            raise invalid("702", f"outcome is one of {', '.join(_OUTCOMES)}.")
        result = self._new_token(32, ALPHANUMERIC)
        self._results[result] = authentication, _OUTCOMES[outcome]
        url, mark, fragment = authentication.request.return_url.partition("#")
        location = f"{url}{'&' if '?' in url else '?'}redirectResult={result}{mark}{fragment}"
        # What a caller wrote must not become a header of its own.
        safe = quote(location, safe=":/?#[]@!$&'()*+,;=%-._~")
        return Reply(302, b"", headers=(("Location", safe),))

    def find(self, body: Body) -> Authentication:
        """Whose details these are. Raises AdyenError (422)."""
        details = _details(body)
        result = details.get("redirectResult")
        if isinstance(result, str):
            if result not in self._results:
                raise invalid("14_003", "Invalid redirectResult")
            return self._results[result][0]
        token = body.get("paymentData")
        if token is None and "threeDSResult" in details:
            token = _decoded(details["threeDSResult"]).get("authorisationToken")
        if not isinstance(token, str):
            raise missing("paymentData")
        found = self._by_token.get(token)
        if found is None or found.request.flow != "native":
            raise invalid("14_003", "Invalid paymentData")
        return found

    def finish(self, authentication: Authentication, body: Body, at_ns: int) -> Reply:
        """Take what the shopper brought: the payment's result, or the next thing to ask the shopper for.

        Raises:
            AdyenError: 422.
        """
        if authentication.answer is not None:
            return authentication.answer
        details = _details(body)
        if isinstance(details.get("redirectResult"), str):
            refusal = self._results[details["redirectResult"]][1]
        elif "threeDSResult" in details or "threeds2.challengeResult" in details:
            encoded = details.get("threeDSResult", details.get("threeds2.challengeResult"))
            status = _decoded(encoded).get("transStatus")
            refusal = None if status in ("Y", "A") else cards.NOT_AUTHENTICATED
        elif "threeds2.fingerprint" in details:
            _decoded(details["threeds2.fingerprint"])
            return _native("ChallengeShopper", "challenge", body["paymentData"])
        else:
            raise missing("details.redirectResult")
        psp_reference, request = authentication.psp_reference, authentication.request
        if refusal is None:
            authentication.answer = self._payments.make(psp_reference, request, at_ns)
        else:
            authentication.answer = self._payments.refuse(psp_reference, request, refusal)
        return authentication.answer


def _native(result_code: str, subtype: str, token: str) -> Reply:
    action = {
        "type": "threeDS2",
        "subtype": subtype,
        "paymentMethodType": "scheme",
        "paymentData": token,
        "authorisationToken": token,
        "token": base64.b64encode(orjson.dumps({"threeDSServerTransID": token})).decode("ascii"),
    }
    return Reply(200, orjson.dumps({"resultCode": result_code, "action": action}), "processing")


def _details(body: Body) -> Body:
    details = body.get("details")
    if not isinstance(details, dict):
        raise missing("details")
    return details


def _decoded(value: object) -> Body:
    try:
        decoded = orjson.loads(base64.b64decode(value, validate=True)) if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        decoded = None
    if not isinstance(decoded, dict):
        raise AdyenError(422, "174", "Unable to decrypt data", "validation")
    return decoded
