"""Where Prometheus and promtool are, for the tests that ask them."""

import os
import shutil
from pathlib import Path

import pytest

from tests.support.places import CHECKOUT

# `.ci/run` unpacks Debian's package here; nothing of it is installed.
UNPACKED = CHECKOUT / ".stack" / "prometheus" / "usr" / "bin"


def binary(name: str) -> Path:
    """The program, by the variable of its name in capitals, on the PATH, or unpacked; skips the test where it is nowhere."""
    for found in (os.environ.get(name.upper()), shutil.which(name), UNPACKED / name):
        if found and Path(found).exists():
            return Path(found)
    return pytest.skip(f"{name} is not here: set {name.upper()}, or unpack Debian's prometheus as .ci/run does")
