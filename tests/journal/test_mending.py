"""What a killed process left is made whole, wherever it broke off."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from journal.mending import mend, written
from journal.reader import Journal
from journal.records import Mark
from journal.writer import Writer


def _three_batches(folder: Path) -> tuple[Path, list[int]]:
    """A file of three batches of two marks each, not ended, and the sizes at which it was whole."""
    writer = Writer(folder, "stripe")
    path = folder / "stripe.mark.arrow"
    sizes = []
    for batch in range(3):
        for number in range(2):
            writer.write(Mark(batch, "note", "stripe", f"{number}" * (number + 1)))
        writer.flush()
        sizes.append(path.stat().st_size)
    for stream in writer._streams.values():
        stream._file.close()
    return path, sizes


@settings(max_examples=60, deadline=None)
@given(kept=st.floats(0, 1))
def test_whatever_is_left_can_be_read(kept: float) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, sizes = _three_batches(folder)
        data = path.read_bytes()
        cut = round(len(data) * kept)
        path.write_bytes(data[:cut])
        whole = sum(size <= cut for size in sizes)
        assert written(folder, "stripe", "mark").num_rows == 2 * whole
        mend(folder, "stripe")
        journal = Journal(folder)
        assert journal.table("mark")["at_ns"].to_pylist() == [at for at in range(whole) for _ in range(2)]
        assert journal.damage == []
        assert written(folder, "stripe", "mark").num_rows == 2 * whole
        mended = path.read_bytes()
        mend(folder, "stripe")
        assert path.read_bytes() == mended


def test_a_file_that_was_ended_in_order_is_left_alone(tmp_path: Path) -> None:
    with Writer(tmp_path, "stripe") as writer:
        writer.write(Mark(1, "note", "stripe", "text"))
    path = tmp_path / "stripe.mark.arrow"
    before = path.read_bytes()
    mend(tmp_path, "stripe")
    assert path.read_bytes() == before


def test_nothing_written_is_nothing_to_mend(tmp_path: Path) -> None:
    mend(tmp_path, "stripe")
    assert list(tmp_path.iterdir()) == []
    assert written(tmp_path, "stripe", "mark").num_rows == 0
