"""The faults of a running server over its admin interface: listed, added, cleared."""

from __future__ import annotations

from collections.abc import Collection

from mocks.admin_interface import AdminError, Body, Routes, json_body, last_segment
from mocks.exchange import Request
from mocks.faults.schedule import FaultSchedule, Listed
from mocks.faults.words import WordingError, plan_of, words_of


class FaultControl:
    """The routes below ``/faults``.

    Args:
        schedule: The server's faults.
        on: The server's name; the faults added here are called by it and a number, ``stripe-1``.
        endpoints: The endpoints that there are; None when any name may be one.
    """

    def __init__(self, schedule: FaultSchedule, on: str, endpoints: Collection[str] | None = None) -> None:
        self._schedule = schedule
        self._on = on
        self._endpoints = endpoints
        self._added = 0
        self.routes: Routes = {
            ("GET", "/faults"): self._list,
            ("POST", "/faults"): self._add,
            ("DELETE", "/faults"): self._clear_all,
            ("DELETE", "/faults/{id}"): self._clear,
        }

    def _list(self, request: Request) -> Body:
        return {"on": self._on, "faults": [self._told(listed) for listed in self._schedule.listed()]}

    def _add(self, request: Request) -> Body:
        words = json_body(request, '{"fault": "outage", "for": "20s"}')
        taken = {listed.plan.id for listed in self._schedule.listed()}
        number = self._added + 1
        while f"{self._on}-{number}" in taken:
            number += 1
        id = f"{self._on}-{number}"
        try:
            plan = plan_of(words, id, self._schedule.now_ns, self._endpoints)
            self._schedule.add(plan)
        except WordingError as error:
            raise AdminError(422, str(error), error.field) from error
        except ValueError as error:
            raise AdminError(422, str(error), "fault") from error
        self._added = number
        return next(self._told(listed) for listed in self._schedule.listed() if listed.plan.id == id)

    def _clear_all(self, request: Request) -> Body:
        return {"cleared": list(self._schedule.clear())}

    def _clear(self, request: Request) -> Body:
        id = last_segment(request)
        try:
            return {"cleared": list(self._schedule.clear(id))}
        except KeyError as error:
            # Who clears one that has just ended by itself has what was wanted.
            number = id.removeprefix(f"{self._on}-")
            if id != number and number.isascii() and number.isdigit() and 1 <= int(number[:9]) <= self._added:
                return {"cleared": []}
            there = ", ".join(listed.plan.id for listed in self._schedule.listed()) or "none at all"
            raise AdminError(404, f"there is no fault {id[:80]!r}; there is {there}") from error

    def _told(self, listed: Listed) -> Body:
        left_ns = listed.plan.timing.end_ns - self._schedule.now_ns
        return {
            "id": listed.plan.id,
            "on": self._on,
            **words_of(listed.plan),
            "active": listed.on,
            "left_s": max(0.0, left_ns / 1e9),
            "hits": listed.hits,
        }
