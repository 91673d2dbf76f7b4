"""When a probe is due: a fixed rate without drift, and a faster one while the target does not answer well.

Pure values: no clock, no sleep. ``probes.watch`` plays them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Schedule:
    """The due times of one probe, given its results so far. Times are nanoseconds since the epoch.

    The regular due times are ``regular_ns + n * every_ns`` for n = 0, 1, 2, ...; each of them comes up
    exactly once, whatever the results are. While the target does not answer well there are rechecks between
    them, at ``t + k * recheck_ns`` where t is the due time of the first probe that found it so. Due times
    strictly increase; a time on both grids comes up once.

    Attributes:
        every_ns: Time between two regular due times.
        recheck_ns: Time between two rechecks; not longer than ``every_ns``.
        regular_ns: The next regular due time.
        extra_ns: The next recheck; ``None`` while the target is believed to be well.
        judged_ns: The due time of the latest probe that told something of the target; -1 before the first.
    """

    every_ns: int
    recheck_ns: int
    regular_ns: int = 0
    extra_ns: int | None = None
    judged_ns: int = -1

    @property
    def rechecking(self) -> bool:
        return self.extra_ns is not None

    @property
    def due_ns(self) -> int:
        """The next due time."""
        return self.regular_ns if self.extra_ns is None else min(self.regular_ns, self.extra_ns)

    @property
    def step_ns(self) -> int:
        """A probe that is this late is not sent any more: the next one is due already."""
        return self.recheck_ns if self.rechecking else self.every_ns

    def advanced(self) -> Schedule:
        """The schedule after its next due time was used, by sending a probe or by skipping it."""
        due_ns = self.due_ns
        regular_ns, extra_ns = self.regular_ns, self.extra_ns
        if regular_ns == due_ns:
            regular_ns += self.every_ns
        if extra_ns == due_ns:
            extra_ns += self.recheck_ns
        return replace(self, regular_ns=regular_ns, extra_ns=extra_ns)

    def judged(self, due_ns: int, ok: bool, now_ns: int) -> Schedule:
        """The schedule after the result of the probe that was due at ``due_ns`` became known at ``now_ns``.

        Results may come out of order, since probes overlap: one that is older than the latest says nothing
        new. Pass only results that tell something of the target.
        """
        if due_ns < self.judged_ns:
            return self
        extra_ns = self.extra_ns
        if ok:
            extra_ns = None
        elif extra_ns is None:
            passed = max(0, now_ns - due_ns) // self.recheck_ns
            extra_ns = due_ns + (passed + 1) * self.recheck_ns
        return replace(self, extra_ns=extra_ns, judged_ns=due_ns)
