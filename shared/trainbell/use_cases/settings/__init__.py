"""Connections and channels: set, tried, mended."""
