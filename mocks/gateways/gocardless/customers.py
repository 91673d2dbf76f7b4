"""Customers and their bank accounts."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any

from mocks.gateways.gocardless.collection import Collection, Query, stamp, timestamp
from mocks.gateways.gocardless.creditor import Creditor
from mocks.gateways.gocardless.errors import invalid_state, usage
from mocks.gateways.gocardless.fields import Fields
from mocks.gateways.gocardless.schemes import BY_CURRENCY, CURRENCY_OF_COUNTRY

TEXTS = (
    "email",
    "given_name",
    "family_name",
    "company_name",
    "address_line1",
    "address_line2",
    "address_line3",
    "city",
    "region",
    "postal_code",
    "country_code",
    "language",
    "phone_number",
    "swedish_identity_number",
    "danish_identity_number",
)
KNOWN = frozenset({*TEXTS, "metadata"})
ACCOUNT_KNOWN = frozenset(
    {"account_holder_name", "account_number", "account_type", "bank_code", "branch_code", "country_code"}
    | {"currency", "iban", "links", "metadata"}
)
FILTERS = ("currency",)
ACCOUNT_FILTERS = ("customer", "enabled")

_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}\Z")


@dataclass(slots=True)
class Customer:
    id: str
    created: float
    texts: dict[str, str]
    metadata: dict[str, str]
    removed: bool = False


@dataclass(slots=True)
class BankAccount:
    """A customer's account. Of its number only the last two digits are kept, and a digest by which the same
    account is known again."""

    id: str
    created: float
    customer: Customer
    holder: str
    ending: str
    country: str
    currency: str
    digest: str
    metadata: dict[str, str]
    enabled: bool = True


class Customers:
    """All customers and all their bank accounts."""

    def __init__(self, creditor: Creditor) -> None:
        self._creditor = creditor
        self.all = Collection[Customer]("customers", body)
        self.accounts = Collection[BankAccount]("customer_bank_accounts", account_body)
        self._digests: dict[tuple[str, str], str] = {}

    def read(self, fields: Fields) -> Customer:
        """A customer that is not kept yet. Raises GoCardlessError (422)."""
        texts = {name: fields.text(name) for name in TEXTS}
        if texts["email"] and "@" not in texts["email"]:
            fields.wrong("email", "is invalid")
        if not texts["company_name"]:
            for name in ("given_name", "family_name"):
                if not texts[name]:
                    fields.wrong(name, "can't be blank")
        if texts["country_code"] and not re.fullmatch("[A-Z]{2}", texts["country_code"]):
            fields.wrong("country_code", "is invalid")
        metadata = fields.metadata()
        fields.done()
        return Customer("", 0, texts, metadata)

    def create(self, customer: Customer) -> Customer:
        customer.id, customer.created = self._creditor.new_id("CU"), stamp(self._creditor.clock)
        return self.all.add(customer)

    def get(self, name: str) -> Customer:
        """The customer that a path names. Raises GoCardlessError (404): there is none, or it was removed."""
        customer = self.all.get(name)
        if customer.removed:
            raise usage("resource_not_found", "Resource not found", 404)
        return customer

    def update(self, customer: Customer, fields: Fields) -> None:
        """Change what is given. Raises GoCardlessError (422)."""
        changed = self.read(fields.over({**customer.texts, "metadata": customer.metadata}))
        customer.texts, customer.metadata = changed.texts, changed.metadata

    def remove(self, customer: Customer) -> None:
        """It can be neither loaded nor listed any more. What belongs to it stays (assumed)."""
        customer.removed = True

    def read_account(self, fields: Fields) -> tuple[str, BankAccount]:
        """The customer's identifier, and an account that is not kept yet. Raises GoCardlessError (422)."""
        link = fields.link("customer")
        holder = fields.text("account_holder_name", required=True)
        iban = fields.text("iban").replace(" ", "").upper()
        country = fields.text("country_code") or iban[:2]
        number = fields.text("account_number")
        for name in ("account_type", "bank_code", "branch_code"):
            fields.text(name)
        if iban and not is_iban(iban):
            fields.wrong("iban", "is invalid")
        if not iban:
            if not number:
                fields.wrong("account_number", "can't be blank")
            elif not re.fullmatch("[0-9 -]{3,20}", number):
                fields.wrong("account_number", "is invalid")
            if not country:
                fields.wrong("country_code", "can't be blank")
        own = CURRENCY_OF_COUNTRY.get(country, "EUR")
        currency = fields.text("currency", choices=tuple(BY_CURRENCY)) or own
        metadata = fields.metadata()
        details = "/".join((iban, country, number, fields.text("branch_code"), fields.text("bank_code")))
        fields.done()
        digest = blake2b(details.encode(), digest_size=16).hexdigest()
        digits = re.sub("[^0-9A-Z]", "", iban or number)
        owner = Customer("", 0, {}, {})
        return link, BankAccount("", 0, owner, holder, digits[-2:], country, currency, digest, metadata)

    def create_account(self, link: str, account: BankAccount) -> BankAccount:
        """Raises GoCardlessError: no such customer, or the customer has this account already
        (``bank_account_exists``, 409)."""
        account.customer = self.all.linked(link)
        known = self._digests.get((link, account.digest))
        if known is not None and not self.accounts.get(known).enabled:
            # Published: the same details again enable an account that was disabled.
            again = self.accounts.get(known)
            again.enabled, again.holder, again.metadata = True, account.holder, account.metadata
            return again
        if known is not None:
            raise invalid_state(
                "bank_account_exists",
                "Bank account already exists",
                status=409,
                links={"customer_bank_account": known},
            )
        account.id, account.created = self._creditor.new_id("BA"), stamp(self._creditor.clock)
        self._digests[link, account.digest] = account.id
        return self.accounts.add(account)

    def disable(self, account: BankAccount) -> None:
        """Raises GoCardlessError (422): it is disabled already."""
        if not account.enabled:
            raise invalid_state("disable_failed", "The bank account is disabled already")
        account.enabled = False

    def moved(self, account: BankAccount) -> BankAccount:
        """The account at another bank to which the customer has moved; the old one is disabled."""
        account.enabled = False
        new = replace(
            account,
            id=self._creditor.new_id("BA"),
            created=stamp(self._creditor.clock),
            ending=account.ending[::-1],
            digest=f"{account.digest}/moved",
            enabled=True,
        )
        return self.accounts.add(new)

    def page(self, asked: Query) -> dict[str, Any]:
        return self.all.page(asked, lambda customer: not customer.removed)

    def account_page(self, asked: Query) -> dict[str, Any]:
        customer = asked.filters.get("customer")
        enabled = asked.filters.get("enabled")

        def fits(account: BankAccount) -> bool:
            shown = "true" if account.enabled else "false"
            return enabled in (None, shown) and customer in (None, account.customer.id)

        return self.accounts.page(asked, fits)


def is_iban(text: str) -> bool:
    """Whether the check digits are right (ISO 13616: mod 97 of the rearranged digits is 1)."""
    if not _IBAN.match(text):
        return False
    return int("".join(str(int(letter, 36)) for letter in text[4:] + text[:4])) % 97 == 1


def body(customer: Customer) -> dict[str, Any]:
    """The API's object."""
    return {
        "id": customer.id,
        "created_at": timestamp(customer.created),
        **{name: text or None for name, text in customer.texts.items()},
        "language": customer.texts["language"] or "en",
        "metadata": customer.metadata,
    }


def account_body(account: BankAccount) -> dict[str, Any]:
    """The API's object."""
    return {
        "id": account.id,
        "created_at": timestamp(account.created),
        "account_holder_name": account.holder,
        "account_number_ending": account.ending,
        "account_type": None,
        "bank_name": "PAYDRILL TEST BANK",
        "country_code": account.country,
        "currency": account.currency,
        "enabled": account.enabled,
        "links": {"customer": account.customer.id},
        "metadata": account.metadata,
    }
