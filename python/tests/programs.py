"""Runs programs in processes of their own: what concerns starting, forking and signals."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

from vectors import REPOSITORY

HEAD = """
import os, signal, sys, threading, time
import numpy
import sapagpu
query, key, value = (numpy.ones(size, "float32") for size in ((1, 4, 8, 8), (1, 4, 4, 4), (1, 4, 4, 4)))
def compute():
    return sapagpu.window_attention(query, key, value)
"""


def run(program: str, *, environment: dict[str, str] | None = None, head: str = HEAD) -> str:
    """Runs a program and returns what it printed; it has to end well."""
    settings = {**os.environ, "PYTHONPATH": str(REPOSITORY / "python"), **(environment or {})}
    done = subprocess.run(
        [sys.executable, "-c", head + textwrap.dedent(program)],
        env=settings,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=os.sep,
    )
    assert done.returncode == 0, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()
