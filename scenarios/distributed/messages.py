"""The messages between master and workers, beside Locust's own. Each holds a dictionary.

Handlers run in the greenlet that receives, so that messages are taken in the order in which they came and the
clock is read when they come; a handler must not wait.
"""

HELLO = "paydrill_hello"
"""Worker: I am here. ``fingerprint`` of its code (``handshake.Fingerprint``); ``host`` and ``clock``: where
it runs, and which clock it reads. Sent again until it is answered."""

WELCOME = "paydrill_welcome"
"""Master: you may stay. ``one_clock``: both read the same clock."""

REFUSED = "paydrill_refused"
"""Master: ``why`` you may not."""

PREPARE = "paydrill_prepare"
"""Master: ``scenario``, ``target``: the platform's URL, ``files``: how many files a worker must be able to
open, 0 where that is not known. Make ready to play it."""

PREPARED = "paydrill_prepared"
"""Worker: ``planned``: what it plans for it (``handshake.Planned``); ``asked``: what it plans for the
scenario that it was started with, ``None`` without one; ``problem``: why it cannot play, empty if it can."""

BEGIN = "paydrill_begin"
"""Master: play ``run`` from ``epoch_ns`` on (the master's clock) as load process number ``place``, and
``ship`` the journal or not."""

BEAT = "paydrill_beat"
"""Worker, twice a second: ``sent_ns``: its clock. In a run besides: ``run``; ``caught_up``: it has passed
over what was due before it came; ``leaving``: it was told to end; ``batches``: how many its journal holds
when its share has been played, ``None`` before; ``shift_ns``, ``error_ns`` of its clock as in
``journal.records.WorkerClock``; ``one_clock``: it reads the master's own; ``full``: it keeps too much."""

TERMS = "paydrill_terms"
"""Master, to each beat, and when arrivals are dealt anew: ``run``, ``granted_ns``, ``deals`` (pairs of a
start in ns and the ids of the workers in the order of their indices); in answer to a beat besides its
``sent_ns``, and ``received_ns`` and ``answered_ns`` on the master's clock."""

BATCH = "paydrill_batch"
"""Worker: batch ``number`` of the journal of ``run``: ``data`` for ``table``."""

KEPT = "paydrill_kept"
"""Master: the batches of ``run`` up to ``number`` are in the journal."""

STOP = "paydrill_stop"
"""Master: end ``run`` now."""
