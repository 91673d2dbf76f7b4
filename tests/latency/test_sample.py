"""``paydrill latency sample``, as it is typed."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from paydrill.__main__ import app
from scenarios.measurements import read

MS = 1_000_000


def test_samples_of_two_logs(tmp_path: Path) -> None:
    one, other, out = tmp_path / "one.csv", tmp_path / "other.log", tmp_path / "samples.csv"
    one.write_text("card,t\n" + "".join(f"4242424242424242,{n}\n" for n in range(1, 101)))
    other.write_text("".join(f'{{"card": "4242424242424242", "t": "{n}"}}\n' for n in range(101, 200)))
    given = ["latency", "sample", str(other), str(one), "--column", "t", "--unit", "ms", "--out", str(out)]
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == ["n", "199", "p50", "100ms", "p90", "179.2ms", "p99", "197.02ms"]
    assert "fewer than 10 values" in result.stderr
    assert list(read(out).durations_ns) == [n * MS for n in range(1, 200)]
    assert "4242" not in out.read_text()


def test_lines_left_out_are_said(tmp_path: Path) -> None:
    log, out = tmp_path / "log.csv", tmp_path / "samples.csv"
    log.write_text("request_time\n" + "0.5\n" * 2000 + "-\n" * 3)
    result = CliRunner().invoke(app, ["latency", "sample", str(log), "--out", str(out)])
    assert result.exit_code == 0
    assert "3 lines without a duration were left out" in result.stderr
    assert "fewer than" not in result.stderr


def test_wrong_usage(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("a,b\n1,2\n")
    for given, message in (
        ([str(log)], "which column holds the duration"),
        ([str(log), "--unit", "min"], "--unit min: must be one of ns, us, ms, s"),
        ([str(tmp_path / "none")], "cannot be read"),
        (
            [str(log), "--column", "a", "--unit", "s", "--out", str(tmp_path)],
            "choose another file with --out",
        ),
    ):
        result = CliRunner().invoke(app, ["latency", "sample", *given])
        assert result.exit_code == 2, result.output
        assert message in result.stderr
        assert "Traceback" not in result.output


def test_help_says_how_to_get_a_log() -> None:
    result = CliRunner().invoke(app, ["latency", "sample", "--help"])
    assert result.exit_code == 0
    assert "duration_ms" in result.stdout and "log_format" in result.stdout
