from __future__ import annotations

from reports.database import in_memory


def test_a_long_query_writes_nothing_into_the_output_and_rows_keep_their_order() -> None:
    with in_memory() as database:
        settings = "current_setting('enable_progress_bar'), current_setting('threads')"
        assert database.sql(f"SELECT {settings}").fetchall() == [(False, 1)]
