"""Mandates: a customer's leave to collect from a bank account."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mocks.gateways.gocardless import working_days
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
UNBORN = ("pending_submission", "submitted")
"""Mandates that the banks have not set up yet."""

OVER = ("cancelled", "expired")
"""Mandates that can be reinstated."""

MOST_REINSTATEMENTS = 10

_ACTIVE = ("active", "mandate_activated")


@dataclass(slots=True)
class Mandate:
    """``pending`` are its payments that have not been submitted, by identifier; ``since`` is when it last set
    out for the banks, in Unix seconds; ``reinstated`` counts how often it was reinstated."""

    id: str
    created: float
    account: BankAccount
    scheme: Scheme
    reference: str
    metadata: dict[str, str]
    since: float
    status: str = "pending_submission"
    reinstated: int = 0
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
        mandate = Mandate(name, now, account, chosen, reference or f"REF-{name[2:12]}", metadata, now)
        self.all.add(mandate)
        self._tell(mandate, "created", Detail("api", "mandate_created"))
        return mandate

    def cancel(self, mandate: Mandate, cause: str = "mandate_cancelled") -> Event:
        """Raises GoCardlessError (422): it is over already."""
        if mandate.status not in USABLE:
            raise invalid_state("cancellation_failed", "Mandate cannot be cancelled in its present state")
        mandate.status = "cancelled"
        return self._tell(mandate, "cancelled", Detail("api", cause))

    def of_account(self, account: BankAccount) -> list[Mandate]:
        """The mandates of an account that are not over."""
        return [row for row in self.all if row.account is account and row.status in USABLE]

    def reinstate(self, mandate: Mandate) -> None:
        """Send one that is over to the banks anew.

        Raises:
            GoCardlessError (422): It is not over (``mandate_not_inactive``), has failed, its account is
                disabled, or it was reinstated ``MOST_REINSTATEMENTS`` times. The reason of the last three is
                assumed.
        """
        if mandate.status in USABLE:
            raise invalid_state("mandate_not_inactive", "Mandate is active or being submitted already")
        if (
            mandate.status not in OVER
            or not mandate.account.enabled
            or mandate.reinstated >= MOST_REINSTATEMENTS
        ):
            raise invalid_state("mandate_reinstate_failed", "Mandate cannot be reinstated")
        mandate.reinstated += 1
        self._resubmit(mandate, Detail("api", "mandate_reinstated"))

    def transfer(self, mandate: Mandate, *, resubmit: bool) -> None:
        """The customer has moved to another account, and the mandate with it."""
        self.activate(mandate)
        old, new = mandate.account, self._customers.moved(mandate.account)
        mandate.account = new
        links = {"previous_customer_bank_account": old.id, "new_customer_bank_account": new.id}
        detail = Detail("bank", "bank_account_transferred", mandate.scheme.name, "TEST")
        self._tell(mandate, "transferred", detail, links)
        if resubmit:
            self._resubmit(mandate, Detail("gocardless", "resubmission_requested"))

    def next_charge_day(self, mandate: Mandate) -> int:
        """The first working day on which a payment that is created now can be charged."""
        days = mandate.scheme.days
        submitted = working_days.later(working_days.taken_on(self._creditor.clock.now()), days.submitted)
        if mandate.status in UNBORN and not mandate.scheme.with_first_payment:
            active = working_days.later(working_days.taken_on(mandate.since), days.mandate)
            submitted = max(submitted, active)
        return working_days.later(submitted, days.charged - days.submitted)

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
            action, cause = ("reinstated", "mandate_reinstated") if mandate.reinstated else _ACTIVE
            self._tell(mandate, action, Detail("gocardless", cause))

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

    def _resubmit(self, mandate: Mandate, detail: Detail) -> None:
        mandate.status, mandate.since = "pending_submission", stamp(self._creditor.clock)
        self._tell(mandate, "resubmission_requested", detail)

    def _tell(
        self, mandate: Mandate, action: str, detail: Detail, links: dict[str, str] | None = None
    ) -> Event:
        own = {"mandate": mandate.id, **(links or {})}
        return self._creditor.events.add("mandates", action, detail, own, mandate.metadata)

    def _body(self, mandate: Mandate) -> dict[str, Any]:
        return {
            "id": mandate.id,
            "created_at": timestamp(mandate.created),
            "reference": mandate.reference,
            "status": mandate.status,
            "scheme": mandate.scheme.name,
            "next_possible_charge_date": working_days.text(self.next_charge_day(mandate))
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
