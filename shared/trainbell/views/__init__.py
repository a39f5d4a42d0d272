"""What the world may see of a job, its records and the settings: allow-lists, one for everybody.

The API, CloudEvents, channels, the command line and the page show these and nothing else. A field
that the domain gains stays inside until it is named here. Times are RFC 3339 in UTC; secrets are
not in here at all.
"""
