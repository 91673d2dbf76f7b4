"""The reference platform: a small payment orchestrator that does it right, so that a drill has something to
test by default.

A request's way: ``app`` (HTTP) > ``payments`` or ``refunds`` (one payment, its gateways in turn) >
``gateway`` (one gateway: patience, ``retries``, ``breaker``) > ``connectors`` (its words) > ``outbound`` (its
socket). ``router`` ranks the gateways, ``store`` keeps what was promised, ``janitor`` finds out what stayed
unknown, ``vault`` knows the test instruments, ``process`` puts it all together. A webhook's way:
``app`` > ``webhooks`` (verified and read) > ``inbox``, which has the janitor ask at once, or writes an
``entry`` of the ledger.

The rule that everything follows: a payment is at one gateway at a time. It moves to the next only when this
one surely did not take the money and can't take it any more, and the move is on disk before the next is
asked.
"""
