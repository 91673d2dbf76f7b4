"""What earlier processes of a gateway did, and their journal does not tell, because they were killed.

A process that is killed takes its last unwritten records along, up to ``journal.writer.FLUSH_EVERY`` seconds
of them. Its state file has lost nothing that anybody heard of, and what is on file is done again in the same
order: the ledger of the new process begins with the very movements that the journal holds, and goes on with
those that it lacks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.compute as pc

from journal.clock import Clock
from journal.mending import written
from journal.records import GatewayRequest, Movement, Record
from journal.writer import Sink
from mocks.gateways.call import Call

Key = tuple[str, str, str]
"""Endpoint, idempotency key, order id."""


class PastError(ValueError):
    """The journal of earlier processes tells of other movements than the state file."""


class Past:
    """Takes a gateway's records (``journal.writer.Sink``) while it does again what its state file tells of,
    and on until the new process has a journal.

    Args:
        gateway: What the journal calls it.
        clock: Of the run.

    Attributes:
        at_ns: The moment of the step that is being done again, a reading of ``time.monotonic_ns()``; None
            when all has been done again.
    """

    def __init__(self, gateway: str, clock: Clock) -> None:
        self.at_ns: int | None = None
        self._gateway = gateway
        self._clock = clock
        self._movements: list[Movement] = []
        self._requests: list[GatewayRequest] = []
        self._since: list[Record] = []

    def write(self, record: Record) -> None:
        """Take a record."""
        if not isinstance(record, Movement):
            self._since.append(record)
        elif self.at_ns is None:
            self._movements.append(record)
        else:
            self._movements.append(record._replace(at_ns=self._clock.at(self.at_ns)))

    def ended(self, call: Call) -> None:
        """A request of the past was answered or lost; which of the two, nobody knows any more."""
        self._requests.append(
            GatewayRequest(
                gateway=self._gateway,
                endpoint=call.endpoint,
                received_ns=self._clock.at(call.exchange.request.received_ns),
                answered_ns=None,
                status=0,
                result=call.reply.result if call.reply is not None else "",
                fault="",
                idempotency_key=call.idempotency_key,
                order_id=call.order_id,
                replayed=False,
            )
        )

    def hand_over(self, folder: Path, earlier: Sequence[str], sink: Sink) -> None:
        """Write down what the journal lacks, once: the movements, the requests that changed something, and
        what has happened since. Reads, replays and refusals of the last moments stay lost; they changed
        nothing.

        Args:
            folder: The journal.
            earlier: The names of the earlier processes in it.
            sink: Takes the records.

        Raises:
            PastError: What the journal holds is not what the state file tells of.
            OSError: The journal cannot be read.
        """
        references = [
            reference
            for process in earlier
            for reference in written(folder, process, "movement")["reference"].to_pylist()
        ]
        if references != [movement.reference for movement in self._movements[: len(references)]]:
            raise PastError(
                f"{self._gateway}: the journal of {', '.join(earlier)} and the state file tell of "
                "different movements"
            )
        for record in (*self._movements[len(references) :], *self._missing(folder, earlier), *self._since):
            sink.write(record)

    def _missing(self, folder: Path, earlier: Sequence[str]) -> Iterator[GatewayRequest]:
        known: Counter[Key] = Counter()
        for process in earlier:
            rows = written(folder, process, "gateway_request")
            rows = rows.filter(pc.invert(rows["replayed"]))
            columns = (rows[name].to_pylist() for name in ("endpoint", "idempotency_key", "order_id"))
            known.update(zip(*columns, strict=True))
        for request in self._requests:
            key = (request.endpoint, request.idempotency_key, request.order_id)
            if known[key]:
                known[key] -= 1
            else:
                yield request
