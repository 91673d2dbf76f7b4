"""What an experiment looks at: the faults, the platform's success rate, and its money."""

from __future__ import annotations

import secrets as random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from paydrill.admin_client import UnreachableError, request
from paydrill.chaostoolkit.servers import Configuration, Secrets, admins, platform

__all__ = ["faults_are_clear", "money_is_whole", "success_rate", "success_rate_holds"]

MOST_PAYMENTS = 1000
AT_A_TIME = 8
PAYMENT_TIMEOUT_S = 10.0
AGAIN_S = 0.2

Move = tuple[str, str, str, str, int]
"""Kind, order, gateway, currency, amount in its minor unit."""


def faults_are_clear(configuration: Configuration | None = None, secrets: Secrets | None = None) -> bool:
    """Whether no fault is on or to come, on any of the servers. Tolerance: ``true``.

    Raises:
        UnreachableError: A server doesn't answer, or there is none.
    """
    return not any(client.faults()["faults"] for client in admins(configuration, secrets))


def success_rate(
    payments: int = 20,
    method: str = "card",
    instrument: str = "card_visa",
    currency: str = "EUR",
    amount_minor: int = 1290,
    configuration: Configuration | None = None,
) -> float:
    """Pay, and tell which share of the payments succeeded, from 0 to 1. A tolerance of the experiment's own
    can be put on it, e.g. ``{"type": "range", "range": [0.98, 1]}``.

    What counts is the platform's answer to ``POST /payments`` within 10 s: 201 ``succeeded``. Some 8 payments
    are under way at a time. They are real payments of the platform, and stay in its ledger.

    Args:
        payments: How many, up to 1000.
        method, instrument, currency, amount_minor: Of each payment; ``instrument`` is a token of the
            platform's vault for a test card that succeeds.

    Raises:
        ValueError: There can be no such number of payments.
    """
    if not 1 <= payments <= MOST_PAYMENTS:
        raise ValueError(f"payments: from 1 to {MOST_PAYMENTS} can be made, not {payments}")
    url = platform(configuration)
    run = random.token_hex(4)

    def pay(number: int) -> bool:
        order = f"chaos-{run}-{number}"
        body = {"order_id": order, "amount_minor": amount_minor, "currency": currency}
        body |= {"method": method, "instrument": instrument}
        try:
            headers = {"Idempotency-Key": order}
            status, claim = request(url, "POST", "/payments", body, headers, PAYMENT_TIMEOUT_S)
        except UnreachableError:
            return False
        if status == 400:
            raise ValueError(
                f"the platform takes no such payment: {claim.get('field')}: {claim.get('error')}"
            )
        return status == 201 and claim.get("status") == "succeeded"

    with ThreadPoolExecutor(max_workers=AT_A_TIME) as pool:
        return sum(pool.map(pay, range(payments))) / payments


def success_rate_holds(
    at_least: str = "98%",
    payments: int = 20,
    method: str = "card",
    instrument: str = "card_visa",
    currency: str = "EUR",
    amount_minor: int = 1290,
    configuration: Configuration | None = None,
) -> bool:
    """Whether ``success_rate`` is at least so high, e.g. ``98%``. Tolerance: ``true``.

    Raises:
        ValueError: ``at_least`` is no share, or there can be no such payments.
    """
    number = at_least.removesuffix("%")
    if number == at_least or not 0 <= float(number) <= 100:
        raise ValueError(f"at_least: {at_least!r} is not a share; write one like 98%")
    return success_rate(payments, method, instrument, currency, amount_minor, configuration) * 100 >= float(
        number
    )


def money_is_whole(
    within_s: float = 15.0,
    configuration: Configuration | None = None,
    secrets: Secrets | None = None,
) -> bool:
    """Whether the platform's ledger and the gateways' ledgers tell of the same payments and refunds.
    Tolerance: ``true``.

    A payment is the same when order, gateway, currency and amount are, and it is there as often; what was
    refunded of an order has to be the same sum. No payment of the platform may be unknown, or pending without
    its gateway having accepted it; a bank debit that its gateway still collects is neither right nor wrong.

    Args:
        within_s: How long it may take: a payment whose outcome was unknown has to be found out about, and one
            that is under way to end.

    Raises:
        MoneyError: It is not; the text says what differs. (The experiment then tells it, and the probe has
            failed.)
        UnreachableError: A server or the platform doesn't answer.
    """
    give_up = time.monotonic() + within_s
    while True:
        differing = differences(configuration, secrets)
        if not differing:
            return True
        if time.monotonic() >= give_up:
            shown = "; ".join(differing[:5])
            more = f"; and {len(differing) - 5} more" if len(differing) > 5 else ""
            raise MoneyError(f"the money is not whole: {shown}{more}")
        time.sleep(AGAIN_S)


class MoneyError(Exception):
    """The ledgers differ; the text says where."""


def differences(configuration: Configuration | None, secrets: Secrets | None) -> list[str]:
    """What ``money_is_whole`` finds at this moment, a line each.

    Raises:
        UnreachableError: A server or the platform doesn't answer.
    """
    claimed, collected, unsettled = _claimed(platform(configuration))
    truth: Counter[Move] = Counter()
    refunds: Counter[tuple[str, str, str]] = Counter()
    for client in admins(configuration, secrets):
        for row in client.movements():
            if (row["order_id"], row["gateway"]) in collected:
                continue
            if row["kind"] == "capture":
                truth["payment", row["order_id"], row["gateway"], row["currency"], row["amount_minor"]] += 1
            elif row["kind"] == "refund":
                refunds[row["order_id"], row["gateway"], row["currency"]] += row["amount_minor"]
    for (order, gateway, currency), amount in refunds.items():
        truth["refunds", order, gateway, currency, amount] += 1
    return [
        *unsettled,
        *_only(claimed - truth, "the platform's ledger"),
        *_only(truth - claimed, "the gateway's ledger"),
    ]


def _only(moves: Counter[Move], where: str) -> Iterator[str]:
    for (kind, order, gateway, currency, amount), times in moves.items():
        often = "once" if times == 1 else f"{times} times"
        yield f"{kind} of {order}, {amount} {currency} (minor units) at {gateway}: {often} in {where} only"


def _claimed(url: str) -> tuple[Counter[Move], set[tuple[str, str]], list[str]]:
    """What the platform's ledger says has moved, which orders a gateway still collects, and what it doesn't
    know."""
    claimed: Counter[Move] = Counter()
    collected: set[tuple[str, str]] = set()
    unsettled: list[str] = []
    path = "/ledger"
    while True:
        status, page = request(url, "GET", path)
        if status != 200 or not isinstance(page.get("entries"), list):
            raise UnreachableError(f"{url}{path} answered {status}, not with a ledger")
        for entry in page["entries"]:
            if entry["kind"] != "payment":
                continue
            where = (entry["order_id"], entry["gateway"], entry["currency"])
            if entry["status"] == "succeeded":
                claimed["payment", *where, entry["amount_minor"]] += 1
                if entry["refunded_minor"]:
                    claimed["refunds", *where, entry["refunded_minor"]] += 1
            elif entry["status"] == "pending" and entry["gateway"]:
                collected.add((entry["order_id"], entry["gateway"]))
            elif entry["status"] in ("pending", "unknown"):
                unsettled.append(f"payment of {entry['order_id']}: {entry['status']} at the platform")
        if page.get("next") is None:
            return claimed, collected, unsettled
        path = f"/ledger?after={page['next']}"
