"""The live view: its figures are those of the journal, and it says what happens."""

from io import StringIO

import pyarrow as pa
from rich.console import Console

from journal.records import FaultEvent, Mark, Payment, ProbeResult, Record, schema
from paydrill.live import Lines, picture
from paydrill.live_state import LiveState
from scenarios.reading import load_scenario
from tests.reports.load_samples import CALM

S, MS = 1_000_000_000, 1_000_000
SCENARIO = load_scenario("gateway_failover")


def batch(table: str, *records: Record) -> tuple[str, pa.RecordBatch]:
    columns = [
        pa.array(column, type=field.type)
        for field, column in zip(schema(table), zip(*records, strict=True), strict=True)
    ]
    return table, pa.record_batch(columns, schema=schema(table))


def payment(
    due_ns: int, gateway: str = "adyen", error: str = "", latency_ns: int | None = 100 * MS
) -> Payment:
    done = None if latency_ns is None else due_ns + latency_ns
    outcome = "unknown" if error else "succeeded"
    return Payment(
        "o", due_ns, due_ns, done, "card", 100, "EUR", "card_visa", "succeeded", outcome, error, gateway
    )


def at_44_seconds() -> LiveState:
    state = LiveState(SCENARIO)
    good = [payment(40 * S + n * 10 * MS) for n in range(280)]
    bad = [payment(39 * S + n, gateway="stripe", error="reset", latency_ns=1_500 * MS) for n in range(20)]
    state.take([batch("payment", *bad, *good, payment(39 * S)._replace(sent_ns=None, done_ns=None))])
    state.take([batch("fault", FaultEvent("f1", "outage", "stripe", "started", 40 * S, 40 * S, 9))])
    state.take([batch("probe", ProbeResult("http", "stripe", 39 * S, 39 * S, 39 * S, "ok", "", ""))])
    state.take(
        [batch("probe", ProbeResult("http", "stripe", 41 * S, 41 * S, 41 * S, "fail", "connect", "refused"))]
    )
    state.take([batch("mark", Mark(40 * S, "note", "platform", "stripe: breaker open"))])
    state.forget(44 * S)
    return state


def test_figures_speak_of_the_window() -> None:
    state = at_44_seconds()
    # 300 payments ended in (40 s, 43 s]: the 20 that were reset at 40.5 s, and 280 good ones from 40.1 s on.
    assert state.achieved() == 100
    assert state.success() == 280 / 300
    assert state.share("adyen") == 280 / 300
    assert state.p95_ns() == 1_500 * MS
    assert (state.done, state.failed, state.never_sent) == (300, 20, 1)
    assert state.bad_seconds(44 * S) == 1
    state.forget(60 * S)
    assert (state.achieved(), state.success(), state.p95_ns()) == (0, None, None)


def test_the_picture_shows_the_fault_the_breaker_and_the_probe() -> None:
    console = Console(width=110, file=StringIO(), record=True)
    console.print(picture(SCENARIO, at_44_seconds(), 44 * S))
    text = console.export_text()
    stripe = next(line for line in text.splitlines() if "outage, 16 s left" in line)
    assert "open" in stripe
    assert "fail" in stripe
    assert "00:44 of 01:30" in text
    assert "never sent 1" in text


def test_a_load_generator_that_cannot_keep_up_is_told_and_that_it_can_again() -> None:
    state = LiveState(SCENARIO)
    late = CALM._replace(at_ns=2 * S, lateness_max_ns=230 * MS, cpu_ns=970 * MS)
    lagging = CALM._replace(at_ns=4 * S, loop_lags_ns=(1 * MS, 1_400 * MS))
    state.take([batch("generator", CALM, late)])
    assert state.warning() == "load-0 is up to 230 ms late and uses 97% of a core"
    console = Console(width=110, file=StringIO(), record=True)
    console.print(picture(SCENARIO, state, 2 * S))
    assert "load generator: load-0 is up to 230 ms late" in console.export_text()
    state.take([batch("generator", late._replace(at_ns=3 * S))])
    state.take([batch("generator", lagging)])
    assert state.warning() == "load-0 is up to 1400 ms late"
    state.take([batch("generator", CALM._replace(at_ns=5 * S))])
    assert state.warning() == ""
    assert [text for _, text in state.news] == [
        "load generator: load-0 is up to 230 ms late and uses 97% of a core",
        "load generator: load-0 keeps up again",
    ]


def test_what_the_generator_failed_to_send_is_not_the_platforms_failure() -> None:
    state = LiveState(SCENARIO)
    in_time = payment(39 * S, error="time-out", latency_ns=None)
    late = in_time._replace(sent_ns=40 * S)
    starved = payment(39 * S, error="generator: no file descriptor left (EMFILE)")
    refused = payment(39 * S, error="HTTP 500")._replace(sent_ns=39 * S + 90 * MS)
    seen = state.take([batch("payment", in_time, late, starved, refused)])
    assert (len(seen), state.failed, state.never_sent) == (2, 2, 2)


def test_lines_tell_news_once() -> None:
    output = StringIO()
    lines = Lines(Console(file=output, width=120), SCENARIO)
    state = at_44_seconds()
    for now in (44 * S, 44 * S + 1):
        lines.show(state, now)
    lines.step("collecting the ledger: 1,000 payments ...")
    lines.step("collecting the ledger: 2,000 payments ...")
    text = output.getvalue()
    assert text.count("stripe: outage started") == 1
    assert text.count("probe http of stripe: fail") == 1
    assert text.count("offered  400/s") == 1
    assert text.count("collecting the ledger") == 1
