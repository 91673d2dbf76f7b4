"""What a fault of a process is: who started the process ends it, and starts it again when the fault is over.

The other faults are carried out by the server that has them; a process that is to be killed cannot be asked
to write down when it was, nor to come back. So these belong to the conductor of a drill.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mocks.faults.fault import Parameter, Value


class ProcessFault:
    """A process is ended, and started again as soon as the fault is over: on the same port, with what it had
    kept. Its true start is when it was told to end, its true stop when the new process listens, which is as
    long after the planned stop as the process takes to come up.

    The process itself is what is hit: one hit each time it is ended, whoever was connected to it.

    Attributes:
        name: The wire name: what a scenario writes.
        PARAMETERS: None.
        orderly: Whether the process is let to finish what it has begun.
    """

    name: ClassVar[str]
    PARAMETERS: ClassVar[Mapping[str, Parameter]] = {}
    orderly: ClassVar[bool]

    @classmethod
    def parse(cls, params: Mapping[str, Value]) -> Mapping[str, Value]:
        """The parameters. Raises ValueError when there is one."""
        for name in params:
            raise ValueError(f"fault {cls.name} has no parameter {name!r}; it takes: none")
        return {}
