"""The payer's page: what a browser meets behind the link ``approve`` or ``payer-action``."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

import orjson

from mocks.gateways.paypal.order import Order
from mocks.gateways.paypal.orders import Orders
from mocks.reply import Reply


def visit(orders: Orders, order: Order, base: str, *, cancel: bool) -> Reply:
    """A GET of the page approves, or authenticates the cardholder, and leads to the ``return_url``; with
    ``cancel`` the payer says no and is led to the ``cancel_url``. Without such a URL the order is the
    answer."""
    more = {"token": order.id}
    if cancel:
        orders.refuse(order)
        target, result = order.request.cancel_url, ""
    else:
        orders.approve(order)
        target, result = order.request.return_url, "processing"
        more["PayerID"] = order.payer_id
    if not target:
        return Reply(200, orjson.dumps(order.body(base, full=False)), result)
    glue = "&" if urlsplit(target).query else "?"
    return Reply(302, b"", result, (("Location", target + glue + urlencode(more)),))
