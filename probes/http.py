"""The ``http`` probe: GET a URL and judge the answer."""

from __future__ import annotations

from probes.probe import OK, Attempt, Finding, failed, unknown
from probes.wire import Answer, LostError

_MILLISECOND = 1_000_000


async def probe(attempt: Attempt) -> Finding:
    """Get the target's URL once, by default over a new connection: a kept one hides a dead listener.

    No connection, no whole answer, or an answer that is not as asked: ``fail``, in the phase ``connect``,
    ``send``, ``answer`` or ``verify``. A redirect is not followed; ask for its status, or for where it
    leads.
    """
    try:
        answer = await attempt.wire.request(
            "GET",
            attempt.url,
            deadline=attempt.deadline,
            reuse_connection=bool(attempt.params["reuse_connection"]),
        )
    except LostError as lost:
        return (unknown if lost.phase == "prober" else failed)(lost.phase, lost.reason)
    complaint = _complaint(attempt, answer)
    return failed("verify", complaint) if complaint else OK


def _complaint(attempt: Attempt, answer: Answer) -> str:
    status, contains, within = (attempt.params[name] for name in ("status", "contains", "within"))
    if answer.status != status:
        return f"status {answer.status}, not {status}"
    if isinstance(contains, str) and contains.encode() not in answer.body:
        return f"the body does not contain {contains!r}"
    if isinstance(within, int) and answer.took_ns > within:
        return (
            f"answered after {answer.took_ns / _MILLISECOND:.0f} ms, not within {within / _MILLISECOND:g} ms"
        )
    return ""
