"""The stack that the benchmark runs on, empty before every measurement."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import psutil

from runners.local.endpoints import STACK_DIR_VARIABLE, stack_dir
from runners.local.stack import LocalStack, free_stack_ports
from scripts.world import World
from transforms.io.neo4j.store import Neo4jGraphStore

FOLDER: Final = "bench"


class Stage(World):
    """Kafka, Neo4j and the Java side of the connector, of the benchmark's own."""

    def __init__(self, stack: LocalStack, folder: Path, jars: Path) -> None:
        super().__init__(stack)
        self._folder = folder
        self.jars = jars

    def environment(self, **more: str) -> dict[str, str]:
        return super().environment(**{STACK_DIR_VARIABLE: str(self._folder)}, **more)

    @property
    def connector(self) -> psutil.Process | None:
        """The Java side of the connector, whose work the beam reader causes."""
        return self.stack.connector.process.find()

    def clear_graph(self) -> None:
        """An empty graph with its constraints and indexes."""
        super().clear_graph()
        with closing(Neo4jGraphStore(self.neo4j_target)) as store:
            store.ensure_schema()


@contextmanager
def stage() -> Iterator[Stage]:
    """A stack on free ports, its data in a folder of its own; down again at the end."""
    home = stack_dir()
    folder = home / FOLDER
    stack = LocalStack(folder, free_stack_ports(), home / "java")
    stack.reset()
    try:
        stack.up()
        with closing(Stage(stack, folder, home / "java")) as empty:
            yield empty
    finally:
        stack.down()
