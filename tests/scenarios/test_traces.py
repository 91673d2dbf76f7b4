"""Recorded arrivals: every kind of file, everything that can be wrong with one, and the way into a run."""

import base64
import json
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.arrivals import due_times, of_load, peak_rate, rate_at
from scenarios.arrivals.recording import MOST_ARRIVALS, packed, unpacked
from scenarios.arrivals.trace_files import TraceError, read
from scenarios.document import ScenarioError
from scenarios.reading import load_scenario, parse
from scenarios.schema import Scenario
from scenarios.stage import Stage

S = 1_000_000_000


def offsets(tmp_path: Path, text: str, name: str = "trace.csv") -> list[int]:
    path = tmp_path / name
    path.write_text(text)
    packed_offsets = read(path).offsets
    assert packed_offsets is not None
    found: list[int] = unpacked(packed_offsets).tolist()
    return found


K6 = [
    {"type": "Metric", "metric": "http_reqs", "data": {"type": "counter"}},
    {"type": "Point", "metric": "vus", "data": {"time": "2026-01-01T00:00:09Z", "value": 1}},
    {"type": "Point", "metric": "http_reqs", "data": {"time": "2026-01-01T02:00:01.500000001+02:00", "value": 1}},
    {"type": "Point", "metric": "http_reqs", "data": {"time": "2026-01-01T00:00:01Z", "value": 1}},
    {"type": "Point", "metric": "iterations", "data": {"time": "2026-01-01T00:00:03Z", "value": 1}},
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0\n0.25\n1.5\n", [0, S // 4, 3 * S // 2]),
        ("12.000000001\n12.000000002\n", [0, 1]),
        ("1764000000\n1764000001.5\n", [0, 3 * S // 2]),
        ("1764000000000\n1764000000250\n", [0, S // 4]),
        ("1764000000000000\n1764000000000007\n", [0, 7000]),
        ("1764000000000000000\n1764000000000000007\n", [0, 7]),
        ("2026-01-01T00:00:00Z\n2026-01-01T01:00:00.25+01:00\n", [0, S // 4]),
        ("2026-01-01 00:00:00\n\n2026-01-01 00:01:00.5\n", [0, 60 * S + S // 2]),
        ("timestamp\n1\n2\n", [0, S]),
        ("order,TS\na,1\nb,2\n", [0, S]),
        ("moment;order\n1.5;a\n2;b\n", [0, S // 2]),
        ("id\ttime\nx\t7\ny\t7\n", [0, 0]),
        ("\ufeff5\n6\n", [0, S]),
        ("\n".join(map(json.dumps, K6)), [0, S // 2 + 1]),
        ("\n".join(map(json.dumps, [*K6[:2], K6[-1]])), [0]),
    ],
)
def test_kinds_of_files(tmp_path: Path, text: str, expected: list[int]) -> None:
    assert offsets(tmp_path, text) == expected


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", None, "is empty"),
        ("\n\n", None, "is empty"),
        ("timestamp\n", None, "there is no arrival in it"),
        ("1\n3\n2\n", 3, "'2' is 1s earlier than the line before; sort the file"),
        ("1\n2\nthree\n", 3, "'three' is not a timestamp"),
        ("1\n2026-01-01T00:00:00Z\n", 2, "is in ISO 8601 with a time zone, and the lines before are in numbers of s"),
        ("2026-01-01T00:00:00Z\n2026-01-01T00:00:01\n", 2, "without a time zone"),
        ("1764000000\n1764000000000\n", 2, "numbers of ms"),
        ("2026-02-30T00:00:00Z\n", 1, "is not a time"),
        ("2026-01-01T25:00:00Z\n", 1, "is not a time"),
        ("-5\n", 1, "neither a timestamp nor a column's name"),
        ("99999999999999999999999\n", 1, "neither a timestamp"),
        ("order,time\na\n", 2, "has no column 2"),
        ("Timestamp,Name,Requests/s\n1764000000,x,4\n", None, "no row Aggregated"),
        ("Timestamp,Name,Requests/s\n1764000000,Aggregated,N/A\n", 2, "'N/A' is not a rate"),
        ("Timestamp,Name,Requests/s\n1764000000,Aggregated,nan\n", 2, "'nan' is not a rate"),
        ("Timestamp,Name,Requests/s\n1764000000,Aggregated,-4\n", 2, "'-4' is not a rate"),
        ("Timestamp,Name,Requests/s\n1764000000\n", 2, "not a whole line"),
        ("Timestamp,Name,Requests/s\n5,Aggregated,4\n4,Aggregated,4\n", 3, "earlier"),
        ('{"metric": "vus", "type": "Point", "data": {}}\nnonsense\n', 2, "not a line of k6's JSON"),
        ('{"metric": "http_reqs", "type": "Point", "data": {"time": 5}}\n', 1, "no data.time"),
        ('{"metric": "vus", "type": "Point", "data": {}}\n', None, "there is no arrival in it"),
    ],
)  # fmt: skip
def test_a_trace_that_cannot_be_played_is_refused(
    tmp_path: Path, text: str, line: int | None, words: str
) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(text)
    with pytest.raises(TraceError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}:{line}: " if line else f"{path}: ")
    assert words in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for path, words in ((tmp_path / "none.csv", "No such file"), (tmp_path, "directory"), (tmp_path / "binary", "utf-8")):  # fmt: skip
        with pytest.raises(TraceError, match=words):
            read(path)


HISTORY = """\
Timestamp,User Count,Type,Name,Requests/s,Failures/s
1764000000,1,,Aggregated,0.000000,0.0
1764000001,1,POST,pay,9.000000,0.0
1764000001,1,,Aggregated,10.000000,0.0
1764000002,1,,Aggregated,10.000000,0.0
1764000003,1,,Aggregated,30.500000,0.0
"""


def test_a_locust_history_is_a_profile_of_rates(tmp_path: Path) -> None:
    path = tmp_path / "run_stats_history.csv"
    path.write_text(HISTORY)
    trace = read(path)
    assert (trace.offsets, trace.rates) == (None, "0s:0/s 1s:10/s 3s:30.5/s 4s")
    played = Stage(rates=trace.rates, trace=path.name)
    assert [rate_at([played], int(at * S)) for at in (0.5, 1, 2.9, 3, 4)] == [0, 10, 10, 30.5, 0]
    assert len(list(due_times([played], "even", 1))) == 50  # 50.5, of which the half is not due
    cut = Stage(rates=trace.rates, speed=2, duration="1s")
    assert [rate_at([cut], int(at * S)) for at in (0.2, 0.6, 1)] == [0, 20, 0]


@settings(max_examples=50)
@given(st.lists(st.integers(0, 7 * 86_400 * S), min_size=1, max_size=200).map(sorted))
def test_offsets_survive_their_text(times: list[int]) -> None:
    start = times[0]
    assert unpacked(packed(np.array([time - start for time in times]))).tolist() == [
        time - start for time in times
    ]


@pytest.mark.parametrize("text", ["", "AAAA", "not base64", "eJwDAAAAAAE=", "eJwzVDBSMFYwUdBVMAQADKIB6A==", packed(np.array([0, 1]))[:-4]])  # fmt: skip
def test_a_text_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no offsets of a trace"):
        unpacked(text)


def encoded(plain: str) -> str:
    return base64.b64encode(zlib.compress(plain.encode())).decode()


@pytest.mark.parametrize("plain", ["0 1", "1", "1 5 -1", "1 x", "1000000000 4611686018427387904"])
def test_numbers_that_are_no_offsets_are_refused(plain: str) -> None:
    assert unpacked(encoded("1000 0 5")).tolist() == [0, 5000]
    with pytest.raises(ValueError, match="no offsets of a trace"):
        unpacked(encoded(plain))


def test_more_arrivals_than_allowed_are_refused() -> None:
    with pytest.raises(ValueError, match="1,000,001 arrivals; 1,000,000 is the most"):
        packed(np.arange(MOST_ARRIVALS + 1))


SCENARIO = "name: drill\ngateways: {stripe: {}}\nload:\n  arrivals:\n    - {duration: 1s, rate: 4/s}\n    - "


def scenario(tmp_path: Path, stage: str, trace: str = "0\n0.5\n0.5\n1.5\n3.25\n") -> Scenario:
    (tmp_path / "checkout.csv").write_text(trace)
    (tmp_path / "drill.yaml").write_text(SCENARIO + stage + "\n  spacing: even\n")
    return load_scenario(str(tmp_path / "drill.yaml"))


def test_a_trace_is_played_as_recorded_and_travels_with_the_scenario(tmp_path: Path) -> None:
    found = scenario(tmp_path, "{trace: checkout.csv, name: friday}")
    # A trace ends a mean gap after its last arrival: 3.25 s and 3.25 s / 4.
    assert found.duration_ns == S + 4_062_500_000
    assert found.expected_payments() == 9
    times = list(of_load(found.load, 1))
    assert times[4:] == [S, S + S // 2, S + S // 2, 2 * S + S // 2, 4 * S + S // 4]
    (tmp_path / "checkout.csv").unlink()
    again = parse(yaml.safe_dump(found.to_plain()), "again.yaml")
    assert again == found
    assert list(of_load(again.load, 1)) == times
    assert Scenario.model_validate(found.to_plain()) == found


def test_a_trace_is_faster_cut_and_repeated(tmp_path: Path) -> None:
    found = scenario(tmp_path, "{repeat: 2, arrivals: [{trace: checkout.csv, speed: 2, duration: 1s}]}")
    assert list(of_load(found.load, 1))[4:] == [
        S, S + S // 4, S + S // 4, S + 3 * S // 4, 2 * S, 2 * S + S // 4, 2 * S + S // 4, 2 * S + 3 * S // 4,
    ]  # fmt: skip
    assert peak_rate(found.load.arrivals[1:]) == 4
    assert [rate_at(found.load.arrivals, at * S) for at in (0, 1, 2, 3)] == [4, 4, 4, 0]


@pytest.mark.parametrize(
    ("stage", "trace", "words"),
    [
        ("{trace: none.csv}", "1\n", "none.csv: cannot be read: No such file"),
        ("{trace: checkout.csv}", "2\n1\n", "checkout.csv:2: '1' is 1s earlier"),
        ("{repeat: 2, arrivals: [{trace: checkout.csv}]}", "2\n1\n", "arrivals.1.arrivals.0.trace: "),
        ("{trace: checkout.csv, speed: 0}", "1\n", "must be above 0"),
        ("{trace: checkout.csv, duration: 7s}", "0\n3\n", "the trace is 6s long at this speed, and duration can only cut it"),
        ("{trace: checkout.csv}", "2020-01-01T00:00:00Z\n2026-01-01T00:00:00Z\n", "days, and 7 are the most"),
        ("{trace: checkout.csv, rate: 4/s, duration: 1s}", "1\n", "rate and trace do not go together"),
        ("{trace: 5}", "1\n", "must be a text"),
    ],
)  # fmt: skip
def test_a_trace_in_a_scenario_is_refused_at_its_line(
    tmp_path: Path, stage: str, trace: str, words: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario(tmp_path, stage, trace)
    assert [problem.line for problem in caught.value.problems] == [6]
    assert words in str(caught.value)


def test_the_digest_is_of_the_file(tmp_path: Path) -> None:
    import hashlib

    found = scenario(tmp_path, "{trace: checkout.csv}", "1\n2\n")
    assert found.load.arrivals[1].sha256 == hashlib.sha256(b"1\n2\n").hexdigest()
    assert Fraction(found.expected_payments()) == 6


line = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["1", "2.5", "timestamp", "a,time", "b,3", "2026-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "1e9", "-1",
         "{}", "[]", '{"metric": "http_reqs"}', '{"metric": "http_reqs", "type": "Point", "data": 5}',
         "Timestamp,Name,Requests/s", "5,Aggregated,1e400", "5,Aggregated,1e-400", "6,Aggregated,7", '"'],
    ),
)  # fmt: skip


@settings(max_examples=100)
@given(
    st.one_of(st.binary(max_size=60), st.lists(line, max_size=6).map(lambda lines: "\n".join(lines).encode()))
)
def test_whatever_a_file_holds_it_is_played_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    try:
        trace = read(path)
    except TraceError as error:
        assert str(error).startswith(str(path))
        return
    stage = {"offsets": trace.offsets} if trace.offsets is not None else {"rates": trace.rates}
    try:
        played = Stage.model_validate({key: value for key, value in stage.items() if value is not None})
    except ValueError as error:
        assert "days" in str(error)
        return
    times = list(due_times([played], "even", 1)) if trace.offsets is not None else []
    assert times == sorted(times)
