"""Servers that behave like the documented training services, over real HTTP.

For tests, the demo and benchmarks: without accounts, with a clock that can be sped up and faults
that can be asked for. A folder is a service and exposes `SIMULATOR`; the rest is shared.
"""
