"""A shipped journal is the one that would have been written, whatever gets lost or doubled on the way."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journal.reader import Journal
from journal.records import Intent, Mark
from journal.writer import Writer
from scenarios.distributed import shipping
from scenarios.distributed.shipping import AGAIN_NS, Batch, Receiver, Shipper


def test_shipped_files_are_those_that_a_writer_writes(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    receiver = Receiver(there, "load-0")
    shipper = Shipper("load-0", receiver.take, lambda: 0)
    with Writer(here, "load-0") as writer:
        for number in range(30):
            for sink in (writer, shipper):
                sink.write(Intent(f"r-{number}", number, number + 1))
                if number % 4 == 0:
                    sink.write(Mark(number, "note", "load-0", "text"))
                if number % 7 == 0:
                    sink.flush()
    shipper.close()
    receiver.close()
    names = sorted(path.name for path in here.iterdir())
    assert names == ["load-0.intent.arrow", "load-0.mark.arrow"]
    for name in names:
        assert (there / name).read_bytes() == (here / name).read_bytes()


@settings(max_examples=30)
@given(seed=st.integers(0, 10**9), loss=st.floats(0, 0.6))
def test_nothing_is_missing_or_doubled_over_a_bad_line(
    tmp_path_factory: pytest.TempPathFactory, seed: int, loss: float
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    draw = random.Random(seed).random
    receiver = Receiver(folder, "load-0")
    now = 0
    late: list[Batch] = []

    def send(batch: Batch) -> None:
        if draw() < loss:
            return
        late.append(batch)
        if draw() < loss:
            late.append(batch)
        if draw() < 0.7:
            while late:
                number = receiver.take(late.pop(0))
                if draw() >= loss:
                    shipper.acknowledged(number)

    shipper = Shipper("load-0", send, lambda: now)
    try:
        for number in range(40):
            shipper.write(Intent(f"r-{number}", number, number))
            if draw() < 0.4:
                shipper.flush()
        shipper.close()
        assert shipper.batches > 0
        for _ in range(500):
            if shipper.empty:
                break
            now += AGAIN_NS + 1
            shipper.send_again()
    finally:
        receiver.close()
    assert shipper.empty
    assert shipper.kept_bytes == 0
    ids = Journal(folder).table("intent")["id"].to_pylist()
    assert ids == [f"r-{number}" for number in range(40)]


def test_a_batch_that_cannot_be_written_comes_again(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    receiver = Receiver(folder, "load-0")
    sent: list[Batch] = []
    shipper = Shipper("load-0", sent.append, lambda: 0)
    shipper.write(Intent("r-0", 0, 0))
    shipper.flush()
    with pytest.raises(OSError):
        receiver.take(sent[0])
    assert receiver.number == 0
    folder.mkdir()
    assert receiver.take(sent[0]) == 1
    receiver.close()
    assert Journal(folder).table("intent").num_rows == 1


def test_what_waits_for_the_master_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipping, "FULL_BYTES", 2_000)
    shipper = Shipper("load-0", lambda batch: None, lambda: 0)
    while not shipper.full:
        shipper.write(Intent("r-0", 0, 0))
        shipper.flush()
    assert shipper.kept_bytes > 2_000
    shipper.acknowledged(shipper.batches)
    assert not shipper.full
