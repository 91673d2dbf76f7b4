"""The two requests of a Stripe payment, as bytes."""

from __future__ import annotations

from dataclasses import dataclass

CREATE = b"amount=1290&currency=eur&metadata[order_id]=o-1&payment_method_types[]=card"
CONFIRM = b"payment_method=pm_card_visa"
_ID = b'"id":'


@dataclass(frozen=True, slots=True)
class PaymentRequests:
    """What a payment's creation and its confirmation hold; servers differ in which of the two takes the
    payment method."""

    create_body: bytes = CREATE
    confirm_body: bytes = CONFIRM

    def create(self, key: str) -> bytes:
        """Make a payment that is still to be confirmed."""
        return post("/v1/payment_intents", key, self.create_body)

    def confirm(self, created: bytes, key: str = "confirm") -> bytes:
        """Confirm the payment that was made with this answer.

        Raises:
            ValueError: The answer holds no payment.
        """
        start = created.index(b"pi_", created.index(_ID))
        identifier = created[start : created.index(b'"', start)].decode("ascii")
        return post(f"/v1/payment_intents/{identifier}/confirm", key, self.confirm_body)


def post(path: str, key: str, body: bytes) -> bytes:
    """A POST of a form, with the headers that Stripe's own clients send."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: api.stripe.com\r\nAuthorization: Bearer sk_test_bench\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nIdempotency-Key: {key}\r\n"
        f"User-Agent: Stripe/v1 PythonBindings\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("latin-1") + body
