"""Training services: one folder each, found by name (`catalog`); `http` is how they are called."""
