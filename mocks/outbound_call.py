"""A call to a peer, its answer, and the ways in which there can be none."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class OutboundError(Exception):
    """A call that brought no answer. Its text says what happened, without the request's contents."""


class NeverSentError(OutboundError):
    """Not one byte of the request left: the peer surely knows nothing of it."""


class LostError(OutboundError):
    """The connection ended after the request, or a part of it, was sent: it may have been carried out."""


class AnswerTimeoutError(OutboundError):
    """The request was sent and the time was up before the answer: it may have been carried out, or may be
    yet."""


class Call(NamedTuple):
    """What is asked of a peer; ``headers`` stand besides those that the client writes itself (``host``,
    ``content-length``)."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Answer(NamedTuple):
    """What a peer answered; header names are lower-cased, the last of repeated headers stands."""

    status: int
    headers: dict[str, str]
    body: bytes


Then = Callable[[Answer | OutboundError], None]
"""Takes what became of a call, once."""
