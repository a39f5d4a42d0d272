"""The command line: a client of the API, and the way to start the embedded engine."""
