from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from journal.records import schema
from reports.run_folder import NotARunError, open_run
from tests.reports.drill import Drill, S


def _healthy(folder: Path) -> Path:
    drill = Drill(10)
    drill.steady(0, 2 * S)
    return drill.write(folder)


def test_a_run_is_opened_with_its_scenario_and_its_block(tmp_path: Path) -> None:
    run = open_run(_healthy(tmp_path / "run"))
    assert run.scenario == Drill(10).scenario
    assert (run.block.id, run.block.payments_planned) == ("run", 80)
    assert (run.ended, run.ended_why, run.load_end_ns) == ("complete", "", 10 * S)
    assert len(run.table("payment")) == 80
    assert run.damage() == ()


def test_what_is_no_run_folder_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(NotARunError, match="is not a folder"):
        open_run(tmp_path / "nothing")
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotARunError, match="is not a folder"):
        open_run(tmp_path / "file")
    with pytest.raises(NotARunError, match=r"has no scenario\.yaml"):
        open_run(tmp_path)
    (tmp_path / "scenario.yaml").write_text("name: x")
    with pytest.raises(NotARunError, match="has no journal folder"):
        open_run(tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a: [", "is not YAML"),
        (b"\xff\xfe\xff", "is not YAML"),
        (b"- 1", "has no run block"),
        (b"name: x", "has no run block"),
        (b"run: 7", "has no run block"),
        (b"run: {id: x}", "started_at"),
        (b"run: {id: x, started_at: '', payments_planned: -1}", "payments_planned"),
        (b"run: {id: x, started_at: '', payments_planned: 1}\nname: x", "load"),
    ],
)
def test_a_broken_document_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    folder = _healthy(tmp_path / "run")
    (folder / "scenario.yaml").write_bytes(content)
    with pytest.raises(NotARunError, match=said):
        open_run(folder)


@pytest.mark.parametrize(
    ("marks", "ended", "why", "end_s"),
    [
        ([], "complete", "", 10),
        ([(4, "note"), (4, "died")], "complete", "", 10),
        ([(4, "interrupted")], "interrupted", "interrupted at 4", 4),
        ([(4, "interrupted"), (5, "aborted")], "aborted", "aborted at 5", 5),
        ([(5, "aborted"), (4, "aborted")], "aborted", "aborted at 4", 4),
        ([(12, "interrupted")], "interrupted", "interrupted at 12", 10),
        ([(4, "stopped"), (5, "interrupted")], "stopped", "stopped at 4", 4),
        ([(4, "stopped"), (5, "aborted")], "aborted", "aborted at 5", 5),
        ([(-1, "aborted")], "aborted", "aborted at -1", 0),
    ],
)
def test_marks_say_how_it_ended(
    tmp_path: Path, marks: list[tuple[int, str]], ended: str, why: str, end_s: int
) -> None:
    drill = Drill(10)
    for at, kind in marks:
        drill.mark(at * S, kind, f"{kind} at {at}")
    run = open_run(drill.write(tmp_path / "run"))
    assert (run.ended, run.ended_why, run.load_end_ns) == (ended, why, end_s * S)


def test_a_cut_file_is_damage_and_what_stands_before_it_is_read(tmp_path: Path) -> None:
    folder = _healthy(tmp_path / "run")
    path = folder / "journal" / "load-0.payment.arrow"
    path.write_bytes(path.read_bytes()[:-200])
    run = open_run(folder)
    assert len(run.table("payment")) == 0
    assert [one.file for one in run.damage()] == ["load-0.payment.arrow"]


def test_a_batch_of_broken_data_is_damage(tmp_path: Path) -> None:
    folder = _healthy(tmp_path / "run")
    path = folder / "journal" / "load-0.payment.arrow"
    columns = schema("payment")
    whole = pa.ipc.open_stream(path.read_bytes()).read_all().to_batches()[0]
    with path.open("wb") as file, pa.ipc.new_stream(file, columns) as stream:
        stream.write_batch(whole.slice(0, 40))
        stream.write_batch(whole.slice(40))
    path.write_bytes(path.read_bytes().replace(b"run-0000050", b"\xff" * 11))
    run = open_run(folder)
    assert len(run.table("payment")) == 40
    assert "broken data" in run.damage()[0].reason


def test_the_document_of_a_run_is_a_scenario_once_its_block_is_taken_out(tmp_path: Path) -> None:
    data = yaml.safe_load((_healthy(tmp_path / "run") / "scenario.yaml").read_text())
    assert set(data) - set(Drill(10).scenario.to_plain()) == {"run"}
