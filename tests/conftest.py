"""`--long`: property tests look a hundred times longer; for a person with patience, not for CI."""

import os

import pytest

from tests.patience import LONG_VARIABLE


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="look a hundred times longer for what breaks decoders and order")


def pytest_configure(config: pytest.Config) -> None:
    # Test files read it when they are imported, after this.
    if config.getoption("--long"):
        os.environ[LONG_VARIABLE] = "1"
