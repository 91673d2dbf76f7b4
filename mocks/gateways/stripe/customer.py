"""A customer: whom the merchant knows, and whose PaymentMethods are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TEXTS = ("email", "name", "phone", "description")


@dataclass(slots=True)
class Customer:
    """``place`` is its number among all customers, ``texts`` has those of ``TEXTS`` that are known.

    Attributes:
        default_method: The identifier of the PaymentMethod for invoices.
        deleted: It is gone; its identifier is still known.
    """

    id: str
    place: int
    created: int
    texts: dict[str, str | None]
    metadata: dict[str, str]
    address: dict[str, str | None] | None = None
    shipping: dict[str, Any] | None = None
    default_method: str | None = None
    deleted: bool = False

    def body(self) -> dict[str, Any]:
        """The API's object."""
        if self.deleted:
            return {"id": self.id, "object": "customer", "deleted": True}
        return {
            "id": self.id,
            "object": "customer",
            "address": self.address,
            "balance": 0,
            "created": self.created,
            "currency": None,
            "default_source": None,
            "delinquent": False,
            "description": self.texts.get("description"),
            "discount": None,
            "email": self.texts.get("email"),
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": self.default_method,
                "footer": None,
                "rendering_options": None,
            },
            "livemode": False,
            "metadata": self.metadata,
            "name": self.texts.get("name"),
            "phone": self.texts.get("phone"),
            "preferred_locales": [],
            "shipping": self.shipping,
            "tax_exempt": "none",
            "test_clock": None,
        }
