"""The scenario's own condition for an early end, watched while the drill runs."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from paydrill.live_state import Seen
from scenarios.quantities import AbortCondition, format_duration

_S = 1_000_000_000


@dataclass(slots=True)
class AbortWatch:
    """Looks at the payments by the second in which they ended: one that nobody answered ends when its
    customer gives up. The condition is met when, in as many seconds in a row as it names, the success rate
    was on its wrong side. Seconds in which no payment ended say nothing: they neither count nor interrupt
    the row.

    A second is looked at when it is over for a while (``take`` says until when all is known), and once.
    """

    condition: AbortCondition
    _ended: dict[int, list[bool]] = field(default_factory=dict)
    _row: deque[tuple[int, int, int]] = field(default_factory=deque)
    _looked_at: int = -1

    def take(self, payments: list[Seen], known_until_ns: int) -> str:
        """Take payments that have ended.

        Args:
            payments: New ones, in any order.
            known_until_ns: All payments that ended before have been taken.

        Returns:
            Why the drill is to end, in words; empty while it is not.
        """
        for seen in payments:
            self._ended.setdefault(seen.at_ns // _S, []).append(seen.success)
        for second in sorted(self._ended):
            if (second + 1) * _S > known_until_ns:
                break
            ended = self._ended.pop(second)
            if second <= self._looked_at:
                continue  # too late to be told apart; the seconds after it have been judged
            self._looked_at = second
            if said := self._judge(second, len(ended), sum(ended)):
                return said
        return ""

    def _judge(self, second: int, ended: int, succeeded: int) -> str:
        if not self.condition.bound.holds(succeeded / ended):
            self._row.clear()
            return ""
        self._row.append((second, ended, succeeded))
        if len(self._row) * _S < self.condition.for_ns:
            return ""
        first = self._row[0][0]
        total, good = sum(row[1] for row in self._row), sum(row[2] for row in self._row)
        return (
            f"its condition {self.condition} was met: {good:,} of {total:,} payments succeeded that ended "
            f"from {format_duration(first * _S)} to {format_duration((second + 1) * _S)}"
        )
