"""The proxy: the same faults, the same journal, in front of any HTTP(S) service."""
