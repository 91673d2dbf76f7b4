"""HdrHistogram logs, written by the library's own writer."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogWriter

from scenarios import histogram_log
from scenarios.measurements import MeasurementError, read

MS = 1_000_000


def log(intervals: list[list[int]], ratio: float = 1_000_000.0, tag: str = "") -> str:
    """A log of values; ``ratio`` is what its writer divides the largest value by for the note."""
    text = io.StringIO()
    writer = HistogramLogWriter(text)
    writer.output_log_format_version()
    writer.output_legend()
    for values in intervals:
        histogram = HdrHistogram(1, 3600 * 10**9, 3)
        for value in values:
            histogram.record_value(value)
        text.write(tag)
        writer.output_interval_histogram(histogram, 1.0, 2.0, ratio)
    return text.getvalue()


def written(folder: Path, text: str) -> Path:
    path = folder / "calls.hlog"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("ratio", "scale"), [(1_000_000.0, 1), (1_000.0, 1_000), (1.0, MS)])
def test_values_are_told_in_the_unit_that_the_note_tells(tmp_path: Path, ratio: float, scale: int) -> None:
    sent = [80 * MS, 80 * MS, 120 * MS, 2500 * MS]
    text = log([[value // scale for value in sent[:2]], [value // scale for value in sent[2:]]], ratio)
    found = read(written(tmp_path, text))
    assert list(found.durations_ns) == pytest.approx(sent, rel=0.001) and found.skipped == 0


def test_tags_empty_intervals_and_a_log_without_a_head(tmp_path: Path) -> None:
    intervals = log([[80 * MS], [], [90 * MS]], tag="Tag=charge,").splitlines()[2:]
    found = read(written(tmp_path, "\n".join(intervals)))
    assert list(found.durations_ns) == pytest.approx([80 * MS, 90 * MS], rel=0.001)


def test_the_unit_can_be_given_where_the_note_does_not_tell_it(tmp_path: Path) -> None:
    path = written(tmp_path, log([[80_000]], ratio=7.0))
    with pytest.raises(MeasurementError, match=r"calls\.hlog:3: the unit cannot be told.*--unit"):
        read(path)
    assert list(read(path, unit="us").durations_ns) == pytest.approx([80 * MS], rel=0.001)


def test_a_cut_line_is_named(tmp_path: Path) -> None:
    whole = log([[80 * MS], [90 * MS]])
    with pytest.raises(MeasurementError, match=r"calls\.hlog:4: the histogram cannot be unpacked"):
        read(written(tmp_path, whole[:-15]))
    with pytest.raises(MeasurementError, match=r"calls\.hlog:5: is not an interval"):
        read(written(tmp_path, whole + "120ms\n"))
    with pytest.raises(MeasurementError, match="no duration"):
        read(written(tmp_path, log([[]])))


def test_a_large_log_is_thinned_out_evenly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(histogram_log, "MOST", 100)
    found = read(written(tmp_path, log([[10 * MS] * 500 + [20 * MS] * 400 + [1000 * MS] * 100])))
    assert len(found.durations_ns) == 100
    counts = [sum(low * MS < d < high * MS for d in found.durations_ns) for low, high in ((9, 11), (19, 21))]
    assert counts == [50, 40] and found.durations_ns[-10] == pytest.approx(1000 * MS, rel=0.001)
