"""Mutants that no test can kill, because they do what the original does. Each says why."""

from __future__ import annotations

from collections.abc import Mapping

EXCLUDED: Mapping[str, str] = {}
"""By a mutant's name."""
