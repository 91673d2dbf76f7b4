"""Durations out of logs: the formats, the units, and every way in which a file can be wrong."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.measurements import MeasurementError, read, unit_of

MS = 1_000_000


def written(folder: Path, text: str) -> Path:
    path = folder / "log"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("duration_ms\n120\n80.5\n", [80_500_000, 120 * MS]),
        ("at,status,request_time\n1,200,0.120\n2,200,0.080\n", [80 * MS, 120 * MS]),
        ("at;latency_us\n1;1500\n", [1_500_000]),
        ("at\tlatency (ms)\n1\t15\n", [15 * MS]),
        ('"path","took_ms"\n"/a,b",7\n', [7 * MS]),
        ("\ufeffduration_s\r\n2\r\n", [2000 * MS]),
        ('{"request_time": 0.2, "uri": "/"}\n\n{"request_time": "0.1"}\n', [100 * MS, 200 * MS]),
        ('{"durationMs": 3}\n{"durationMs": 1e1}\n', [3 * MS, 10 * MS]),
        ("120ms\n1.5s\n80us\n", [80_000, 120 * MS, 1500 * MS]),
        ("elapsed\n250\n", [250 * MS]),
    ],
)
def test_formats_and_units(tmp_path: Path, text: str, expected: list[int]) -> None:
    found = read(written(tmp_path, text))
    assert (list(found.durations_ns), found.skipped) == (expected, 0)


@pytest.mark.parametrize(
    ("text", "column", "unit", "expected"),
    [
        ("5\n7\n", None, "ms", [5 * MS, 7 * MS]),
        ("start,end,t\n1,2,3\n", "t", "s", [3000 * MS]),
        ('{"call": {"t": 3}}\n', "call.t", "us", [3000]),
        ('{"call.t": 3}\n', "call.t", "us", [3000]),
        # What the column says counts more than what was asked for by mistake.
        ("t_ms\n3\n", "t_ms", "s", [3 * MS]),
    ],
)
def test_column_and_unit_given(
    tmp_path: Path, text: str, column: str, unit: str, expected: list[int]
) -> None:
    assert list(read(written(tmp_path, text), column, unit).durations_ns) == expected


def test_requests_without_a_duration_are_left_out_and_counted(tmp_path: Path) -> None:
    text = "uri,upstream_response_time\n/,-\n/,0.5\n/,\n/,-1\n/\n"
    found = read(written(tmp_path, text))
    assert (found.durations_ns, found.skipped) == ((500 * MS,), 4)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("5\n7\n", None, r"log:1: 5 has no unit; name the column like duration_ms"),
        ("latency\n7\n", None, r"log:2: 7 has no unit"),
        ("duration_ms\n7\nfast\n", None, r"log:3: 'fast' is not a duration"),
        ("duration_ms\nnan\n", None, r"log:2: nan is not a duration"),
        ("duration_ms\n1e400\n", None, r"log:2: 1e400 is not a duration"),
        ("duration_ms\n", None, "there is no duration in it"),
        ("", None, "there is no duration in it"),
        ("a,b\n1,2\n", None, "which column holds the duration. there are a, b"),
        ("t_latency,o_latency\n1,2\n", None, "t_latency, o_latency could be it"),
        ("a,b\n1,2\n", "c", "there is no 'c'; there are a, b"),
        ('{"a": 1}\n', "c.d", "there is no 'c.d'; there are a"),
        ('{"duration_ms": 1}\nnot json\n', None, r"log:2: is not a JSON object"),
        ('{"duration_ms": {"x": 1}}\n', None, r"log:1: .* is not a duration"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line(
    tmp_path: Path, text: str, column: str | None, message: str
) -> None:
    with pytest.raises(MeasurementError, match=message):
        read(written(tmp_path, text), column)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00\x80")
    for path in (tmp_path / "none", tmp_path, binary, Path("nul\0byte")):
        with pytest.raises(MeasurementError, match="cannot be read"):
            read(path)


@pytest.mark.parametrize(
    ("name", "unit"),
    [("duration_ms", "ms"), ("ms", "ms"), ("latency (us)", "us"), ("request_time", "s"), ("timeMillis", "ms"),
     ("took.seconds", "s"), ("items", None), ("terms", None), ("latency", None), ("duration", None),
     ("Duration", "ns")],
)  # fmt: skip
def test_the_unit_that_a_name_tells(name: str, unit: str | None) -> None:
    assert unit_of(name) == unit


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=30))
def test_csv_and_json_lines_tell_the_same(tmp_path_factory: pytest.TempPathFactory, ns: list[int]) -> None:
    folder = tmp_path_factory.mktemp("same")
    with (folder / "log.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["uri", "duration_ns"])
        writer.writerows(("/a,b", value) for value in ns)
    (folder / "log.json").write_text("".join(json.dumps({"duration_ns": value}) + "\n" for value in ns))
    assert read(folder / "log.csv") == read(folder / "log.json")
    assert list(read(folder / "log.csv").durations_ns) == sorted(ns)
