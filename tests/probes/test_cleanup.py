"""Cleanups: bounded tries, a few at a time, and nothing left without a word."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from probes.cleanup import AT_ONCE, Cleanups

QUICK = (0.0, 0.0, 0.0)


def scripted(*results: str | Exception) -> tuple[Callable[[], Awaitable[str]], list[str]]:
    """A cleanup whose tries end like this, and the list of its tries."""
    left = list(results)
    tries: list[str] = []

    async def cleanup() -> str:
        result = left.pop(0)
        tries.append(str(result))
        if isinstance(result, Exception):
            raise result
        return result

    return cleanup, tries


def run(work: Callable[[Cleanups], Awaitable[None]], delays: tuple[float, ...] = QUICK) -> list[str]:
    """What was reported."""
    reported: list[str] = []

    async def main() -> None:
        await work(Cleanups(reported.append, delays))

    asyncio.run(main())
    return reported


async def to_the_end(cleanups: Cleanups) -> None:
    await cleanups.finish(asyncio.get_running_loop().time() + 10)
    assert len(cleanups) == 0


def test_it_is_tried_until_nothing_is_left() -> None:
    cleanup, tries = scripted("money", "")

    async def work(cleanups: Cleanups) -> None:
        cleanups.add(cleanup, "money")
        await to_the_end(cleanups)

    assert run(work) == []
    assert tries == ["money", ""]


def test_what_is_left_after_the_last_try_is_reported_once() -> None:
    cleanup, tries = scripted("a", "b", "c", "d")

    async def work(cleanups: Cleanups) -> None:
        cleanups.add(cleanup, "money")
        await to_the_end(cleanups)

    assert run(work) == ["c; given up after 3 tries"]
    assert tries == ["a", "b", "c"]


def test_a_try_that_breaks_is_tried_again() -> None:
    cleanup, _ = scripted(RuntimeError("oops"), "")
    broken, _ = scripted(*[RuntimeError("oops")] * 3)

    async def work(cleanups: Cleanups) -> None:
        cleanups.add(cleanup, "money")
        cleanups.add(broken, "other money")
        await to_the_end(cleanups)

    (said,) = run(work)
    assert said.startswith("other money; the cleanup broke: RuntimeError('oops')")
    assert said.endswith("given up after 3 tries")


def test_few_run_at_the_same_time() -> None:
    running, most = 0, 0

    async def cleanup() -> str:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return ""

    async def work(cleanups: Cleanups) -> None:
        for _ in range(20):
            cleanups.add(cleanup, "money")
        await to_the_end(cleanups)

    assert run(work) == []
    assert most == AT_ONCE


def test_the_end_wakes_those_that_wait() -> None:
    cleanup, tries = scripted("")

    async def work(cleanups: Cleanups) -> None:
        cleanups.add(cleanup, "money")
        await asyncio.sleep(0)
        assert not tries
        cleanups.hurry()
        await to_the_end(cleanups)

    assert run(work, delays=(3600.0,)) == []
    assert tries == [""]


def test_what_is_not_settled_in_time_is_reported() -> None:
    tried = asyncio.Event()

    async def hanging() -> str:
        tried.set()
        await asyncio.Event().wait()
        return ""

    async def work(cleanups: Cleanups) -> None:
        cleanups.add(hanging, "money")
        await tried.wait()
        await cleanups.finish(0)
        assert len(cleanups) == 0

    assert run(work) == ["money; stopped before it was settled"]
