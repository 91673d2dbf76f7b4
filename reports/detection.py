"""Detection: when a probe first said that something was wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reports.recovery import Edge


def detection(
    rows: Sequence[dict[str, Any]], targets: Sequence[str], start_ns: int, stop_ns: int
) -> tuple[Edge, str, int | None]:
    """Fault started -> the first failed probe is done.

    Args:
        rows: The ``probe`` table.
        targets: What a probe must watch: the fault's gateway, or the platform.
        start_ns: The planned start of the fault; only probes sent from then on count.
        stop_ns: Its planned stop; only probes sent before it count.

    Returns:
        The edge, the probe that saw it (``http on stripe``, empty if none did), and the moment of its alarm
        since the run's epoch. The resolution is the time since the probe before it was sent.
    """
    watching = [row for row in rows if row["target"] in targets]
    sent_in_it = [row for row in watching if start_ns <= row["sent_ns"] < stop_ns]
    if not sent_in_it:
        why = "no probe watched it" if not watching else "no probe was sent while the fault was on"
        return Edge("not measurable", None, None, why), "", None
    failed = [row for row in sent_in_it if row["outcome"] == "fail"]
    if not failed:
        unknown = sum(row["outcome"] == "unknown" for row in sent_in_it)
        why = f"{len(sent_in_it)} probes were sent while the fault was on, and none failed"
        why += f"; {unknown} ended unknown, which is no alarm" if unknown else ""
        return Edge("never", None, None, why), "", None
    alarm = min(failed, key=lambda row: (row["done_ns"], row["sent_ns"], row["probe"], row["target"]))
    earlier = [
        row["sent_ns"]
        for row in watching
        if (row["probe"], row["target"]) == (alarm["probe"], alarm["target"])
        and row["sent_ns"] < alarm["sent_ns"]
    ]
    resolution = alarm["sent_ns"] - max(earlier, default=start_ns)
    edge = Edge("measured", alarm["done_ns"] - start_ns, resolution, "")
    return edge, f"{alarm['probe']} on {alarm['target']}", alarm["done_ns"]
