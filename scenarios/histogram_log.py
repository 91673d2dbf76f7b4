"""Durations out of a HdrHistogram log, as wrk2, Cassandra's tools and many Java clients write it.

Every line that is neither a comment nor the legend is an interval: ``[Tag=..,]start,length,max,histogram``,
the histogram compressed and in base64 (HdrHistogram's ``HistogramLogWriter``). All intervals are taken
together, whatever their tags.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

MOST = 1_000_000
"""How many durations a log becomes; a larger one is thinned out evenly."""

_INTERVAL = re.compile(r"(?:Tag=[^,]*,)?[\d.]+,[\d.]+,(?P<max>[\d.]+),(?P<packed>HIST[A-Za-z0-9+/]+=*)\s*\Z")
_UNITS = {1: "ms", 1_000: "us", 1_000_000: "ns"}
NANOSECONDS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}


def is_histogram_log(first_line: str) -> bool:
    """Whether a file begins as such a log does."""
    return first_line.startswith(("#[", '"StartTimestamp"')) or _INTERVAL.match(first_line) is not None


def read_intervals(lines: Iterable[str], unit: str | None = None) -> list[int]:
    """The durations in nanoseconds, ascending; each as exact as its histogram is (0.1% with the usual three
    significant digits; the middle of its bucket is taken).

    The log does not say in which unit its values are. Its writers note the largest value of each interval in
    milliseconds, though, so the unit is the one in which the largest value and that note agree.

    Args:
        lines: Of the file.
        unit: Of the values, a key of ``NANOSECONDS``, for a log whose writer scaled the note otherwise.

    Raises:
        ValueError: A line is no interval, or the unit cannot be told; with the number of the line.
    """
    counts: Counter[int] = Counter()
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith(("#", '"StartTimestamp"')):
            continue
        interval = _INTERVAL.match(line)
        if interval is None:
            raise ValueError(f"{number}: is not an interval of a HdrHistogram log")
        try:
            buckets = list(_buckets(interval["packed"]))
        except Exception as error:  # zlib's, struct's and the decoder's own
            raise ValueError(f"{number}: the histogram cannot be unpacked; the line may be cut") from error
        if not buckets:
            continue
        scale = NANOSECONDS[unit or _unit(buckets[-1][0], float(interval["max"]), number)]
        for value, count in buckets:
            counts[round(value * scale)] += count
    return _expanded(counts)


def _buckets(packed: str) -> Iterator[tuple[float, int]]:
    """Value and count, ascending."""
    from hdrh.histogram import HdrHistogram  # here: only who reads such a log needs it

    histogram = HdrHistogram.decode(packed.encode("ascii"))
    for step in histogram.get_recorded_iterator():
        highest = step.value_iterated_to
        lowest = histogram.get_lowest_equivalent_value(highest)
        yield (lowest + highest) / 2, step.count_added_in_this_iter_step


def _unit(largest: float, noted: float, number: int) -> str:
    for ratio, unit in _UNITS.items():
        # The note may be rounded down to whole milliseconds, the value is the middle of a bucket.
        if abs(largest / ratio - noted) <= 0.02 * noted + (1 if noted == int(noted) else 0) and noted > 0:
            return unit
    raise ValueError(
        f"{number}: the unit cannot be told: the largest value is {largest:g}, noted as {noted:g} where "
        "milliseconds are usual; convert the file with paydrill latency sample --unit"
    )


def _expanded(counts: Counter[int]) -> list[int]:
    total = sum(counts.values())
    if total <= MOST:
        return sorted(counts.elements())
    durations: list[int] = []
    passed = 0
    for value in sorted(counts):
        passed += counts[value]
        durations += [value] * (passed * MOST // total - len(durations))
    return durations
