"""What an order is paid with: a PayPal wallet, a card, Apple Pay or Google Pay."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mocks.gateways.paypal.cards import CANCELED, Card, card_of
from mocks.gateways.paypal.errors import PayPalError
from mocks.gateways.paypal.fields import Body, part, text, url

KINDS = ("paypal", "card", "apple_pay", "google_pay")


@dataclass(frozen=True, slots=True)
class Source:
    """A payment source.

    Attributes:
        kind: One of ``KINDS``.
        name: Of the payer, or on the card; it may be a trigger.
        ready: It can be charged without another step of the payer.
        card: For ``card`` only.
        return_url: Where the payer's page leads to; ``cancel_url`` when the payer says no.
    """

    kind: str
    name: str = ""
    ready: bool = False
    card: Card | None = None
    return_url: str = ""
    cancel_url: str = ""

    @property
    def awaits_payer(self) -> bool:
        """The payer has to follow the link ``payer-action``."""
        return not self.ready and self.kind in ("paypal", "card")

    def refused(self) -> Source:
        """The same after its holder did not authenticate."""
        assert self.card is not None
        return replace(self, card=self.card._replace(authentication=CANCELED))

    def body(self, payer: Body) -> Body:
        """``payment_source`` of an answer. ``payer`` is the wallet's account, empty as long as it is
        unknown."""
        if self.card is not None:
            return {"card": self.card.body()}
        if self.kind == "paypal":
            return {"paypal": payer}
        return {self.kind: {"name": self.name} if self.name else {}}


def source_of(body: Body, month: str) -> Source | None:
    """Read ``payment_source`` of a request; None when it is left out. ``month`` is the present one,
    ``YYYY-MM``.

    An Apple Pay or Google Pay source is ready when it holds a ``decrypted_token`` or a ``vault_id``, and is
    confirmed by ``confirm-payment-source`` else.

    Raises:
        PayPalError: 400, 422.
    """
    sources = part(body, "payment_source", "")
    if not sources:
        return None
    if set(sources) - set(KINDS):
        raise PayPalError("NOT_SUPPORTED", "/payment_source")
    if len(sources) > 1:
        raise PayPalError("ONLY_ONE_PAYMENT_SOURCE_ALLOWED", "/payment_source")
    (kind,) = sources
    where = f"/payment_source/{kind}"
    node = part(sources, kind, "/payment_source")
    context, context_at = part(node, "experience_context", where), f"{where}/experience_context"
    return_url, cancel_url = url(context, "return_url", context_at), url(context, "cancel_url", context_at)
    if kind == "card":
        card = card_of(node, where, month)
        challenged = card.authentication is not None and card.authentication.challenge
        return Source(kind, card.name, not challenged, card, return_url, cancel_url)
    vaulted = bool(text(node, "vault_id", where, longest=255))
    if kind == "paypal":
        name = text(part(node, "name", where), "given_name", f"{where}/name", longest=140)
        return Source(kind, name, vaulted, None, return_url, cancel_url)
    name = text(node, "name", where, longest=300)
    ready = vaulted or bool(part(node, "decrypted_token", where))
    return Source(kind, name, ready, None, return_url, cancel_url)
