"""A hundred connections under each fault on half of what they do, and a share that is drawn per request."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Iterator

import pytest

from mocks import tls
from mocks.faults import FaultPlan
from tests.socket_faults.faulty import HEALTH, MS, Faulty, Raw, head_and_body, payment, plan

CONNECTIONS = 100
EACH = 2

FAULTS = [
    plan("reset", share=0.5),
    pytest.param(plan("reset", share=0.5, when="answer"), marks=pytest.mark.slow),
    plan("reset", share=0.5, when="body"),
    plan("black_hole", share=0.5),
    plan("black_hole", reads="nothing"),
    plan("slow_close", share=0.5, delay=50 * MS),
    plan("bandwidth", share=0.5, rate=20_000.0),
    plan("slicer", share=0.5, size=200, pause=2 * MS),
    plan("truncated_body", share=0.5),
    pytest.param(plan("truncated_body", share=0.5, end="reset"), marks=pytest.mark.slow),
    plan("tls_handshake_failure", share=0.5),
    pytest.param(plan("tls_handshake_failure", share=0.5, end="reset"), marks=pytest.mark.slow),
    plan("expired_certificate", share=0.5),
]


@pytest.fixture(scope="module")
def _served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faulty]:
    files = tls.prepare(tmp_path_factory.mktemp("tls"), tls.now())
    served = {"certificate": str(files.certificate), "key": str(files.key)}
    with Faulty("stripe", tls=served) as faulty:
        yield faulty


@pytest.fixture
def trust(_served: Faulty) -> ssl.SSLContext:
    assert _served.service.server is not None
    certificate = _served.service.server.certificate
    assert certificate is not None
    return ssl.create_default_context(cafile=certificate.with_name("ca.pem"))


async def _client(
    port: int, trust: ssl.SSLContext, number: int, patience: float, blind: bool
) -> Counter[str]:
    """Pays some times, on a new connection after each failure. ``patience`` is for an answer, if ``blind`` also
    for a connection."""
    seen: Counter[str] = Counter()
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None
    for attempt in range(EACH):
        try:
            async with asyncio.timeout(patience if blind else 15):
                if writer is None or reader is None:
                    reader, writer = await asyncio.open_connection(
                        "127.0.0.1", port, ssl=trust, server_hostname="localhost"
                    )
            async with asyncio.timeout(patience):
                writer.write(payment(f"{number}-{attempt}", key=f"{number}-{attempt}"))
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(head_and_body(head)[2])
            seen["ok"] += 1
        except TimeoutError:
            seen["time-out"] += 1
        except (OSError, EOFError, asyncio.IncompleteReadError) as error:
            seen[type(error).__name__] += 1
        else:
            continue
        if writer is not None:
            writer.transport.abort()
        reader = writer = None
    if writer is not None:
        writer.transport.abort()
    return seen


@pytest.mark.parametrize("half", FAULTS, ids=lambda p: "-".join([p.fault, *map(str, p.params.values())]))
def test_nobody_hangs_and_the_server_is_as_new_afterwards(
    faulty: Faulty, trust: ssl.SSLContext, half: FaultPlan
) -> None:
    held = half.fault == "black_hole"
    blind = half.params.get("reads") == "nothing"

    async def crowd() -> Counter[str]:
        clients = (
            _client(faulty.port, trust, number, 0.3 if held else 15, blind) for number in range(CONNECTIONS)
        )
        async with asyncio.timeout(60):
            return sum(await asyncio.gather(*clients), Counter())

    with faulty.on(half) as fault:
        seen = asyncio.run(crowd())
        assert seen.total() == CONNECTIONS * EACH
        faulty.until(lambda: fault.hits > 0, "the fault has hit")
        if half.fault in ("bandwidth", "slicer"):
            assert set(seen) == {"ok"}
        elif half.fault not in ("black_hole", "slow_close"):
            assert seen["ok"] > 0 and seen["time-out"] == 0 and seen.total() - seen["ok"] == fault.hits
        elif half.fault == "slow_close":
            assert seen["ok"] > 0 and seen["time-out"] == 0
        if blind:
            assert set(seen) == {"time-out"} and faulty.captures == 0
    assert faulty.service.server is not None
    server = faulty.service.server
    faulty.until(lambda: not server.connections, "every connection is gone")
    with Raw(faulty.port, trust) as raw:
        for number in range(20):
            raw.send(HEALTH + payment(f"after-{number}"))
            assert [raw.answer()[0], raw.answer()[0]] == [200, 200]
    assert all(r.status == 200 and r.fault == "" for r in faulty.requests[-40:])
    orders = [m.order_id for m in faulty.movements if m.kind == "capture"]
    assert len(orders) == len(set(orders))


def test_a_share_of_the_requests_of_one_connection(faulty: Faulty, trust: ssl.SSLContext) -> None:
    def touched() -> list[int]:
        faulty.forget()
        cut = []
        raw = Raw(faulty.port, trust)
        try:
            with faulty.on(plan("truncated_body", share=0.1)) as fault:
                for number in range(300):
                    raw.send(HEALTH)
                    try:
                        assert raw.answer()[0] == 200
                    except EOFError:
                        cut.append(number)
                        raw.socket.close()
                        raw = Raw(faulty.port, trust)
                assert fault.hits == len(cut)
        finally:
            raw.socket.close()
        return cut

    once = touched()
    assert once == touched()
    # 99.9999% of a binomial distribution with n = 300 and p = 0.1
    assert 9 <= len(once) <= 60
