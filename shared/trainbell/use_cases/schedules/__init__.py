"""Schedules: set, tried, and run when they are due."""
