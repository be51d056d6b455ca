"""Neo4j: the store that a tenant's graph is written to and read from, within its lock."""

import sys
from types import ModuleType
from typing import Final

_TABLES: Final = "neo4j._optional_deps"


def _nothing(name: str) -> None:
    """What the driver takes for a library that is not installed."""
    if name.startswith("__"):
        raise AttributeError(name)


def _without_tables() -> None:
    """Let the driver find no numpy, pandas and pyarrow, of which it can make tables of results; safe to repeat.

    Nothing here asks for such tables. Beam brings two of the libraries, and importing them takes nearly as long as the driver:
    a third of a second of every command that looks at a graph. A driver without this module of its own imports as it likes.
    """
    if "neo4j" not in sys.modules:
        tables = ModuleType(_TABLES)
        vars(tables)["__getattr__"] = _nothing
        sys.modules.setdefault(_TABLES, tables)


_without_tables()
