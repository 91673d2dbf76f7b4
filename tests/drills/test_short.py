"""A short drill from end to end: it passes, its plan is the seed's, and its report can be rebuilt."""

import hashlib
from pathlib import Path

from typer.testing import CliRunner

from paydrill.__main__ import app
from tests.drills.drill import play


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.parent.name not in ("journal", "logs") and "sqlite" not in path.name
    }


def test_a_healthy_platform_passes_and_its_report_is_rebuilt_byte_by_byte(tmp_path: Path) -> None:
    drill, code, output = play(tmp_path)
    assert code == 0, output
    assert "PASS" in output
    assert f"report  {drill.folder}/report.html" in output
    payments = drill.journal.table("payment").to_pylist()
    assert len(payments) == drill.verdict["generator"]["planned"] > 200
    assert {payment["error"] for payment in payments} == {""}
    orders = {entry["order_id"] for entry in drill.journal.table("platform_entry").to_pylist()}
    assert {payment["id"] for payment in payments} <= orders
    before = digests(drill.folder)
    assert {"report.html", "report.md", "junit.xml", "verdict.json", "payments.parquet"} <= set(before)
    for path in (drill.folder / "plots").iterdir():
        path.unlink()
    assert CliRunner().invoke(app, ["report", str(drill.folder)]).exit_code == 0
    assert digests(drill.folder) == before
