"""The endpoints of Transaction Search: transactions and balances."""

from __future__ import annotations

from mocks.gateways.call import Call
from mocks.gateways.paypal.answer import Action, Done, Endpoint, base_url
from mocks.gateways.paypal.errors import PayPalError
from mocks.gateways.paypal.fields import Body
from mocks.gateways.paypal.money import CURRENCIES
from mocks.gateways.paypal.payment import rfc3339
from mocks.gateways.paypal.query import moment, number, query_of, without
from mocks.gateways.paypal.reporting import ACCOUNT, Reporting, Transaction, signed
from mocks.mock_clock import MockClock

LARGEST_PAGE = 500
LONGEST_RANGE_S = 31 * 86_400


class ReportingCalls:
    """What each endpoint of Transaction Search does. Real transactions appear there after up to three hours;
    here they do at once."""

    def __init__(self, reporting: Reporting, clock: MockClock) -> None:
        self._reporting = reporting
        self._clock = clock
        self.endpoints: dict[str, Endpoint] = {
            "reporting.transactions": self._transactions,
            "reporting.balances": self._balances,
        }

    def _transactions(self, call: Call, body: Body, name: str) -> Action:
        query = query_of(call.exchange.request)
        start, end = moment(query, "start_date"), moment(query, "end_date")
        if start is None or end is None:
            missing = "start_date" if start is None else "end_date"
            raise PayPalError("MISSING_REQUIRED_PARAMETER", missing)
        if not 0 <= end - start <= LONGEST_RANGE_S:
            raise PayPalError("INVALID_DATE_RANGE", "end_date")
        size, page = (
            number(query, "page_size", 100, largest=LARGEST_PAGE),
            number(query, "page", 1),
        )
        first, last = rfc3339(start), rfc3339(end)
        wanted = {
            field: query.get(parameter)
            for field, parameter in (
                ("id", "transaction_id"),
                ("code", "transaction_type"),
                ("status", "transaction_status"),
                ("currency", "transaction_currency"),
            )
        }
        moved_only = query.get("balance_affecting_records_only", "Y") != "N"

        def chosen(row: Transaction) -> bool:
            if not first <= row.made <= last or (moved_only and not row.booked):
                return False
            return all(value in (None, getattr(row, field)) for field, value in wanted.items())

        def action(at_ns: int) -> Done:
            rows = sorted(filter(chosen, self._reporting), key=lambda row: row.made)
            pages = -(-len(rows) // size)
            shown = rows[(page - 1) * size : page * size]
            answer = {
                "transaction_details": [{"transaction_info": row.body()} for row in shown],
                "account_number": ACCOUNT,
                "start_date": first,
                "end_date": last,
                "last_refreshed_datetime": rfc3339(self._clock.unix()),
                "page": page,
                "total_items": len(rows),
                "total_pages": pages,
                "links": _links(call, page, pages),
            }
            return Done(200, 200, lambda full: answer)

        return action

    def _balances(self, call: Call, body: Body, name: str) -> Action:
        query = query_of(call.exchange.request)
        until = moment(query, "as_of_time")
        currency = query.get("currency_code", "ALL")
        if currency != "ALL" and currency not in CURRENCIES:
            raise PayPalError("INVALID_CURRENCY_CODE", "currency_code")

        def action(at_ns: int) -> Done:
            now = rfc3339(self._clock.unix())
            at = now if until is None else rfc3339(until)
            rows: list[Body] = []
            for code, (total, withheld) in self._reporting.balances(at).items():
                if currency in ("ALL", code):
                    rows.append(
                        {
                            "currency": code,
                            "primary": not rows,
                            "total_balance": signed(code, total),
                            "available_balance": signed(code, total - withheld),
                            "withheld_balance": signed(code, withheld),
                        }
                    )
            answer = {"balances": rows, "account_id": ACCOUNT, "as_of_time": at, "last_refresh_time": now}
            return Done(200, 200, lambda full: answer)

        return action


def _links(call: Call, page: int, pages: int) -> list[Body]:
    href = f"{base_url(call)}{without(call.exchange.request, 'page')}page="
    rels = {"self": page, "first": 1, "last": max(1, pages)}
    if page < pages:
        rels["next"] = page + 1
    if 1 < page <= pages:
        rels["prev"] = page - 1
    return [{"href": f"{href}{at}", "rel": rel, "method": "GET"} for rel, at in rels.items()]
