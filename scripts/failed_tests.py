"""The system tests that failed in the last run of pytest, a line each, as pytest takes them on its command line."""

import json
import re
from pathlib import Path
from typing import Final

_FAILED: Final = Path(__file__).resolve().parents[1] / ".pytest_cache" / "v" / "cache" / "lastfailed"
# What pytest-xdist appends to the name of a test that runs in a group.
_GROUP: Final = re.compile(r"@[a-z+]+$")


def failed_tests(file: Path = _FAILED) -> list[str]:
    """Their ids, sorted. Raises FileNotFoundError where no run has ended yet."""
    return sorted(_GROUP.sub("", test) for test in json.loads(file.read_text()) if test.startswith("tests/system/"))


if __name__ == "__main__":
    for failed in failed_tests():
        print(failed)
