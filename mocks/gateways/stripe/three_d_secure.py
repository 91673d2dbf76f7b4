"""3-D Secure: payments whose payer has to be authenticated first, and how a test client does that.

A PaymentIntent that ``requires_action`` has a ``next_action`` with the URL of a page, which here is the
mock's own: in ``redirect_to_url[url]`` when a ``return_url`` was given, else in ``use_stripe_sdk`` under
``stripe_js``, where Stripe's own scripts would find it (second-hand). A GET or POST of it stands for the
payer who is authenticated; ``outcome=failed`` in the query or form, for one who is not. The answer is a
redirect to ``return_url`` with ``payment_intent``, ``payment_intent_client_secret`` and ``redirect_status``
in its query, as documented ("Authenticate with 3D Secure"), or just what became of the payment when there is
no such URL.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from mocks.gateways.stripe.errors import StripeError, invalid
from mocks.gateways.stripe.form import Parameters
from mocks.gateways.stripe.objects import text
from mocks.reply import Reply

if TYPE_CHECKING:
    from mocks.gateways.stripe.payment_intent import PaymentIntent

PAGE = "/3d_secure/authenticate"
"""The path of the page, before the token of the authentication."""

OUTCOMES = ("authenticated", "failed")

REQUIRED = StripeError(
    402,
    "card_error",
    "Your card was declined. This transaction requires authentication.",
    code="authentication_required",
    decline_code="authentication_required",
)
"""Off session there is nobody to authenticate."""

NOT_HANDLED = StripeError(
    402,
    "card_error",
    "This payment required an authentication action to complete, but `error_on_requires_action` was set.",
    code="authentication_required",
    decline_code="authentication_not_handled",
)

FAILED = StripeError(
    400,
    "invalid_request_error",
    "The provided PaymentMethod has failed authentication. Provide another PaymentMethod to attempt to "
    "fulfill this PaymentIntent again.",
    code="payment_intent_authentication_failure",
)


def off_session(parameters: Parameters) -> bool:
    """Whether the payer is said not to be there. Raises StripeError (400)."""
    value = text(parameters, "off_session")
    if value not in (None, "true", "false", "one_off", "recurring"):
        raise invalid("Invalid boolean: off_session", param="off_session")
    return value not in (None, "false")


class Authentications:
    """The authentications of one gateway.

    Args:
        new_id: Prefix -> a new identifier.
        authenticated: Goes on with a PaymentIntent, at ``time.monotonic_ns()``. Raises StripeError (402) when
            the card is declined after all.
        failed: Ends the attempt.
    """

    def __init__(
        self,
        new_id: Callable[[str], str],
        authenticated: Callable[[PaymentIntent, int], None],
        failed: Callable[[PaymentIntent], None],
    ) -> None:
        self._new_id = new_id
        self._authenticated = authenticated
        self._failed = failed
        self._by_token: dict[str, tuple[PaymentIntent, str | None]] = {}

    def begin(self, intent: PaymentIntent, return_url: str | None, base_url: str) -> dict[str, Any]:
        """The ``next_action`` of a PaymentIntent. ``base_url`` is where the client found the mock."""
        token = intent.authentication = self._new_id("src_")
        self._by_token[token] = intent, return_url
        url = f"{base_url}{PAGE}/{token}"
        if return_url is not None:
            return {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": url}}
        script = {"type": "three_d_secure_redirect", "source": token, "stripe_js": url}
        return {"type": "use_stripe_sdk", "use_stripe_sdk": script}

    def find(self, token: str) -> PaymentIntent:
        """Whose authentication this is. Raises StripeError (404) when there is none."""
        if token not in self._by_token:
            raise invalid(f"No such authentication: '{token}'", code="resource_missing", status=404)
        return self._by_token[token][0]

    def visit(self, token: str, outcome: str, at_ns: int) -> Reply:
        """The payer's visit of the page; a second one changes nothing. Raises StripeError (404)."""
        intent = self.find(token)
        if intent.status == "requires_action" and intent.authentication == token:
            if outcome == "failed":
                self._failed(intent)
            else:
                try:
                    self._authenticated(intent, at_ns)
                except StripeError as error:
                    if error.status != 402:
                        raise
        paid = intent.status in ("succeeded", "requires_capture", "processing")
        result = "succeeded" if intent.status == "succeeded" else "processing" if paid else "declined"
        status = "succeeded" if paid else "failed"
        return_url = self._by_token[token][1]
        if return_url is None:
            return Reply(200, orjson.dumps({"payment_intent": intent.id, "redirect_status": status}), result)
        url, mark, fragment = return_url.partition("#")
        location = (
            f"{url}{'&' if '?' in url else '?'}payment_intent={intent.id}"
            f"&payment_intent_client_secret={intent.client_secret}&redirect_status={status}{mark}{fragment}"
        )
        # What a caller wrote must not become a header of its own.
        safe = quote(location, safe=":/?#[]@!$&'()*+,;=%-._~")
        return Reply(302, b"", result, headers=(("Location", safe),))


def outcome_of(parameters: Parameters) -> str:
    """What the payer is to do on the page. Raises StripeError (400)."""
    outcome = text(parameters, "outcome") or OUTCOMES[0]
    if outcome not in OUTCOMES:
        raise invalid(f"Invalid outcome: must be one of {', '.join(OUTCOMES)}", param="outcome")
    return outcome
