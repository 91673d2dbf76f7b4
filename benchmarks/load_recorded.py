"""What ours recorded of a run in its journal: the payments, and how late they were sent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.load_generators import Task
from journal.reader import Journal


@dataclass(frozen=True, slots=True)
class Recorded:
    """Times in ns since the first due time; one entry per payment that was sent and ended.

    Attributes:
        planned: Payments in the journal, those that were never sent included.
        wrong: How many did not go as planned.
    """

    planned: int
    wrong: int
    due: npt.NDArray[np.int64]
    sent: npt.NDArray[np.int64]
    done: npt.NDArray[np.int64]

    @property
    def never_sent(self) -> int:
        return self.planned - len(self.sent)

    def lateness_ms(self, quantile: float) -> float:
        """From due to sent, of the payments that were sent."""
        return float(np.quantile(self.sent - self.due, quantile, method="inverted_cdf")) / 1e6

    def latency_ms(self, quantile: float) -> float:
        """From due to the answer."""
        return float(np.quantile(self.done - self.due, quantile, method="inverted_cdf")) / 1e6


def recorded(task: Task) -> Recorded:
    """Read the journal of a task.

    Raises:
        RuntimeError: It holds no payment that was sent.
    """
    payments = Journal(task.journal).table("payment")
    errors = payments["error"].to_pylist()
    sent = payments.filter(payments["done_ns"].is_valid())
    if not len(sent):
        raise RuntimeError("the journal holds no payment that was answered")
    due, began, done = (
        sent[column].to_numpy().astype(np.int64) for column in ("due_ns", "sent_ns", "done_ns")
    )
    return Recorded(len(payments), sum(error != "" for error in errors), due, began, done)
