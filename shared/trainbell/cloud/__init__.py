"""The cloud's adapters and their wiring; nothing here is imported by the embedded engine."""
