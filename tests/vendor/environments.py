"""The vendors' own clients, each in an environment of its own: their pins fit nobody else's."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "requirements"
ENVIRONMENTS = ROOT / ".venv-vendor"


def python_with_client_of(provider: str) -> Path:
    """The interpreter of an environment with `requirements/vendor-<provider>.txt` and nothing else.

    It is made once, and anew when that lock has changed; runs side by side make it one at a time.

    Raises:
        subprocess.CalledProcessError: it could not be made. The next run begins afresh.
    """
    requirements = REQUIREMENTS / f"vendor-{provider}.txt"
    environment = ENVIRONMENTS / provider
    python = environment / "bin" / "python"
    done = environment / ".done"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    ENVIRONMENTS.mkdir(exist_ok=True)
    with (ENVIRONMENTS / f"{provider}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != wanted:
            subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
            pip = [str(python), "-m", "pip", "--disable-pip-version-check", "-q"]
            # Without dependencies, the lock is all that comes: what it lacks fails the import.
            locked = ["--no-deps", "--require-hashes", "-r", str(requirements)]
            subprocess.run([*pip, "install", *locked], check=True)
            done.write_text(wanted)
    return python
