"""The Disputes API (v30): how a merchant defends a dispute, or accepts it.

The shapes are those of Adyen's published OpenAPI document, the defense reasons those of its example. That a
request which cannot be followed is answered with HTTP 200, ``success`` false and an ``errorMessage`` is read
from that document, which has these two fields and no example of a failure.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

import orjson

from mocks.gateways.adyen.amounts import Body
from mocks.gateways.adyen.disputes import Dispute, Disputes
from mocks.gateways.adyen.errors import merchant_refused, missing
from mocks.reply import Reply

REASONS: dict[str, dict[str, str]] = {
    "GoodsNotReturned": {"TIDorInvoice": "Optional", "GoodsNotReturned": "Required"},
    "GoodsRepairedOrReplaced": {"TIDorInvoice": "Optional", "GoodsRepairedOrReplaced": "Required"},
    "GoodsWereAsDescribed": {"GoodsWereAsDescribed": "Required", "TIDorInvoice": "Required"},
    "SupplyDefenseMaterial": {"TIDorInvoice": "Optional", "DefenseMaterial": "Required"},
}
"""Defense reason -> document type -> its requirement level. Real ones depend on scheme and reason code; here
they are the same for every dispute."""

DOCUMENT_TYPES = frozenset(document for needed in REASONS.values() for document in needed)

CONTENT_TYPES = ("image/jpeg", "image/tiff", "application/pdf")
"""Of defense documents (second-hand)."""


class NotPossibleError(Exception):
    """A request about a dispute that cannot be followed; the text is its ``errorMessage``."""


class Defense:
    """The Disputes API of one gateway."""

    def __init__(self, disputes: Disputes) -> None:
        self._disputes = disputes
        self._steps: dict[str, Callable[[Dispute, Body, int], Body]] = {
            "disputes.reasons": self._reasons,
            "disputes.supply": self._supply,
            "disputes.delete": self._delete,
            "disputes.defend": self._defend,
            "disputes.accept": self._accept,
        }

    def dispute_of(self, body: Body) -> Dispute | None:
        """The dispute that a request names; None when there is none.

        Raises:
            AdyenError: 403 (no merchant account, or another one's dispute), 422/14_002 (none is named).
        """
        merchant, reference = body.get("merchantAccountCode"), body.get("disputePspReference")
        if not isinstance(merchant, str) or not merchant:
            raise merchant_refused()
        if not isinstance(reference, str) or not reference:
            raise missing("disputePspReference")
        dispute = self._disputes.find(reference)
        if dispute is not None and dispute.payment.request.merchant != merchant:
            raise merchant_refused()
        return dispute

    def answer(self, endpoint: str, dispute: Dispute | None, body: Body, at_ns: int) -> Reply:
        """Do what the endpoint stands for."""
        try:
            if dispute is None:
                raise NotPossibleError("Dispute not found")
            answer = self._steps[endpoint](dispute, body, at_ns)
        except NotPossibleError as error:
            result: Body = {"success": False, "errorMessage": str(error)}
            return Reply(200, orjson.dumps({"disputeServiceResult": result}), "error")
        return Reply(200, orjson.dumps({**answer, "disputeServiceResult": {"success": True}}), "succeeded")

    def _reasons(self, dispute: Dispute, body: Body, at_ns: int) -> Body:
        _check_open(dispute)
        return {"defenseReasons": [_reason(dispute, code) for code in REASONS]}

    def _supply(self, dispute: Dispute, body: Body, at_ns: int) -> Body:
        _check_open(dispute)
        documents = body.get("defenseDocuments")
        if not isinstance(documents, list) or not documents:
            raise NotPossibleError("No defense documents supplied")
        dispute.documents |= {_document_type(document) for document in documents}
        return {}

    def _delete(self, dispute: Dispute, body: Body, at_ns: int) -> Body:
        _check_open(dispute)
        kind = body.get("defenseDocumentType")
        if not isinstance(kind, str) or kind not in dispute.documents:
            raise NotPossibleError("No such defense document")
        dispute.documents.remove(kind)
        return {}

    def _defend(self, dispute: Dispute, body: Body, at_ns: int) -> Body:
        _check_open(dispute)
        code = body.get("defenseReasonCode")
        if not isinstance(code, str) or code not in REASONS:
            raise NotPossibleError("Invalid defense reason code")
        if not _satisfied(dispute, code):
            raise NotPossibleError("Required defense documents are missing")
        self._disputes.defend(dispute, at_ns)
        return {}

    def _accept(self, dispute: Dispute, body: Body, at_ns: int) -> Body:
        _check_open(dispute)
        self._disputes.accept(dispute)
        return {}


def _check_open(dispute: Dispute) -> None:
    if not dispute.defendable or dispute.status != "Undefended":
        raise NotPossibleError("Dispute can not be defended")


def _reason(dispute: Dispute, code: str) -> Body:
    documents = [
        {"available": kind in dispute.documents, "defenseDocumentTypeCode": kind, "requirementLevel": level}
        for kind, level in REASONS[code].items()
    ]
    return {
        "defenseDocumentTypes": documents,
        "defenseReasonCode": code,
        "satisfied": _satisfied(dispute, code),
    }


def _satisfied(dispute: Dispute, code: str) -> bool:
    return all(kind in dispute.documents for kind, level in REASONS[code].items() if level == "Required")


def _document_type(document: object) -> str:
    """The type of a document that can be taken. Its content is looked at and not kept."""
    if not isinstance(document, dict):
        raise NotPossibleError("Invalid defense document")
    kind, content = document.get("defenseDocumentTypeCode"), document.get("content")
    if not isinstance(kind, str) or kind not in DOCUMENT_TYPES:
        raise NotPossibleError("Invalid defense document type")
    if document.get("contentType") not in CONTENT_TYPES:
        raise NotPossibleError("Invalid content type")
    try:
        data = base64.b64decode(content, validate=True) if isinstance(content, str) else b""
    except (binascii.Error, ValueError):
        data = b""
    if not data:
        raise NotPossibleError("Invalid content")
    return kind
