"""The real stack, once per session, on free loopback ports; each test begins with empty topics and an empty graph."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from runners.local.endpoints import STACK_DIR_VARIABLE
from runners.local.stack import LocalStack, Ports
from tests.system.world import World

CHECKOUT = Path(__file__).resolve().parents[2]
JARS = CHECKOUT / ".stack" / "java"


def free_ports() -> Ports:
    """Ports that were free a moment ago."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(4)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return Ports(*(one.getsockname()[1] for one in sockets))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/system" in item.nodeid:
            item.add_marker(pytest.mark.system)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    folder = tmp_path_factory.mktemp("stack")
    stack = LocalStack(folder, free_ports(), JARS)
    os.environ[STACK_DIR_VARIABLE] = str(folder)
    try:
        stack.up()
        yield stack
    finally:
        stack.down()
        del os.environ[STACK_DIR_VARIABLE]


@pytest.fixture
def world(stack: LocalStack) -> Iterator[World]:
    world = World(stack)
    world.clear()
    yield world
    world.close()
