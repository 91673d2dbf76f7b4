"""Which request is which endpoint. Any version in the path is the same endpoint."""

from __future__ import annotations

import re

from mocks.gateways.adyen.settlement_report import REPORTS
from mocks.gateways.adyen.three_d_secure import PAGE

_VERSION = re.compile(r"\A/v\d+")
_DISPUTES = r"/ca/services/DisputeService/v\d+"

_ROUTES = (
    ("payments", re.compile(r"/v\d+/payments\Z")),
    ("payments.details", re.compile(r"/v\d+/payments/details\Z")),
    ("captures.create", re.compile(r"/v\d+/payments/(?P<psp>[^/]+)/captures\Z")),
    ("cancels.create", re.compile(r"/v\d+/payments/(?P<psp>[^/]+)/cancels\Z")),
    ("cancels.create", re.compile(r"/v\d+/cancels\Z")),
    ("reversals.create", re.compile(r"/v\d+/payments/(?P<psp>[^/]+)/reversals\Z")),
    ("refunds.create", re.compile(r"/v\d+/payments/(?P<psp>[^/]+)/refunds\Z")),
    ("amount_updates.create", re.compile(r"/v\d+/payments/(?P<psp>[^/]+)/amountUpdates\Z")),
    ("disputes.reasons", re.compile(_DISPUTES + r"/retrieveApplicableDefenseReasons\Z")),
    ("disputes.supply", re.compile(_DISPUTES + r"/supplyDefenseDocument\Z")),
    ("disputes.delete", re.compile(_DISPUTES + r"/deleteDisputeDefenseDocument\Z")),
    ("disputes.defend", re.compile(_DISPUTES + r"/defendDispute\Z")),
    ("disputes.accept", re.compile(_DISPUTES + r"/acceptDispute\Z")),
)


def endpoint(method: str, path: str) -> tuple[str, str]:
    """The name of an endpoint, and the payment's pspReference in its path; each empty if there is none."""
    if method == "GET" and path == PAGE:
        return "redirect", ""
    if method == "GET" and path.startswith(REPORTS):
        return "reports", ""
    if method == "POST":
        for name, pattern in _ROUTES:
            match = pattern.match(path)
            if match is not None:
                return name, match.groupdict().get("psp", "")
    return "", ""


def unversioned(path: str) -> str:
    """The path without its version, ``/payments`` of ``/v72/payments``."""
    return _VERSION.sub("", path)
