"""What a process wrote is what a reader gets, whatever happened to the process in between."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journal.reader import Journal, Tail
from journal.records import NAMES, TABLES, GeneratorSample, Intent, Mark, Payment, schema
from journal.writer import Writer

PAYMENT = Payment("p-1", 5, 6, None, "card", 1290, "EUR", "card_ok", "succeeded", "unknown", "time-out", "")


def test_every_table_has_a_schema_and_nullable_only_where_none_is_allowed() -> None:
    assert set(TABLES) == {NAMES[record] for record in TABLES.values()}
    assert [field.name for field in schema("payment") if field.nullable] == ["sent_ns", "done_ns"]
    unknown = [field.name for field in schema("generator") if field.nullable]
    assert unknown == ["cpu_wait_ns", "steal_ns"]
    for name, record in TABLES.items():
        assert tuple(schema(name).names) == record._fields


def test_a_list_of_any_length_is_read_as_it_was_written(tmp_path: Path) -> None:
    rows = [
        GeneratorSample(
            "load-0", 5, 5, 4, wait, 0, wait, 1, 0, 2, 2, lags, 3, 2, 1, 2, 9, 1, 1, 0, bool(lags)
        )
        for wait, lags in ((None, ()), (7, (1, 2**40)), (0, tuple(range(100))))
    ]
    with Writer(tmp_path, "load-0") as writer:
        for row in rows:
            writer.write(row)
    read = Journal(tmp_path).table("generator").to_pylist()
    assert [GeneratorSample(**row | {"loop_lags_ns": tuple(row["loop_lags_ns"])}) for row in read] == rows


@given(
    st.lists(st.lists(st.tuples(st.text(max_size=5), st.integers(-(2**62), 2**62)), max_size=5), max_size=6)
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, flushes: list[list[tuple[str, int]]]
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    tail = Tail(folder)
    seen: list[dict[str, object]] = []
    with Writer(folder, "load") as writer:
        for rows in flushes:
            for text, number in rows:
                writer.write(Intent(text, number, number))
            writer.flush()
            seen += [row for table, batch in tail.new() if table == "intent" for row in batch.to_pylist()]
    expected = [{"id": t, "due_ns": n, "sent_ns": n, "loop": "open"} for rows in flushes for t, n in rows]
    assert seen == expected
    assert Journal(folder).table("intent").to_pylist() == expected
    assert list(tail.new()) == []


def test_processes_are_joined_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("load-1", "load-0"):
        with Writer(tmp_path, name) as writer:
            writer.write(Mark(0, "note", name, "hello"))
    journal = Journal(tmp_path)
    assert journal.table("mark")["source"].to_pylist() == ["load-0", "load-1"]
    assert journal.processes() == ("load-0", "load-1")
    assert journal.table("probe").num_rows == 0


def test_any_cut_loses_only_the_last_batch(tmp_path: Path) -> None:
    with Writer(tmp_path, "load") as writer:
        for _ in range(3):
            writer.write(PAYMENT)
            writer.flush()
    path = tmp_path / "load.payment.arrow"
    whole = path.read_bytes()
    head = schema("payment").serialize().size
    batch = (len(whole) - head - 8) // 3
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        journal = Journal(tmp_path)
        readable = max(0, (size - head) // batch)
        assert journal.table("payment").num_rows == min(readable, 3), size
        clean_end = size >= head and (size - head) % batch == 0
        if clean_end:
            assert journal.damage == []
        elif size < len(whole) - 8:
            assert [damage.file for damage in journal.damage] == ["load.payment.arrow"], size


def test_a_process_killed_loses_nothing_that_it_flushed(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\n"
        "from journal.records import Intent\n"
        "from journal.writer import Writer\n"
        "w = Writer(pathlib.Path(sys.argv[1]), 'load')\n"
        "for i in range(1000):\n"
        "    w.write(Intent(str(i), i, i))\n"
        "w.flush()\n"
        "w.write(Intent('lost', 0, 0))\n"
        "print('flushed', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "flushed\n"
        os.kill(child.pid, signal.SIGKILL)
    journal = Journal(tmp_path)
    assert journal.table("intent")["id"].to_pylist() == [str(i) for i in range(1000)]
    assert journal.damage == []


def test_a_full_disk_loses_neither_the_batch_nor_what_stood_before(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib, resource, signal\n"
        "from journal.records import Intent\n"
        "from journal.writer import Writer\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "w = Writer(pathlib.Path(sys.argv[1]), 'load')\n"
        "w.write(Intent('first', 0, 0)); w.flush()\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1500, resource.RLIM_INFINITY))\n"
        "[w.write(Intent(str(i), i, i)) for i in range(500)]\n"
        "try:\n"
        "    w.flush()\n"
        "except OSError:\n"
        "    print('full')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)\n"
        "w.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "full\n", done.stderr
    journal = Journal(tmp_path)
    assert journal.table("intent")["id"].to_pylist() == ["first", *map(str, range(500))]
    assert journal.damage == []


def test_a_disk_that_is_full_from_the_start_can_be_written_when_there_is_room(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib, resource, signal\n"
        "from journal.records import Intent\n"
        "from journal.writer import Writer\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "w = Writer(pathlib.Path(sys.argv[1]), 'load')\n"
        "w.write(Intent('first', 0, 0))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))\n"
        "for _ in range(2):\n"
        "    try:\n"
        "        w.flush()\n"
        "    except OSError as error:\n"
        "        print(type(error).__name__)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)\n"
        "w.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == "OSError\nOSError\n", done.stderr
    assert Journal(tmp_path).table("intent")["id"].to_pylist() == ["first"]


def test_columns_of_another_version_are_named_as_damage(tmp_path: Path) -> None:
    with Writer(tmp_path, "load") as writer:
        writer.write(Intent("a", 1, 1))
    (tmp_path / "load.intent.arrow").rename(tmp_path / "load.mark.arrow")
    journal = Journal(tmp_path)
    assert journal.table("mark").num_rows == 0
    assert "another version" in journal.damage[0].reason
