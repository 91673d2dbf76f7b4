"""The load's HTTP client: HTTP/1.1 over the event loop of gevent, without a greenlet for a request.

It tells apart what matters for money: a request that surely never left (``NeverSentError``) from one that
may have been carried out although no answer came (``NoAnswerError``). It never sends a request twice.
"""

from journal.records import GENERATOR
from scenarios.wire.answer import Answer
from scenarios.wire.errors import NeverSentError, NoAnswerError
from scenarios.wire.exchange import Exchange
from scenarios.wire.form import Form, checked
from scenarios.wire.pool import Wire

__all__ = ["GENERATOR", "Answer", "Exchange", "Form", "NeverSentError", "NoAnswerError", "Wire", "checked"]
