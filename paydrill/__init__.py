"""The command, and the conductor that runs one drill."""

__version__ = "0.1.0"
