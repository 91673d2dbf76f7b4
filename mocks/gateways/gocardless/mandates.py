"""Mandates: a customer's leave to collect from a bank account."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mocks.gateways.gocardless.collection import Collection, Query, stamp, timestamp
from mocks.gateways.gocardless.creditor import Creditor
from mocks.gateways.gocardless.customers import BankAccount, Customers
from mocks.gateways.gocardless.errors import invalid_state
from mocks.gateways.gocardless.events import Detail, Event
from mocks.gateways.gocardless.fields import Fields
from mocks.gateways.gocardless.schemes import BY_CURRENCY, BY_NAME, Scheme

if TYPE_CHECKING:
    from mocks.gateways.gocardless.payment import Payment

KNOWN = frozenset({"scheme", "reference", "links", "metadata", "payer_ip_address", "authorisation_source"})
FILTERS = ("creditor", "customer", "customer_bank_account", "reference", "status", "scheme")
USABLE = ("pending_customer_approval", "pending_submission", "submitted", "active")


@dataclass(slots=True)
class Mandate:
    """``pending`` are its payments that have not been submitted, by identifier."""

    id: str
    created: float
    account: BankAccount
    scheme: Scheme
    reference: str
    metadata: dict[str, str]
    status: str = "pending_submission"
    pending: dict[str, Payment] = field(default_factory=dict)


class Mandates:
    """All mandates. They are created without a customer's approval, so they start ``pending_submission``."""

    def __init__(self, creditor: Creditor, customers: Customers) -> None:
        self._creditor = creditor
        self._customers = customers
        self.all = Collection[Mandate]("mandates", self._body)

    def read(self, fields: Fields) -> tuple[str, str, str, dict[str, str]]:
        """The account's identifier, scheme, reference and metadata. Raises GoCardlessError (422)."""
        link = fields.link("customer_bank_account")
        fields.link("creditor", required=False)
        scheme = fields.text("scheme", choices=tuple(BY_NAME))
        reference, metadata = fields.text("reference", longest=35), fields.metadata()
        fields.done()
        return link, scheme, reference, metadata

    def create(self, link: str, scheme: str, reference: str, metadata: dict[str, str]) -> Mandate:
        """Raises GoCardlessError: there is no such account, or its currency is not the scheme's."""
        account = self._customers.accounts.linked(link)
        chosen = BY_NAME[scheme] if scheme else BY_CURRENCY[account.currency]
        if chosen.currency != account.currency:
            fields = Fields({}, "/mandates")
            fields.wrong("scheme", f"does not collect {account.currency}")
            fields.done()
        name = self._creditor.new_id("MD")
        now = stamp(self._creditor.clock)
        mandate = Mandate(name, now, account, chosen, reference or f"REF-{name[2:12]}", metadata)
        self.all.add(mandate)
        self._tell(mandate, "created", Detail("api", "mandate_created"))
        return mandate

    def cancel(self, mandate: Mandate) -> Event:
        """Raises GoCardlessError (422): it is over already."""
        if mandate.status not in USABLE:
            raise invalid_state("cancellation_failed", "Mandate cannot be cancelled in its present state")
        mandate.status = "cancelled"
        return self._tell(mandate, "cancelled", Detail("api", "mandate_cancelled"))

    def submit(self, mandate: Mandate) -> None:
        """Send it to the banks, unless that has happened."""
        if mandate.status == "pending_submission":
            mandate.status = "submitted"
            self._tell(mandate, "submitted", Detail("gocardless", "mandate_submitted"))

    def activate(self, mandate: Mandate) -> None:
        """The banks have set it up, unless that has happened."""
        self.submit(mandate)
        if mandate.status == "submitted":
            mandate.status = "active"
            self._tell(mandate, "active", Detail("gocardless", "mandate_activated"))

    def fail(self, mandate: Mandate) -> Event:
        """The bank knows no such account."""
        self.submit(mandate)
        mandate.status = "failed"
        detail = Detail("bank", "invalid_bank_details", mandate.scheme.name, "TEST")
        return self._tell(mandate, "failed", detail)

    def expire(self, mandate: Mandate) -> Event:
        self.activate(mandate)
        mandate.status = "expired"
        return self._tell(mandate, "expired", Detail("gocardless", "mandate_expired"))

    def page(self, asked: Query) -> dict[str, Any]:
        wanted = asked.filters
        states = wanted["status"].split(",") if "status" in wanted else None

        def fits(mandate: Mandate) -> bool:
            return (
                wanted.get("customer") in (None, mandate.account.customer.id)
                and wanted.get("customer_bank_account") in (None, mandate.account.id)
                and wanted.get("creditor") in (None, self._creditor.id)
                and wanted.get("reference") in (None, mandate.reference)
                and wanted.get("scheme") in (None, mandate.scheme.name)
                and (states is None or mandate.status in states)
            )

        return self.all.page(asked, fits)

    def _tell(self, mandate: Mandate, action: str, detail: Detail) -> Event:
        events = self._creditor.events
        return events.add("mandates", action, detail, {"mandate": mandate.id}, mandate.metadata)

    def _body(self, mandate: Mandate) -> dict[str, Any]:
        return {
            "id": mandate.id,
            "created_at": timestamp(mandate.created),
            "reference": mandate.reference,
            "status": mandate.status,
            "scheme": mandate.scheme.name,
            "next_possible_charge_date": timestamp(stamp(self._creditor.clock))[:10]
            if mandate.status in USABLE
            else None,
            "payments_require_approval": False,
            "metadata": mandate.metadata,
            "links": {
                "customer_bank_account": mandate.account.id,
                "creditor": self._creditor.id,
                "customer": mandate.account.customer.id,
            },
        }
