"""The store of one machine: SQLite, in one file."""
