"""The payment that every generator sends, for Locust's own FastHttpUser.

Users as many as Locust is asked for; as fast as they are answered, or with RATE payments a second in all.
"""

import os
from pathlib import Path

from locust import FastHttpUser, constant_throughput, task

BODY = Path(os.environ["BODY"]).read_text()
HEADERS = {"Content-Type": "application/json", "Idempotency-Key": "bench-0000000"}
RATE = float(os.environ.get("RATE") or 0)
USERS = int(os.environ["CONNECTIONS"])


class PaymentUser(FastHttpUser):
    """A customer who pays again and again."""

    if RATE:
        wait_time = constant_throughput(RATE / USERS)

    @task
    def pay(self) -> None:
        self.client.post("/payments", data=BODY, headers=HEADERS)
