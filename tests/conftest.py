"""`--long`: property tests look a hundred times longer; for a person with patience, not for CI. `--lab`: agents beside the job, too."""

import os
from typing import Final
from zlib import crc32

import pytest
from hypothesis import HealthCheck, settings

from tests.support.patience import LONG_VARIABLE
from transforms.io.unforeseen import RAISE, SWITCH
from transforms.steps.lines import LINES

_LONGEST_ID: Final = 80


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="look a hundred times longer for what breaks decoders and order")
    parser.addoption(
        "--lab", action="store_true", help="run what needs a Kubernetes control plane beside Kafka, job and Neo4j: half an hour"
    )


def pytest_configure(config: pytest.Config) -> None:
    # A defect of ours must not hide behind the net; the jobs that tests start inherit this.
    os.environ.setdefault(SWITCH, RAISE)
    # Test files read it when they are imported, after this.
    if config.getoption("--long"):
        os.environ[LONG_VARIABLE] = "1"


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """A parameter that is a long text is called by its checksum: the names of tests travel to every worker."""
    if isinstance(val, str | bytes) and len(val) > _LONGEST_ID:
        return f"{argname}-{crc32(val if isinstance(val, bytes) else val.encode(errors='surrogatepass')):08x}"
    return None


@pytest.fixture(autouse=True)
def room_in_the_log() -> None:
    """What one test logged takes no room from another."""
    LINES.clear()


# A machine that is busy with others' work makes examples slowly; that says nothing of the code under test.
# CI tries the same examples each time: what it says is about the change, and whoever looks for new ones is at hand to mend them.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=bool(os.environ.get("CI")))
settings.load_profile("patient")
