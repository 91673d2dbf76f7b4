"""What the answers of PayPal and GoCardless mean."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from mocks.outbound import Answer
from mocks.platform.connectors.adyen_report import payout_of
from mocks.platform.connectors.gocardless import GoCardless
from mocks.platform.connectors.paypal import PayPal
from mocks.platform.payment import Payment
from mocks.platform.verdict import Kind, Verdict


def order(status: str, **capture: Any) -> dict[str, Any]:
    return {
        "id": "O",
        "status": "COMPLETED",
        "purchase_units": [{"payments": {"captures": [{"id": "C", "status": status, **capture}]}}],
    }


def issue(name: str) -> dict[str, Any]:
    return {"name": "UNPROCESSABLE_ENTITY", "details": [{"issue": name}]}


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (201, order("COMPLETED"), Kind.TAKEN, ""),
        (200, order("PARTIALLY_REFUNDED"), Kind.TAKEN, ""),
        (
            201,
            order("DECLINED", processor_response={"response_code": "5120"}),
            Kind.DECLINED,
            "insufficient_funds",
        ),
        (201, order("DECLINED", processor_response={"response_code": "?"}), Kind.DECLINED, "generic_decline"),
        (201, order("FAILED"), Kind.DECLINED, "generic_decline"),
        (201, order("PENDING"), Kind.ACCEPTED, ""),
        (201, order("SOMETHING_NEW"), Kind.UNKNOWN, ""),
        (201, {"id": "O", "status": "COMPLETED"}, Kind.UNKNOWN, ""),
        (422, issue("INSTRUMENT_DECLINED"), Kind.DECLINED, "generic_decline"),
        (422, issue("ORDER_ALREADY_CAPTURED"), Kind.BUSY, ""),
        (422, issue("ORDER_NOT_APPROVED"), Kind.NOT_TAKEN, ""),
        (409, issue("PREVIOUS_REQUEST_IN_PROGRESS"), Kind.BUSY, ""),
        (404, issue("INVALID_RESOURCE_ID"), Kind.NOT_TAKEN, ""),
        (401, {}, Kind.NOT_TAKEN, ""),
        (429, {}, Kind.THROTTLED, ""),
        (500, {}, Kind.UNKNOWN, ""),
    ],
)
def test_what_paypals_answers_to_a_capture_mean(status: int, body: object, kind: Kind, code: str) -> None:
    verdict = PayPal().charged(Answer(status, {}, orjson.dumps(body)))
    assert (verdict.kind, verdict.decline_code) == (kind, code)
    assert verdict.reference == ("C" if kind in (Kind.TAKEN, Kind.ACCEPTED) else verdict.reference)


def conflict(reason: str, **links: str) -> dict[str, Any]:
    return {"error": {"type": "invalid_state", "errors": [{"reason": reason, "links": links}]}}


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (201, {"payments": {"id": "PM1", "status": "pending_submission"}}, Verdict(Kind.ACCEPTED, "PM1")),
        (
            409,
            conflict("idempotent_creation_conflict", conflicting_resource_id="PM0"),
            Verdict(Kind.ACCEPTED, "PM0"),
        ),
        (409, conflict("something_else", conflicting_resource_id="PM0"), Kind.BUSY),
        (422, conflict("mandate_is_inactive"), Kind.NOT_TAKEN),
        (401, {}, Kind.NOT_TAKEN),
        (429, {}, Kind.THROTTLED),
        (503, {}, Kind.UNKNOWN),
        (201, {}, Kind.UNKNOWN),
    ],
)
def test_what_gocardless_answers_to_a_payment_mean(
    status: int, body: object, verdict: Verdict | Kind
) -> None:
    found = GoCardless().charged(Answer(status, {}, orjson.dumps(body)))
    assert found == verdict if isinstance(verdict, Verdict) else found.kind is verdict


def test_a_bank_account_that_is_there_already_is_made() -> None:
    step = GoCardless().step(Payment("p", "o", 1, "EUR", "bank", "bank_account"), ("CU1",))
    assert step is not None
    body = conflict("bank_account_exists", customer_bank_account="BA1")
    assert step.read(Answer(409, {}, orjson.dumps(body))) == Verdict(Kind.TAKEN, "BA1")


@pytest.mark.parametrize(("currency", "written"), [("EUR", "12.90"), ("JPY", "1290"), ("KWD", "1.290")])
def test_a_settlement_report_is_read_to_the_minor_unit(currency: str, written: str) -> None:
    columns = "Type,Modification Reference,Net Currency,Net Debit (NC),Markup (NC),Interchange (NC)"
    rows = (
        f"Settled,C1,{currency},,{written},{written}",
        f"Fee,Transaction Fees,{currency},{written},,",
        f'MerchantPayout,"TXAXTBXT batch 1, Shop",{currency},{written},,',
    )
    payout = payout_of("\n".join((columns, *rows)))
    assert payout is not None
    assert (payout.reference, payout.currency) == ("AXTB", currency)
    assert (payout.amount_minor, payout.fee_minor) == (1290, 3 * 1290)
    assert payout_of("\n".join((columns, *rows[:2]))) is None
