"""The ground floor: what every process writes down, and how it is read back.

The journal is the only thing that passes between those who act (mocks, scenarios, probes) and those
who judge (reports).
"""
