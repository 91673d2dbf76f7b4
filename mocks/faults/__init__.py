"""The faults that can be scheduled on a mock, by name; one file per fault."""

from __future__ import annotations

from mocks.faults.fault import Fault, FaultPlan, Kind, Parameter, Value
from mocks.faults.http_error import HttpError
from mocks.faults.latency import LatencyFault
from mocks.faults.outage import Outage

FaultType = type[Fault]

FAULTS: dict[str, FaultType] = {fault.name: fault for fault in (Outage, LatencyFault, HttpError)}
"""Name -> class. Importing this needs neither a server nor the journal."""

__all__ = ["FAULTS", "Fault", "FaultPlan", "FaultType", "Kind", "Parameter", "Value"]
