"""Uptime as synthetic probes see it: outages in brackets."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from reports.findings import ProbeOutage, ProbeUptime
from reports.payments import NEVER

Rows = Sequence[dict[str, Any]]


def outages(results: Rows) -> tuple[ProbeOutage, ...]:
    """The outages that one probe saw.

    An outage lies between the last good probe before it and the first good one after it, by the times at
    which they were sent: last_fail - first_fail < D < first_ok - last_ok. The midpoint is unbiased. A probe
    whose outcome is ``unknown`` says nothing. Where the first or last probes fail, the bracket ends with the
    first or last probe.

    Args:
        results: Rows of the ``probe`` table of one probe and target, by ``sent_ns``.
    """
    telling = [row for row in results if row["outcome"] != "unknown"]
    found = []
    for start, stop in _failing(telling):
        first, last = telling[start], telling[stop - 1]
        before = telling[start - 1]["sent_ns"] if start else first["sent_ns"]
        after = telling[stop]["sent_ns"] if stop < len(telling) else last["sent_ns"]
        low, high = last["sent_ns"] - first["sent_ns"], after - before
        found.append(
            ProbeOutage(
                start_ns=first["sent_ns"],
                stop_ns=after if stop < len(telling) else None,
                open_start=start == 0,
                probes=stop - start,
                low_ns=low,
                high_ns=high,
                figure_ns=(low + high) // 2,
                phase=first["phase"],
                detail=first["detail"],
            )
        )
    return tuple(found)


def _failing(results: Rows) -> list[tuple[int, int]]:
    """Runs of failed probes as [start, stop) indices."""
    runs, at = [], 0
    for failed, group in groupby(results, key=lambda row: row["outcome"] == "fail"):
        size = len(list(group))
        if failed:
            runs.append((at, at + size))
        at += size
    return runs


def probe_uptimes(rows: Rows) -> tuple[ProbeUptime, ...]:
    """One line per probe and target, sorted by both.

    Time runs from the first to the last probe that told something; down time is the sum of the outages'
    midpoints, its bounds are the sums of their brackets' ends.

    Args:
        rows: The ``probe`` table.
    """
    by_target: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        by_target.setdefault((row["probe"], row["target"]), []).append(row)
    found = []
    for probe, target in sorted(by_target):
        mine = sorted(by_target[probe, target], key=lambda row: (row["sent_ns"], row["due_ns"]))
        counts = {kind: sum(row["outcome"] == kind for row in mine) for kind in ("ok", "fail", "unknown")}
        telling = [row["sent_ns"] for row in mine if row["outcome"] != "unknown"]
        watched = telling[-1] - telling[0] if telling else 0
        seen = outages(mine)
        good = sorted(row["done_ns"] - row["sent_ns"] for row in mine if row["outcome"] == "ok")
        found.append(
            ProbeUptime(
                probe=probe,
                target=target,
                n=len(mine),
                ok=counts["ok"],
                failed=counts["fail"],
                unknown=counts["unknown"],
                uptime=1 - sum(o.figure_ns for o in seen) / watched if watched else None,
                low=1 - sum(o.high_ns for o in seen) / watched if watched else None,
                high=1 - sum(o.low_ns for o in seen) / watched if watched else None,
                latency_p50_ns=good[(len(good) - 1) // 2] if good else None,
                late_max_ns=max((row["sent_ns"] - row["due_ns"] for row in mine), default=NEVER),
                outages=seen,
            )
        )
    return tuple(found)
