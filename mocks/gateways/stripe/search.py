"""Searching PaymentIntents."""

from __future__ import annotations

import re

from mocks.gateways.stripe.errors import invalid
from mocks.gateways.stripe.payment_intent import PaymentIntent

_CLAUSE = re.compile(
    r"""\s*(?:metadata\[(?P<q>["'])(?P<key>.+?)(?P=q)\]|(?P<field>status|customer|currency))"""
    r"""\s*:\s*(?P<r>["'])(?P<value>.*?)(?P=r)\s*"""
)


class Index:
    """Finds PaymentIntents by ``metadata['key']:'value'``, ``status``, ``customer``, ``currency``, joined by
    AND.

    Consistent at once. The real one lags behind by up to a minute, and longer in an outage of its own
    ("Search": "data is searchable in less than 1 minute"); a caller that relies on this mock's promptness is
    wrong.

    Args:
        rows: All PaymentIntents, oldest first; grows with them.
    """

    def __init__(self, rows: list[PaymentIntent]) -> None:
        self._all = rows
        self._by_metadata: dict[tuple[str, str], list[PaymentIntent]] = {}
        self._taken = 0

    def matching(self, query: str) -> list[PaymentIntent]:
        """What a query matches, newest first. Raises StripeError (400) when it cannot be read."""
        rows: list[PaymentIntent] | None = None
        position = 0
        while True:
            clause = _CLAUSE.match(query, position)
            if clause is None:
                raise invalid(
                    "The query cannot be read, or uses what this mock does not offer.", param="query"
                )
            key, name, value = clause["key"], clause["field"], clause["value"]
            if key is not None:
                found = self._with_metadata(key, value)
                rows = found if rows is None else [row for row in rows if row.metadata.get(key) == value]
            else:
                candidates = self._all if rows is None else rows
                rows = [row for row in candidates if getattr(row, name) == value]
            position = clause.end()
            if position == len(query):
                return rows[::-1]
            if query[position : position + 3].upper() != "AND":
                raise invalid(
                    "The query cannot be read, or uses what this mock does not offer.", param="query"
                )
            position += 3

    def _with_metadata(self, key: str, value: str) -> list[PaymentIntent]:
        # Most of the payments of a load test are never searched for: they are taken in when somebody does.
        for place in range(self._taken, len(self._all)):
            intent = self._all[place]
            for pair in intent.metadata.items():
                self._by_metadata.setdefault(pair, []).append(intent)
        self._taken = len(self._all)
        return self._by_metadata.get((key, value), [])
