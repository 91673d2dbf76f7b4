"""Chargebacks, their defense through the SDK's Disputes API, and their end by the clock."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

import pytest
from Adyen.exceptions import AdyenAPIInvalidPermission, AdyenAPIUnprocessableEntity

from mocks.gateways.adyen.disputes import DEFENSE_S, ISSUER_S
from tests.mocks.running import Running, adyen_payment
from tests.mocks_adyen.sdk import ACCOUNT, advance, disputes_sdk, moved, outcomes, told

PDF = base64.b64encode(b"%PDF-1.7").decode()
OPENED = [("AUTHORISATION", "true"), ("NOTIFICATION_OF_CHARGEBACK", "true"), ("CHARGEBACK", "true")]


@pytest.fixture
def disputes(running: Running) -> Any:
    return disputes_sdk(running)


def disputed(checkout: Any, running: Running, order: str, holder: str = "Chargeback") -> str:
    """Pay and have it charged back; the pspReference of the dispute."""
    payment = checkout.payments_api.payments(adyen_payment(order, holderName=holder)).message
    chargeback = told(running, order)[2]
    assert chargeback["originalReference"] == payment["pspReference"]
    return str(chargeback["pspReference"])


def about(dispute: str, **more: Any) -> dict[str, Any]:
    return {"merchantAccountCode": ACCOUNT, "disputePspReference": dispute, **more}


def document(kind: str = "DefenseMaterial", **more: Any) -> dict[str, Any]:
    return {"defenseDocumentTypeCode": kind, "contentType": "application/pdf", "content": PDF, **more}


def result(answer: Any) -> tuple[bool, str]:
    service = answer.message["disputeServiceResult"]
    return service["success"], service.get("errorMessage", "")


def status(running: Running, order: str) -> str:
    return str(told(running, order)[-1]["additionalData"]["disputeStatus"])


@pytest.mark.parametrize(
    ("holder", "codes", "amounts"),
    [
        ("Chargeback", [], [1290]),
        ("Chargeback:10.4", [], [1290]),
        ("chargeback:10.4", [], [1290]),
        ("Chargeback Reversed", ["CHARGEBACK_REVERSED"], [1290, -1290]),
        ("Second Chargeback", ["CHARGEBACK_REVERSED", "SECOND_CHARGEBACK"], [1290, -1290, 1290]),
    ],
)
def test_triggers(checkout: Any, running: Running, holder: str, codes: list[str], amounts: list[int]) -> None:
    order = f"trigger {holder}"
    dispute = disputed(checkout, running, order, holder)
    assert outcomes(running, order) == [*OPENED, *((code, "true") for code in codes)]
    assert moved(running, order) == [("capture", 1290), *(("dispute", amount) for amount in amounts)]
    items = told(running, order)[1:]
    assert {item["pspReference"] for item in items} == {dispute}
    code = "10.4" if ":" in holder else None
    assert {item["additionalData"].get("chargebackReasonCode") for item in items} == {code}
    additional = items[1]["additionalData"]
    assert additional["defendable"] == "true" and additional["disputeStatus"] == "Undefended"
    assert additional["chargebackSchemeCode"] == "visa"
    opened, ends = (
        datetime.fromisoformat(text) for text in (items[1]["eventDate"], additional["defensePeriodEndsAt"])
    )
    assert abs((ends - opened).total_seconds() - DEFENSE_S) <= 1
    references = [m.reference for m in running.movements if m.order_id == order]
    assert len(set(references)) == len(references)


def test_a_defense_that_the_issuer_accepts(checkout: Any, running: Running, disputes: Any) -> None:
    dispute = disputed(checkout, running, "defended")
    reasons = disputes.retrieve_applicable_defense_reasons(about(dispute))
    assert reasons.status_code == 200
    by_code = {reason["defenseReasonCode"]: reason for reason in reasons.message["defenseReasons"]}
    assert by_code["SupplyDefenseMaterial"]["satisfied"] is False
    chosen = about(dispute, defenseReasonCode="SupplyDefenseMaterial")
    assert result(disputes.defend_dispute(chosen)) == (False, "Required defense documents are missing")
    assert moved(running, "defended") == [("capture", 1290), ("dispute", 1290)]
    supply = about(dispute, defenseDocuments=[document()])
    assert result(disputes.supply_defense_document(supply)) == (True, "")
    reasons = disputes.retrieve_applicable_defense_reasons(about(dispute)).message["defenseReasons"]
    assert [r["defenseReasonCode"] for r in reasons if r["satisfied"]] == ["SupplyDefenseMaterial"]
    assert result(disputes.defend_dispute(chosen)) == (True, "")
    assert running.requests[-1].order_id == "defended"
    assert running.requests[-1].endpoint == "disputes.defend"
    assert outcomes(running, "defended")[3:] == [
        ("INFORMATION_SUPPLIED", "true"),
        ("CHARGEBACK_REVERSED", "true"),
    ]
    assert moved(running, "defended")[2:] == [("dispute", -1290)]
    assert result(disputes.defend_dispute(chosen))[0] is False
    assert result(disputes.accept_dispute(about(dispute)))[0] is False
    assert status(running, "defended") == "Pending"
    advance(running, DEFENSE_S + 1)
    assert len(outcomes(running, "defended")) == 5
    advance(running, ISSUER_S - DEFENSE_S)
    assert outcomes(running, "defended")[5:] == [("ISSUER_RESPONSE_TIMEFRAME_EXPIRED", "true")]
    assert status(running, "defended") == "Won"
    assert moved(running, "defended")[3:] == []


def test_nobody_defends_it(checkout: Any, running: Running, disputes: Any) -> None:
    dispute = disputed(checkout, running, "undefended")
    advance(running, DEFENSE_S - 60)
    assert outcomes(running, "undefended") == OPENED
    advance(running, 61)
    assert outcomes(running, "undefended")[3:] == [("DISPUTE_DEFENSE_PERIOD_ENDED", "true")]
    assert status(running, "undefended") == "Lost"
    late = about(dispute, defenseDocuments=[document()])
    assert result(disputes.supply_defense_document(late)) == (False, "Dispute can not be defended")
    assert moved(running, "undefended") == [("capture", 1290), ("dispute", 1290)]


def test_an_accepted_dispute_is_over(checkout: Any, running: Running, disputes: Any) -> None:
    dispute = disputed(checkout, running, "accepted")
    assert result(disputes.accept_dispute(about(dispute))) == (True, "")
    assert status(running, "accepted") == "Accepted"
    assert result(disputes.accept_dispute(about(dispute)))[0] is False
    assert result(disputes.retrieve_applicable_defense_reasons(about(dispute)))[0] is False
    advance(running, DEFENSE_S + ISSUER_S)
    assert outcomes(running, "accepted")[3:] == [("DISPUTE_DEFENSE_PERIOD_ENDED", "true")]


def test_a_lost_defense_stays_lost(checkout: Any, running: Running) -> None:
    disputed(checkout, running, "lost", "Second Chargeback")
    advance(running, DEFENSE_S + ISSUER_S)
    assert outcomes(running, "lost")[-1] == ("SECOND_CHARGEBACK", "true")
    assert status(running, "lost") == "Lost"


def test_documents_are_deleted(checkout: Any, running: Running, disputes: Any) -> None:
    dispute = disputed(checkout, running, "deleted")
    disputes.supply_defense_document(about(dispute, defenseDocuments=[document()]))
    delete = about(dispute, defenseDocumentType="DefenseMaterial")
    assert result(disputes.delete_dispute_defense_document(delete)) == (True, "")
    assert result(disputes.delete_dispute_defense_document(delete))[0] is False
    chosen = about(dispute, defenseReasonCode="SupplyDefenseMaterial")
    assert result(disputes.defend_dispute(chosen))[0] is False


def test_wrong_documents(checkout: Any, running: Running, disputes: Any) -> None:
    dispute = disputed(checkout, running, "documents")
    for documents in (
        None,
        [],
        ["text"],
        [document("Nothing")],
        [document(contentType="text/plain")],
        [document(contentType=[])],
        [document(content="")],
        [document(content="no base64")],
        [document(content="ü")],
        [document(content=7)],
        [document(), document("Nothing")],
    ):
        supply = about(dispute, defenseDocuments=documents)
        assert result(disputes.supply_defense_document(supply))[0] is False
    reasons = disputes.retrieve_applicable_defense_reasons(about(dispute)).message["defenseReasons"]
    assert not any(kind["available"] for reason in reasons for kind in reason["defenseDocumentTypes"])


def test_errors_are_the_sdks_exceptions(checkout: Any, running: Running, disputes: Any) -> None:
    dispute = disputed(checkout, running, "errors")
    for account in ("Another", "", None):
        with pytest.raises(AdyenAPIInvalidPermission) as refused:
            disputes.accept_dispute(about(dispute) | {"merchantAccountCode": account})
        assert refused.value.error_code == "901"
    with pytest.raises(AdyenAPIUnprocessableEntity) as caught:
        disputes.accept_dispute({"merchantAccountCode": ACCOUNT})
    assert caught.value.error_code == "14_002"
    assert result(disputes.accept_dispute(about("NONE000000000000"))) == (False, "Dispute not found")
    wrong: tuple[Any, ...] = (None, "Nothing", [])
    for code in wrong:
        assert result(disputes.defend_dispute(about(dispute, defenseReasonCode=code)))[0] is False


def test_a_replayed_defense_moves_money_once(checkout: Any, running: Running, disputes: Any) -> None:
    dispute = disputed(checkout, running, "replayed")
    disputes.supply_defense_document(about(dispute, defenseDocuments=[document()]))
    chosen = about(dispute, defenseReasonCode="SupplyDefenseMaterial")
    answers = [disputes.defend_dispute(chosen, idempotency_key="defend-1").message for _ in range(2)]
    assert answers[0] == answers[1] == {"disputeServiceResult": {"success": True}}
    assert moved(running, "replayed")[2:] == [("dispute", -1290)]
