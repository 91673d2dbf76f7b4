"""The file that keeps what was measured: what is not this machine's, or not whole, is not used."""

import json
from pathlib import Path

import pytest

from paydrill.calibrate import BUCKET_NS, LATENESS_LIMIT_NS, overloaded_from, percentile
from paydrill.calibration import Calibration, CalibrationError, keep, path, read
from tests.capacity.test_capacity import FIGURES

HERE = "a processor, 4 cores, 8 GiB, Linux x86_64"
CALIBRATION = Calibration(
    measured_at="2026-01-02T03:04:05Z",
    paydrill="0.1.0",
    machine=HERE,
    lateness_limit_ns=LATENESS_LIMIT_NS,
    payments=12_345,
    apart=True,
    others=0.05,
    figures=FIGURES,
)
MS = 1_000_000


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "some" / "where" / "calibration.json"
    keep(CALIBRATION, file)
    assert read(file, HERE) == CALIBRATION
    assert [entry.name for entry in file.parent.iterdir()] == ["calibration.json"]


def test_without_one_the_command_that_measures_is_named(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match=r"no figure is made up; run: paydrill plan --calibrate"):
        read(tmp_path / "none.json", HERE)


def test_another_machines_is_refused(tmp_path: Path) -> None:
    keep(CALIBRATION, tmp_path / "c.json")
    with pytest.raises(CalibrationError, match=r"another machine \(a processor, 4 cores"):
        read(tmp_path / "c.json", "b processor, 2 cores")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "format 2, this version 1"),
        ({"figures": {}}, "figures"),
        ({"payments": "many"}, "payments"),
        ({"more": 1}, "more"),
    ],
)
def test_a_file_that_is_something_else_is_refused(
    tmp_path: Path, change: dict[str, object], words: str
) -> None:
    file = tmp_path / "c.json"
    keep(CALIBRATION, file)
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(CalibrationError, match=words):
        read(file, HERE)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]"])
def test_a_broken_file_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "c.json"
    file.write_bytes(content)
    with pytest.raises(CalibrationError, match="measure again: paydrill plan --calibrate"):
        read(file, HERE)


def test_a_folder_in_its_place_is_no_traceback(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="cannot be read"):
        read(tmp_path, HERE)


def test_it_is_in_the_users_cache(tmp_path: Path) -> None:
    assert path({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "paydrill" / "calibration.json"
    # A relative path is to be ignored, the specification says.
    for environ in ({}, {"XDG_CACHE_HOME": ""}, {"XDG_CACHE_HOME": "cache"}):
        assert path(environ) == Path.home() / ".cache" / "paydrill" / "calibration.json"


def late(*medians_ms: float | None) -> list[tuple[int, int | None]]:
    """Three payments a bucket, all with the bucket's lateness."""
    return [
        (number * BUCKET_NS + at, None if median is None else int(median * MS))
        for number, median in enumerate(medians_ms)
        for at in (0, 1, 2)
    ]


@pytest.mark.parametrize(
    ("medians", "bucket"),
    [
        ([0.1, 0.1, 0.1, 0.1, 0.1], None),
        ([0.1, 9, 9, 9, 9], 1),
        ([0.1, 9, 9, 0.1, 9, 9, 9], 4),  # a stall that passes is not the limit
        ([9, 0.1, 9, 0.1, 9], None),
        ([0.1, None, None, None], 1),  # never sent is as late as can be
        ([0.1, 9, 9], None),
        ([5, 5, 5], None),  # at the limit, not above
    ],
)
def test_where_a_worker_begins_to_be_late(medians: list[float | None], bucket: int | None) -> None:
    found = overloaded_from(late(*medians), len(medians) * BUCKET_NS)
    assert found == (None if bucket is None else bucket * BUCKET_NS)


def test_a_bucket_that_is_not_over_is_not_judged() -> None:
    payments = late(0.1, 9, 9, 9)
    assert overloaded_from(payments, 4 * BUCKET_NS) == BUCKET_NS
    assert overloaded_from(payments, 4 * BUCKET_NS - 1) is None


def test_percentiles_are_by_nearest_rank_and_never_sent_counts() -> None:
    assert percentile(list(range(1, 101)), 0.99) == 99
    assert percentile([1], 0.99) == 1
    assert percentile([None, *range(99)], 0.99) == 98
    assert percentile([None, None, *range(98)], 0.99) == float("inf")
    assert percentile([], 0.99) == float("inf")
