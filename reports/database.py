"""The database in memory in which tables of the journal are joined."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb


@contextmanager
def in_memory() -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database, closed at the end. One thread, so that rows come in the same order every time; and
    quiet: a query that takes long would write a progress bar into the output of the command."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET enable_progress_bar = false")
        yield connection
