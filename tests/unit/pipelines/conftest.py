"""Commands that tests run in this process configure its logs; no test is to see what another has configured."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from pipelines.options.invocation import DECLARED


@pytest.fixture(autouse=True)
def _own_logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    configure = structlog.configure

    def uncached(**settings: Any) -> None:
        # A logger that is cached keeps its level for the life of the process.
        configure(**{**settings, "cache_logger_on_first_use": False})

    monkeypatch.setattr(structlog, "configure", uncached)
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _own_file() -> Iterator[None]:
    """What one test's configuration file declares is of no other."""
    DECLARED.set(frozenset())
    yield
    DECLARED.set(frozenset())
