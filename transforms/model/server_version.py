"""Which Neo4j the statements need."""

from typing import Final

import re2

# Labels as parameters came with 5.24, subqueries with a scope with 5.23.
LEAST: Final = (5, 24)
LEAST_TEXT: Final = ".".join(map(str, LEAST))
_VERSION: Final = re2.compile(r"(\d{1,6})\.(\d{1,6})")


def parsed(version: str) -> tuple[int, int] | None:
    """Major and minor of what a server says it is, such as `5.26.0` or `Neo4j/5.27-aura`; None where it has no such form."""
    found = _VERSION.search(version)
    return (int(found[1]), int(found[2])) if found else None


def is_too_old(version: str) -> bool:
    """Whether the statements are known not to work there; what has no known form is given a try."""
    found = parsed(version)
    return found is not None and found < LEAST
