"""The state file itself: what is torn is dropped, what is damaged or another's is refused."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mocks.state import Record, StateError, StateFile

IDENTITY = {"gateway": "stripe", "seed": 1}
RECORDS: list[Record] = [["request", 0, 1.5, "ä\x00\n"], ["execute", 0, 2.5, 7], ["end", 0]]


@contextmanager
def opened(path: Path, **more: object) -> Iterator[StateFile]:
    file = StateFile(path, IDENTITY | more)
    try:
        yield file
    finally:
        file.close()


def written(path: Path) -> bytes:
    with opened(path) as file:
        assert list(file.records()) == []
        for record in RECORDS:
            file.append(record)
        file.flush()
    return path.read_bytes()


def test_what_was_written_is_read(tmp_path: Path) -> None:
    written(tmp_path / "s")
    with opened(tmp_path / "s") as file:
        assert list(file.records()) == RECORDS and file.dropped == 0
        file.append(["end", 1])
        file.flush()
        file.append(["never flushed"])
    with opened(tmp_path / "s") as file:
        assert list(file.records()) == [*RECORDS, ["end", 1]]
        file.clear()
        assert list(file.records()) == []


def test_it_is_nobody_elses_to_read(tmp_path: Path) -> None:
    written(tmp_path / "s")
    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o600


@given(st.data())
def test_cut_anywhere_a_beginning_of_it_survives(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s"
        whole = written(path)
        cut = data.draw(st.integers(0, len(whole)))
        path.write_bytes(whole[:cut])
        with opened(path) as file:
            found = list(file.records())
            assert found == RECORDS[: len(found)]
            # Every record that is there to its last byte is read.
            assert len(found) == max(0, whole[:cut].count(b"\n") - 1)
            file.append(["more"])
            file.flush()
        with opened(path) as file:
            assert list(file.records()) == [*found, ["more"]] and file.dropped == 0


@given(st.data())
def test_a_changed_byte_is_never_believed(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s"
        whole = bytearray(written(path))
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place] ^= data.draw(st.integers(1, 255))
        path.write_bytes(whole)
        try:
            with opened(path) as file:
                found = list(file.records())
        except StateError as error:
            assert "name another" in str(error)
        else:
            assert found == RECORDS[: len(found)] and len(found) < len(RECORDS)


def test_what_was_half_written_is_counted(tmp_path: Path) -> None:
    whole = written(tmp_path / "s")
    (tmp_path / "s").write_bytes(whole + b"01234567 [")
    with opened(tmp_path / "s") as file:
        assert list(file.records()) == RECORDS and file.dropped == 10
    assert (tmp_path / "s").read_bytes() == whole


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"seed": 2}, "written with seed 1, this mock has 2"),
        ({"gateway": "adyen"}, "written with gateway stripe, this mock has adyen"),
        ({"paydrill": "9"}, "written with paydrill None, this mock has 9"),
    ],
)
def test_anothers_state_is_refused(tmp_path: Path, change: dict[str, object], what: str) -> None:
    written(tmp_path / "s")
    with pytest.raises(StateError, match=what), opened(tmp_path / "s", **change):
        pass
    with opened(tmp_path / "s") as file:  # and left as it was
        assert list(file.records()) == RECORDS


@pytest.mark.parametrize("content", [b"hello\n", b"x", b"\x00" * 5000, b"[]\n[]\n"])
def test_what_is_no_state_file_is_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "s").write_bytes(content)
    with pytest.raises(StateError, match="is no state file"), opened(tmp_path / "s"):
        pass
    assert (tmp_path / "s").read_bytes() == content


def test_one_mock_at_a_time(tmp_path: Path) -> None:
    with (
        opened(tmp_path / "s"),
        pytest.raises(StateError, match="in use by another mock"),
        opened(tmp_path / "s"),
    ):
        pass
    with opened(tmp_path / "s"):
        pass


def test_a_place_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot be opened"), opened(tmp_path):
        pass


def test_a_full_disk_is_said() -> None:
    file = StateFile.__new__(StateFile)
    with Path("/dev/full").open("wb", buffering=0) as full:
        file.path, file._file, file._pending = Path("/dev/full"), full.fileno(), []
        file.append(["end", 1])
        with pytest.raises(StateError, match="No space left"):
            file.flush()
