"""What Trainbell does, one module each, in wings over a ground floor.

A use case knows ports and the domain, never an adapter. `ground` is what every wing stands on;
`schedules` makes jobs, so it stands on `jobs` too; no other wing knows another.
"""
