"""One idempotency key never moves money twice, whatever connections do."""
