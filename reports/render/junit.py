"""``junit.xml``: one test case per objective, and one per condition that makes the drill valid evidence.

A failed objective is a ``failure``; what is inconclusive is an ``error`` of type ``INCONCLUSIVE``: nothing
that reads JUnit takes either for a pass. The layout is the one that the common CI servers read (testsuites,
testsuite, testcase).
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as Xml

from reports.findings import Findings, ObjectiveFinding
from reports.render.units import count, duration, plural, share

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped."""

_NS = 1_000_000_000


def junit_xml(findings: Findings) -> bytes:
    """The file's content: UTF-8 XML."""
    run = findings.run
    root = Xml.Element("testsuites", name="paydrill")
    suite = Xml.SubElement(root, "testsuite")
    properties = Xml.SubElement(suite, "properties")
    for name, value in (
        ("run", run.id),
        ("scenario", run.scenario),
        ("seed", str(run.seed)),
        ("verdict", findings.verdict.status),
        ("ended", run.ended),
    ):
        Xml.SubElement(properties, "property", name=name, value=_text(value))
    for objective in findings.objectives:
        _objective(suite, run.scenario, objective)
    for name, problem, kind in _conditions(findings):
        case = Xml.SubElement(suite, "testcase", name=_text(name), classname=f"{run.scenario}.validity")
        if problem:
            Xml.SubElement(case, "error", type=kind, message=_text(problem)).text = _text(problem)
    suite.attrib.update(
        {
            "name": run.scenario,
            "tests": str(len(suite.findall("testcase"))),
            "failures": str(len(suite.findall("testcase/failure"))),
            "errors": str(len(suite.findall("testcase/error"))),
            "skipped": "0",
            "time": f"{run.load_end_ns / _NS:.3f}",
            "timestamp": run.started_at.removesuffix("Z"),
        }
    )
    for name in ("tests", "failures", "errors", "time"):
        root.set(name, suite.attrib[name])
    Xml.indent(root)
    content: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _objective(suite: Xml.Element, scenario: str, objective: ObjectiveFinding) -> None:
    case = Xml.SubElement(
        suite, "testcase", name=f"{objective.name} {objective.bound}", classname=f"{scenario}.objectives"
    )
    value = measured(objective)
    said = bool(objective.fault) or objective.why.startswith(value)
    message = _text(objective.why if said else f"{value}: {objective.why}")
    if objective.status == "FAIL":
        Xml.SubElement(case, "failure", type="FAIL", message=message).text = message
    elif objective.status == "INCONCLUSIVE":
        Xml.SubElement(case, "error", type="INCONCLUSIVE", message=message).text = message
    else:
        Xml.SubElement(case, "system-out").text = message


def measured(objective: ObjectiveFinding) -> str:
    """An objective's value in its unit: ``99.85%``, ``312 ms``, ``0``, ``never``."""
    if objective.value is None:
        return objective.state if objective.state != "measured" else "nothing"
    if objective.unit == "share":
        return share(objective.value, objective.target)
    return duration(objective.value) if objective.unit == "ns" else count(objective.value)


def _conditions(findings: Findings) -> list[tuple[str, str, str]]:
    """(what must be so, what is wrong, type of the error) of the drill itself."""
    run = findings.run
    cut_short = "" if run.ended == "complete" else f"the drill was {run.ended}: {run.ended_why}"
    lost = [f"{one.file} {one.reason}" for one in findings.damage if one.matters]
    unsound = (findings.generator.why, findings.generator.bottleneck)
    conditions = [
        ("the drill ran to its end", cut_short, run.ended.upper()),
        ("the load generator kept its schedule", "; ".join(filter(None, unsound)), "INCONCLUSIVE"),
        ("the journal is whole", "; ".join(lost), "INCONCLUSIVE"),
        (
            "something was judged",
            "" if findings.objectives else "the scenario has no objectives",
            "INCONCLUSIVE",
        ),
    ]
    for fault in findings.faults:
        idle = "" if fault.hits else f"it touched {plural(0, 'request')}: it tested nothing"
        if fault.true_start_ns is None:
            idle = "it never started"
        name = f"the fault {fault.id} ({fault.name} on {fault.on}) hit something"
        conditions.append((name, idle, "INCONCLUSIVE"))
    return conditions


def _text(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
