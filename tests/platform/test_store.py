"""The store: durable when it says so, in groups, and final states stay final."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from mocks.platform.payment import Payment, Refund
from mocks.platform.store import Store, StoreError
from tests.platform.rig import run


def payment(n: int) -> Payment:
    return Payment(f"pay_{n}", f"order-{n}", 100 + n, "EUR", "card", "card_visa", gateway="stripe")


def on_disk(path: Path) -> dict[str, str]:
    connection = sqlite3.connect(path)
    try:
        return dict(connection.execute("SELECT id, status FROM payments").fetchall())
    finally:
        connection.close()


def test_what_is_awaited_is_on_disk_and_read_back_whole(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"

    async def story() -> None:
        store = Store(path)
        await store.put(payment(1))
        assert on_disk(path) == {"pay_1": "pending"}
        taken = payment(1)._replace(status="succeeded", reference="pi_1")
        await store.put(taken)
        assert store.payment("pay_1") == taken and store.payment("pay_2") is None
        await store.put(Refund("re_1", "pay_1", 30, False, "succeeded", "r1"))
        await store.put(Refund("re_2", "pay_1", 20, True, "unknown"))
        assert store.refund("re_2") == Refund("re_2", "pay_1", 20, True, "unknown")
        read = store.payment("pay_1")
        assert read is not None and read.refunded_minor == 30
        assert [refund.id for refund in store.refunds_of("pay_1")] == ["re_1", "re_2"]
        assert [refund.id for refund in store.undecided_refunds()] == ["re_2"]
        store.close()
        again = Store(path)
        assert again.payment("pay_1") == read
        again.close()

    run(story())


def test_a_decided_payment_cannot_be_taken_back(tmp_path: Path) -> None:
    async def story() -> None:
        store = Store(tmp_path / "store.sqlite")
        await store.put(payment(1)._replace(status="succeeded", reference="pi_1"))
        await store.put(payment(1)._replace(status="failed"))
        read = store.payment("pay_1")
        assert read is not None and (read.status, read.reference) == ("succeeded", "pi_1")
        await store.put(Refund("re_1", "pay_1", 30, False, "failed"))
        await store.put(Refund("re_1", "pay_1", 30, False, "succeeded"))
        refund = store.refund("re_1")
        assert refund is not None and refund.status == "failed"
        store.close()

    run(story())


def test_writes_of_one_step_share_a_transaction(tmp_path: Path) -> None:
    async def story() -> None:
        store = Store(tmp_path / "store.sqlite")
        commits: list[int] = []
        write, commit = store._write, store._commit
        gate = threading.Event()

        def counted(records: list[Payment | Refund]) -> None:
            commits.append(len(records))
            write(records)

        def held() -> None:
            gate.wait(10)
            commit()

        store._write, store._commit = counted, held  # type: ignore[method-assign, assignment]
        first = [store.put(payment(n)) for n in range(10)]
        await asyncio.sleep(0)  # the first group is under way, and held
        await asyncio.sleep(0)
        second = [store.put(payment(n)) for n in range(10, 60)]
        gate.set()
        await asyncio.gather(*first, *second)
        assert commits == [10, 50]
        assert len(store.undecided_payments()) == 60
        store.close()

    run(story())


def test_writes_that_follow_each_other_closely_share_a_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mocks.platform.store.PACE", 0.5)

    async def story() -> None:
        store = Store(tmp_path / "store.sqlite")
        groups: list[int] = []
        write = store._write

        def counted(records: list[Payment | Refund]) -> None:
            groups.append(len(records))
            write(records)

        store._write = counted  # type: ignore[method-assign, assignment]
        await store.put(payment(0))  # it finds the store at rest, and waits for nobody
        waiting = []
        for n in range(1, 40):
            waiting.append(store.put(payment(n)))
            await asyncio.sleep(0)
        assert groups == [1] and store.payment("pay_1") is None
        await asyncio.gather(*waiting)
        assert groups == [1, 39] and len(on_disk(store.path)) == 40
        store.close()

    run(story())


def test_a_group_that_cannot_be_written_is_told_so_and_the_next_can(tmp_path: Path) -> None:
    async def story() -> None:
        store = Store(tmp_path / "store.sqlite")
        assert store._writer is not None
        store._writer.execute("PRAGMA max_page_count = 1")  # a full disk, as SQLite sees it
        store._writer.execute(
            f"PRAGMA max_page_count = {store._writer.execute('PRAGMA page_count').fetchone()[0]}"
        )
        wide = payment(1)._replace(error="x" * 100_000)
        futures = [store.put(payment(2)), store.put(wide)]
        for future in futures:
            with pytest.raises(StoreError, match="cannot be written"):
                await future
        assert store.payment("pay_1") is None and store.payment("pay_2") is None
        store._writer.execute("PRAGMA max_page_count = 1000000")
        await store.put(payment(2))
        assert store.payment("pay_2") == payment(2)
        store.close()

    run(story())


def test_a_commit_that_fails_is_undone_and_the_next_can_be_made(tmp_path: Path) -> None:
    async def story() -> None:
        store = Store(tmp_path / "store.sqlite")
        assert store._writer is not None
        store._writer.execute("PRAGMA foreign_keys = ON")
        store._writer.execute("PRAGMA defer_foreign_keys = ON")  # a violation is found by the commit
        futures = [store.put(payment(1)), store.put(Refund("re_1", "pay_of_nobody", 30, False))]
        for future in futures:
            with pytest.raises(StoreError, match="FOREIGN KEY"):
                await future
        assert store.payment("pay_1") is None and not store._writer.in_transaction
        await store.put(payment(1))
        assert on_disk(store.path) == {"pay_1": "pending"}
        store.close()

    run(story())


def test_pages_cover_everything_once(tmp_path: Path) -> None:
    async def story() -> None:
        store = Store(tmp_path / "store.sqlite")
        await asyncio.gather(*(store.put(payment(n)) for n in range(25)))
        seen: list[str] = []
        after: int | None = 0
        while after is not None:
            page, after = store.page(after, 10)
            seen += [entry.id for entry in page]
        assert seen == [f"pay_{n}" for n in range(25)]
        assert store.page(10**9, 10) == ([], None)
        store.close()

    run(story())


def test_closing_tells_those_who_wait(tmp_path: Path) -> None:
    async def story() -> None:
        store = Store(tmp_path / "store.sqlite")
        waiting = store.put(payment(1))
        store.close()
        with pytest.raises(StoreError):
            await waiting
        with pytest.raises(StoreError):
            await store.put(payment(2))
        with pytest.raises(StoreError):
            store.payment("pay_1")

    run(story())


def test_a_file_that_is_no_store_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("this is no database, and long enough to be taken for one " * 50)
    with pytest.raises(StoreError, match=r"notes\.txt"):
        Store(path)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path / "no" / "such" / "folder")


def test_commits_are_synced_to_the_disk(tmp_path: Path) -> None:
    store = Store(tmp_path / "store.sqlite")
    assert store._writer is not None
    assert store._writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._writer.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    store.close()
