"""``verdict.json``, ``junit.xml`` and ``payments.parquet`` of a run made by hand.

The golden files were read line by line when they were made. After a change that is meant to change them:

    UPDATE_GOLDEN=1 .venv/bin/python -m pytest tests/reports/test_render.py
"""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from xml.etree import ElementTree as Xml

import pyarrow.parquet as pq
import pytest

from reports.judge import Judgement, judge_run
from reports.render.junit import junit_xml
from reports.render.payments_parquet import payments_parquet
from reports.render.verdict_json import SCHEMA, json_schema, verdict_json
from reports.run_folder import open_run
from tests.reports.drill import MS, Drill, S
from tests.reports.json_schema import misfits

GOLDEN = Path(__file__).parent / "golden"
DOCS = Path(__file__).parents[2] / "docs"


def _drill() -> Drill:
    """One fault, and a PASS, a FAIL and an INCONCLUSIVE among the objectives."""
    drill = Drill(
        20,
        faults=[{"at": "8s", "for": "4s", "on": "stripe", "fault": "outage"}],
        objectives={
            "uptime": ">= 80%",
            "monthly_uptime": {"target": ">= 99.9%", "incidents": "10/month"},
            "success_rate": ">= 98%",
            "latency_p95": "< 200ms",
            "latency_p999": "< 1s",
            "recovery_time": "< 1s",
            "failback_time": "< 2s",
            "double_charges": 0,
            "lost_payments": 0,
        },
        maintenance=[{"at": "18s", "for": "1s"}],
    )
    drill.fault_ran(start_ns=8 * S + 2 * MS, stop_ns=12 * S + 3 * MS, hits=21)
    drill.steady(0, 8 * S)
    drill.steady(
        8 * S, 10 * S, outcome="failed", error="no gateway", gateway="", captures=0, latency_ns=5 * MS
    )
    drill.steady(10 * S, 12 * S, gateway="adyen")
    drill.steady(12 * S, 20 * S, latency_ns=120 * MS)
    drill.pay(13 * S, order="run-twice", captures=2)
    drill.pay(14 * S, expected="declined")
    for second in range(20):
        drill.probe(second * S + 500 * MS, "fail" if 8 <= second < 12 else "ok", "stripe")
    drill.mark(0, "stage", "peak & <more>\x00")
    return drill


@pytest.fixture
def judgement(tmp_path: Path) -> Judgement:
    return judge_run(open_run(_drill().write(tmp_path / "run")))


def _golden(name: str, content: bytes) -> None:
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    assert content == path.read_bytes()


def test_golden_verdict_json(judgement: Judgement) -> None:
    _golden("verdict.json", verdict_json(judgement.findings))


def test_golden_junit_xml(judgement: Judgement) -> None:
    _golden("junit.xml", junit_xml(judgement.findings))


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    _drill().write(tmp_path / "run")
    one, two = (judge_run(open_run(tmp_path / "run")) for _ in range(2))
    assert verdict_json(one.findings) == verdict_json(two.findings)
    assert junit_xml(one.findings) == junit_xml(two.findings)
    assert payments_parquet(one.orders, one.payments) == payments_parquet(two.orders, two.payments)


def test_the_schema_in_the_documentation_is_that_of_the_code() -> None:
    assert json.loads((DOCS / "verdict.schema.json").read_text()) == json.loads(json.dumps(json_schema()))


def test_the_file_fits_its_schema(judgement: Judgement) -> None:
    schema = json_schema()
    data = json.loads(verdict_json(judgement.findings))
    assert misfits(data, schema, schema["$defs"], "") == []
    assert data["schema"] == SCHEMA
    del data["money"]["orders"]
    assert misfits(data, schema, schema["$defs"], "") == [".money.orders is missing"]


def test_every_field_is_documented() -> None:
    text = (DOCS / "verdict.md").read_text()
    missing = [name for name in json_schema()["properties"] if f"`{name}`" not in text]
    assert missing == []


def test_junit_counts_failures_and_errors_apart(judgement: Judgement) -> None:
    root = Xml.fromstring(junit_xml(judgement.findings))
    suite = root[0]
    statuses = [objective.status for objective in judgement.findings.objectives]
    assert (
        suite.attrib["failures"] == str(statuses.count("FAIL")) == str(len(suite.findall("testcase/failure")))
    )
    assert suite.attrib["errors"] == str(statuses.count("INCONCLUSIVE"))
    assert {error.attrib["type"] for error in suite.findall("testcase/error")} == {"INCONCLUSIVE"}
    assert int(suite.attrib["tests"]) == len(statuses) + 5


def test_junit_does_not_let_an_invalid_drill_pass(tmp_path: Path) -> None:
    drill = _drill()
    drill.planned = 10_000
    drill.records = [
        (process, record) for process, record in drill.records if type(record).__name__ != "FaultEvent"
    ]
    drill.mark(19 * S, "aborted", "the gateway \x01 died")
    root = Xml.fromstring(junit_xml(judge_run(open_run(drill.write(tmp_path / "run"))).findings))
    errors = {
        str(case.get("name")): (str(error.get("type")), str(error.get("message")))
        for case in root.iter("testcase")
        if "validity" in str(case.get("classname"))
        for error in case.findall("error")
    }
    assert errors == {
        "the drill ran to its end": ("ABORTED", "the drill was aborted: the gateway \ufffd died"),
        "the fault f1 (outage on stripe) hit something": ("INCONCLUSIVE", "it never started"),
    }


def test_parquet_holds_every_order_with_its_views(judgement: Judgement) -> None:
    table = pq.read_table(io.BytesIO(payments_parquet(judgement.orders, judgement.payments)))
    assert len(table) == len(judgement.payments) == 802
    twice = table.filter(table["order_id"].to_numpy() == "run-twice").to_pylist()[0]
    assert (twice["captures"], twice["captured_minor"], twice["ledger_status"]) == (2, 2000, "succeeded")
    assert twice["captured_reference"] == "ref-run-twice-0,ref-run-twice-1"
    assert (twice["latency_ns"], twice["lateness_ns"]) == (100 * MS, 0)
    assert (twice["success"], twice["true_success"]) == (True, False)
    due = table["due_ns"].to_pylist()
    assert due == sorted(due)
