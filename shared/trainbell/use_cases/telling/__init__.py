"""Telling people and systems what happened."""
