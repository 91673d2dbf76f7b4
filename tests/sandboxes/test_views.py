"""Whether the records of a sandbox are whole: only when they were read, and nothing is missing in them."""

from __future__ import annotations

import pytest

from mocks.sandboxes.records import SOURCE, UNREAD, Records, counted
from reports.views import unread


def mark(source: str, text: str, kind: str = "note") -> dict[str, object]:
    return {"source": source, "kind": kind, "text": text, "at_ns": 0}


READ = counted(Records((), 3, 1, "listed from example.test", ("payouts",)))


@pytest.mark.parametrize(
    ("marks", "why"),
    [
        ([mark("stripe", READ)], ""),
        ([], "the records of stripe's sandbox were not read"),
        ([mark("adyen", READ)], "the records of stripe's sandbox were not read"),
        ([mark("stripe", READ, "stage")], "the records of stripe's sandbox were not read"),
        ([mark("stripe", f"{UNREAD}: HTTP 500")], f"stripe: {UNREAD}: HTTP 500"),
        ([mark("stripe", READ), mark("stripe", f"{UNREAD}: late")], f"stripe: {UNREAD}: late"),
    ],
)
def test_records_are_whole_when_they_were_read(marks: list[dict[str, object]], why: str) -> None:
    assert unread(marks, "stripe") == why


def test_the_note_says_what_was_left_out_and_what_cannot_be_known() -> None:
    assert READ.startswith(f"{SOURCE} listed from example.test (3 payments, 1 of them not of this run")
    assert READ.endswith("It cannot be known: payouts.")
