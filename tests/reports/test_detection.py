from __future__ import annotations

from typing import Any

from reports.detection import detection


def _probe(sent: int, outcome: str, target: str = "stripe", takes: int = 5) -> dict[str, Any]:
    return {
        "probe": "http",
        "target": target,
        "due_ns": sent,
        "sent_ns": sent,
        "done_ns": sent + takes,
        "outcome": outcome,
    }


WATCHED = ["stripe", "platform"]


def test_detection_is_when_the_first_failed_probe_is_done() -> None:
    rows = [_probe(90, "ok"), _probe(130, "fail", takes=40), _probe(150, "fail", "platform", takes=3)]
    edge, by, alarm = detection(rows, WATCHED, 100, 200)
    assert (edge.state, edge.ns, by, alarm) == ("measured", 53, "http on platform", 153)


def test_its_resolution_is_the_time_since_the_probe_before() -> None:
    edge, _, _ = detection(
        [_probe(90, "ok"), _probe(95, "ok", "adyen"), _probe(130, "fail")], WATCHED, 100, 200
    )
    assert edge.resolution_ns == 40


def test_probes_before_after_and_of_others_do_not_detect() -> None:
    rows = [_probe(99, "fail"), _probe(150, "ok"), _probe(160, "fail", "adyen"), _probe(200, "fail")]
    edge, by, alarm = detection(rows, WATCHED, 100, 200)
    assert (edge.state, by, alarm) == ("never", "", None)


def test_an_unknown_is_no_alarm() -> None:
    edge = detection([_probe(150, "unknown"), _probe(160, "ok")], WATCHED, 100, 200)[0]
    assert edge.state == "never"
    assert edge.why.startswith("2 probes") and "1 ended unknown" in edge.why


def test_without_a_probe_it_is_not_measurable() -> None:
    assert detection([], WATCHED, 100, 200)[0].why == "no probe watched it"
    edge = detection([_probe(50, "ok")], WATCHED, 100, 200)[0]
    assert (edge.state, edge.why) == ("not measurable", "no probe was sent while the fault was on")
