"""The inbox: what the platform does with the webhooks of its gateways.

A webhook is answered with a 2xx once nothing of it can be lost: what only a gateway's events tell (disputes,
failed refunds) and what was read because of one (payouts) is on disk; a payment that has an outcome coming is
on disk as undecided, and is asked about until it has one. Each event is acted on once. What it leads to would
come out the same if it were acted on twice, or before an earlier one: an outcome is asked of the gateway
instead of being taken from the event, and facts are rows that are written once.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from mocks.platform.entry import Entry, Event
from mocks.platform.gateway import Gateway
from mocks.platform.janitor import Janitor
from mocks.platform.payment import UNDECIDED, Payment, Refund
from mocks.platform.payments import Payments
from mocks.platform.refunds import Refunds
from mocks.platform.verdict import Kind
from mocks.platform.webhooks import CERTIFICATE_URLS, READERS, ForgedError, Notice

MOST_CERTIFICATES = 16
"""How many certificates are kept; a gateway has one at a time."""


_HINTS = ("payment", "refund")
"""What notices only say that there is something to ask about. Nothing is written for them: what is undecided
is on disk as such."""


class LaterError(Exception):
    """It cannot be acted on now; the gateway shall deliver it again."""


class Inbox:
    """Takes webhooks.

    Args:
        payments, refunds, janitor: Of this platform.
        gateways: Name -> gateway.
        secrets: Name of a gateway -> what it signs webhooks with.
        urls: Name of a gateway -> its base URL, from which alone a certificate is taken.
    """

    def __init__(
        self,
        payments: Payments,
        refunds: Refunds,
        janitor: Janitor,
        gateways: Mapping[str, Gateway],
        secrets: Mapping[str, str],
        urls: Mapping[str, str],
    ) -> None:
        self.payments = payments
        self.refunds = refunds
        self.janitor = janitor
        self.gateways = gateways
        self.secrets = secrets
        self.urls = urls
        self._certificates: dict[tuple[str, str], bytes] = {}
        self._store = payments.store

    def listens_to(self, gateway: str) -> bool:
        """Whether webhooks of this gateway can be verified here."""
        return gateway in READERS and gateway in self.gateways and bool(self.secrets.get(gateway))

    async def certify(self, gateway: str, headers: Mapping[str, str]) -> None:
        """Fetch the certificate that a webhook of this gateway is to be verified with, unless it is here.

        Raises:
            ForgedError: It names none, or one that is not the gateway's own.
            LaterError: The gateway did not give it.
        """
        url = CERTIFICATE_URLS[gateway](headers)
        if (gateway, url) in self._certificates:
            return
        parts, own = urlsplit(url), self.urls[gateway].rstrip("/")
        if f"{parts.scheme}://{parts.netloc}" != own or not parts.path.isascii():
            raise ForgedError("the certificate is not the gateway's own")
        certificate = await self.gateways[gateway].fetch(parts.path)
        if certificate is None:
            raise LaterError("the gateway does not give its certificate")
        if len(self._certificates) >= MOST_CERTIFICATES:
            self._certificates.clear()
        self._certificates[gateway, url] = certificate

    def certified(self, gateway: str, headers: Mapping[str, str]) -> bool:
        """Whether a webhook can be read at once; ``certify`` comes first if not."""
        find = CERTIFICATE_URLS.get(gateway)
        return find is None or (gateway, find(headers)) in self._certificates

    def read(self, gateway: str, headers: Mapping[str, str], body: bytes, now: float) -> tuple[Notice, ...]:
        """Verify a webhook of a gateway that is listened to. ``now`` is in Unix seconds.

        Raises:
            ForgedError: It is not signed by the gateway, or too old.
            ValueError: It is signed, but not what the gateway sends.
        """
        try:
            find = CERTIFICATE_URLS.get(gateway)
            certificate = b"" if find is None else self._certificates.get((gateway, find(headers)), b"")
            return READERS[gateway](headers, body, self.secrets[gateway], now, certificate)
        except UnicodeEncodeError as error:
            raise ForgedError("the signature is no ASCII") from error

    def hear(self, gateway: str, notices: tuple[Notice, ...]) -> bool:
        """Act on what a webhook says at once, if nothing has to be written down for it: most of them tell of
        a payment that is decided here.

        Returns:
            Whether that was all; if not, nothing was done, and ``take`` comes next.

        Raises:
            StoreError: The store could not be read.
        """
        for notice in notices:
            if notice.about not in _HINTS:
                return False
        if self.janitor.busy:
            for notice in notices:
                self._hurry(gateway, notice)
        return True

    async def take(self, gateway: str, notices: tuple[Notice, ...]) -> None:
        """Act on what a webhook says, durably.

        Raises:
            LaterError: Not all of it could be acted on.
            StoreError: It could not be stored.
        """
        for notice in notices:
            if notice.about in _HINTS:
                self._hurry(gateway, notice)
                continue
            event = Event(gateway, notice.id)
            if self._store.acted_on(event):
                continue
            if notice.about == "refund_failed":
                await self._refund_failed(gateway, notice)
            elif notice.about == "dispute":
                await self._dispute(gateway, notice)
            else:
                await self.book_payout(gateway, notice.reference)
            await self._store.put(event)

    def _hurry(self, gateway: str, notice: Notice) -> None:
        if not self.janitor.busy:
            return
        if notice.about == "refund":
            refund = self._refund(gateway, notice)
            ids = [refund.id] if refund is not None else []
        elif notice.order_id:
            ids = [
                payment.id
                for payment in self._store.payments_of_order(notice.order_id)
                if payment.gateway == gateway and payment.status in UNDECIDED
            ]
        else:
            ids = [notice.payment_id]
        for id in ids:
            self.janitor.hurry(id)

    async def _refund_failed(self, gateway: str, notice: Notice) -> None:
        """A refund that the gateway could not make. One whose answer has not come yet has no reference, by
        which Adyen's events name it: the event is taken when it has."""
        payment = self._payment(gateway, notice.payment, "")
        if payment is not None:
            await self.refunds.ended(payment.id)
        refund = self._refund(gateway, notice)
        if refund is None:
            if payment is not None and self._asked_about(payment):
                raise LaterError("a refund of this payment has no outcome yet")
            return
        await self.refunds.bounce(refund, f"{gateway} could not make the refund")
        self.janitor.hurry(refund.id)

    async def _dispute(self, gateway: str, notice: Notice) -> None:
        payment = self._payment(gateway, notice.payment, notice.payment_id)
        if payment is None:
            if notice.late:
                return
            raise LaterError("the disputed payment is not known yet")
        if payment.status in UNDECIDED:
            self.janitor.hurry(payment.id)
            if notice.late:
                verdict = await self.gateways[gateway].find_out(payment)
                if verdict.kind in (Kind.UNKNOWN, Kind.ACCEPTED):
                    raise LaterError("the gateway does not say whether the payment had been taken")
                if verdict.kind is not Kind.TAKEN:
                    return
        elif notice.late and payment.status != "succeeded":
            return
        # GoCardless names no amount: all of it goes back.
        amount = notice.amount_minor if notice.currency else notice.amount_minor * payment.amount_minor
        await self._store.put(
            Entry("dispute", gateway, notice.reference, payment.order_id, amount, payment.currency)
        )

    async def book_payout(self, gateway: str, reference: str) -> None:
        """Book what a payout holds, once, however often it is told of.

        Raises:
            LaterError: The gateway does not say now.
            StoreError: It could not be stored.
        """
        payout = await self.gateways[gateway].payout(reference)
        if payout is None:
            raise LaterError("the gateway does not say what the payout holds")
        reference, currency = payout.reference, payout.currency
        if payout.fee_minor:
            await self._store.put(Entry("fee", gateway, reference, "", payout.fee_minor, currency))
        await self._store.put(Entry("payout", gateway, reference, "", payout.amount_minor, currency))

    def _payment(self, gateway: str, reference: str, payment_id: str) -> Payment | None:
        if payment_id:
            return self._store.payment(payment_id)
        return self._store.payment_at(gateway, reference) if reference else None

    def _refund(self, gateway: str, notice: Notice) -> Refund | None:
        if notice.refund_id:
            return self._store.refund(notice.refund_id)
        return self._store.refund_at(gateway, notice.reference)

    def _asked_about(self, payment: Payment) -> bool:
        return any(refund.status in UNDECIDED for refund in self._store.refunds_of(payment.id))
