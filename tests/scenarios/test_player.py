"""The player keeps its schedule and records what came of every arrival."""

from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path

import gevent
import gevent.event
import orjson
import pytest

from journal.clock import Clock
from journal.reader import Journal
from journal.writer import Writer
from scenarios import share
from scenarios.checkout import Checkout, PlannedPayment
from scenarios.player import Player
from scenarios.reading import parse
from scenarios.result import Result, judge
from scenarios.wire import Answer, Exchange, NeverSentError, NoAnswerError, Wire

Script = Callable[[dict[str, object]], Answer]

SCENARIO = parse(
    "name: p\ngateways: {stripe: {}}\nload: {arrivals: [{duration: 1s, rate: 1/s}], declines: 20%}\n",
    "p.yaml",
)
CHECKOUT = Checkout(SCENARIO.load, 1)


class Scripted(Wire):
    """A wire that answers as the test says; only the network is left out."""

    def __init__(self, script: Script) -> None:
        super().__init__("http://127.0.0.1:1")
        self.script = script
        self.sent: list[str] = []
        self.under_way: dict[Exchange, gevent.Greenlet] = {}

    def send(self, exchange: Exchange) -> None:
        self.under_way[exchange] = gevent.spawn(self.play, exchange)

    def play(self, exchange: Exchange) -> None:
        head, _, body = exchange.request.partition(b"\r\n\r\n")
        self.sent.append(head.decode().partition("Idempotency-Key: ")[2].partition("\r\n")[0])
        try:
            answer = self.script(orjson.loads(body))
        except (NeverSentError, NoAnswerError) as error:
            exchange.failed(error)
        else:
            exchange.answered(answer)
        del self.under_way[exchange]

    def close(self) -> None:
        for exchange, playing in self.under_way.items():
            playing.kill()
            exchange.failed(NoAnswerError("the load ended before the answer"))


def good(body: dict[str, object]) -> Answer:
    planned = next(
        p for n in count() if (p := CHECKOUT.payment(n, 0)).body(str(body["order_id"])) == orjson.dumps(body)
    )
    return claim(planned, str(body["order_id"]))


def claim(planned: PlannedPayment, order: str, **changes: object) -> Answer:
    body: dict[str, object] = {
        "order_id": order,
        "status": planned.expected,
        "amount_minor": planned.amount_minor,
        "currency": planned.currency,
        "gateway": "stripe",
    }
    if planned.decline_code:
        body["decline_code"] = planned.decline_code
    status = changes.pop("http", 402 if planned.decline_code else 201)
    assert isinstance(status, int)
    return Answer(status, orjson.dumps({**body, **changes}))


APPROVED = next(p for n in count() if (p := CHECKOUT.payment(n, 0)).expected == "succeeded")
DECLINED = next(p for n in count() if (p := CHECKOUT.payment(n, 0)).expected == "declined")


@pytest.mark.parametrize(
    ("planned", "answer", "outcome", "error"),
    [
        (APPROVED, claim(APPROVED, "o"), "succeeded", ""),
        (DECLINED, claim(DECLINED, "o"), "declined", ""),
        (DECLINED, claim(DECLINED, "o", decline_code="other"), "declined", "declined as other"),
        (DECLINED, claim(DECLINED, "o", status="succeeded", http=201), "succeeded", "expected declined"),
        (APPROVED, claim(APPROVED, "o", status="declined", decline_code="x", http=402), "declined", "expected succeeded: x"),
        (APPROVED, claim(APPROVED, "o", amount_minor=1), "succeeded", "another amount"),
        (APPROVED, claim(APPROVED, "o", currency="XXX"), "succeeded", "another amount or currency"),
        (APPROVED, claim(APPROVED, "other"), "succeeded", "another order"),
        (APPROVED, claim(APPROVED, "o", http=500), "succeeded", "says succeeded with HTTP 500"),
        (APPROVED, claim(APPROVED, "o", status="unknown", http=202), "unknown", "unknown, expected"),
        (APPROVED, claim(APPROVED, "o", status="failed", http=503), "failed", "failed, expected"),
        (APPROVED, Answer(400, b"{}"), "failed", "HTTP 400"),
        (APPROVED, Answer(500, b"oops"), "unknown", "HTTP 500"),
        (APPROVED, Answer(502, b"[1]"), "unknown", "HTTP 502"),
        (APPROVED, Answer(200, b'{"status": "paid"}'), "unknown", "HTTP 200"),
    ],
)  # fmt: skip
def test_an_answer_is_judged_against_the_plan(
    planned: PlannedPayment, answer: Answer, outcome: str, error: str
) -> None:
    result = judge(planned, "o", answer)
    assert result.outcome == outcome
    assert (error in result.error) if error else result.error == ""


def play(
    tmp_path: Path, script: Script, dues: list[int], clock: Clock | None = None, **limits: int
) -> tuple[list[dict[str, object]], Scripted, list[Result]]:
    wire, results = Scripted(script), list[Result]()
    player = Player(
        checkout=CHECKOUT,
        share=share.of(dues, 0, 1),
        wire=wire,
        clock=clock or Clock.starting_now(),
        writer=Writer(tmp_path, "load-0"),
        run="run",
        timeout_ns=limits.get("timeout_ns", 5_000_000_000),
        max_in_flight=limits.get("max_in_flight", 100),
        on_done=lambda planned, result, latency, received: results.append(result),
    )
    player.play()
    player.finish(1)
    return Journal(tmp_path).table("payment").to_pylist(), wire, results


def test_every_arrival_is_recorded_with_its_due_time(tmp_path: Path) -> None:
    dues = [0, 1_000_000, 2_000_000, 30_000_000]
    payments, wire, results = play(tmp_path, good, dues)
    assert [p["due_ns"] for p in sorted(payments, key=lambda p: str(p["id"]))] == dues
    assert all(p["error"] == "" and p["sent_ns"] >= p["due_ns"] for p in payments)  # type: ignore[operator]
    assert wire.sent == [f"run-{n:07d}" for n in range(4)]
    assert len(results) == 4
    intents = Journal(tmp_path).table("intent").to_pylist()
    assert [i["id"] for i in intents] == wire.sent


def test_what_was_never_sent_is_told_from_what_is_unknown(tmp_path: Path) -> None:
    outcomes = iter([NeverSentError("connection refused"), NoAnswerError("reset")])

    def script(body: dict[str, object]) -> Answer:
        raise next(outcomes)

    payments, _, _ = play(tmp_path, script, [0, 0])
    assert Counter((p["outcome"], p["error"]) for p in payments) == Counter(
        {("failed", "connection refused"): 1, ("unknown", "reset"): 1}
    )
    unknown = next(p for p in payments if p["outcome"] == "unknown")
    assert unknown["done_ns"] is None


def test_the_tally_counts_every_arrival_once_whatever_became_of_it(tmp_path: Path) -> None:
    def script(body: dict[str, object]) -> Answer:
        if str(body["order_id"]).endswith("2"):
            raise NeverSentError("generator: too many open files")
        gevent.sleep(0.05)
        return good(body)

    play(tmp_path, script, [0] * 6, max_in_flight=4)
    samples = Journal(tmp_path).table("generator").to_pylist()
    assert [sample["closing"] for sample in samples][-1] is True
    totals = {name: sum(s[name] for s in samples) for name in ("due", "sent", "ended", "socket_errors")}
    # The one that failed at once made room for one more.
    assert totals == {"due": 6, "sent": 5, "ended": 6, "socket_errors": 1}
    assert samples[-1]["in_flight"] == 0


def test_a_payment_beyond_the_limit_in_flight_is_the_generators_failure(tmp_path: Path) -> None:
    release = gevent.event.Event()

    def script(body: dict[str, object]) -> Answer:
        release.wait()
        return good(body)

    gevent.spawn_later(0.1, release.set)
    payments, wire, _ = play(tmp_path, script, [0, 0, 0], max_in_flight=2)
    never = [p for p in payments if p["sent_ns"] is None]
    assert len(wire.sent) == 2
    assert [(p["done_ns"], p["outcome"]) for p in never] == [(None, "failed")]
    assert "generator" in str(never[0]["error"])


def test_an_answer_that_was_not_read_yet_makes_room_for_an_overdue_arrival(tmp_path: Path) -> None:
    payments, wire, _ = play(tmp_path, good, [0] * 5, max_in_flight=1)
    assert len(wire.sent) == 5 and {p["error"] for p in payments} == {""}


def test_a_turn_that_comes_after_the_customer_gave_up_is_never_sent(tmp_path: Path) -> None:
    late = Clock(Clock.starting_now().epoch_ns - 10_000_000_000)
    payments, wire, _ = play(tmp_path, good, [0], late)
    assert wire.sent == []
    assert payments[0]["sent_ns"] is None
    assert "time-out" in str(payments[0]["error"])


def test_what_is_in_flight_when_the_load_is_stopped_is_recorded_as_unknown(tmp_path: Path) -> None:
    started = gevent.event.Event()

    def script(body: dict[str, object]) -> Answer:
        started.set()
        gevent.sleep(60)
        raise AssertionError

    player = Player(
        checkout=CHECKOUT,
        share=share.of([0, 3_600_000_000_000], 0, 1),
        wire=Scripted(script),
        clock=Clock.starting_now(),
        writer=Writer(tmp_path, "load-0"),
        run="run",
        timeout_ns=5_000_000_000,
        max_in_flight=10,
        on_done=lambda *_: None,
    )
    playing = gevent.spawn(player.play)
    started.wait()
    playing.kill()
    player.finish(0.01)
    (payment,) = Journal(tmp_path).table("payment").to_pylist()
    assert (payment["outcome"], payment["done_ns"]) == ("unknown", None)
    assert "before the answer" in payment["error"]
