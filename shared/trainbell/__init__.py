"""Trainbell starts model training on any training service and watches it to its true end."""

from trainbell.version import __version__

__all__ = ["__version__"]
