"""Where the local stack answers, as it wrote it down when it came up."""

import os
import socket
from pathlib import Path
from typing import Final

import msgspec

STACK_DIR_VARIABLE: Final = "GRAPH_STACK_DIR"
_LISTENS_S: Final = 0.5


class Endpoints(msgspec.Struct, frozen=True):
    """The addresses of a running local stack, and where its password is."""

    kafka_brokers: str
    neo4j_uri: str
    neo4j_user: str
    neo4j_password_file: str
    expansion_service: str


def stack_dir() -> Path:
    """The folder that holds the stack's data, logs and state: GRAPH_STACK_DIR, or `.stack` beside the packages."""
    named = os.environ.get(STACK_DIR_VARIABLE)
    return Path(named).absolute() if named else Path(__file__).resolve().parents[2] / ".stack"


def endpoints_file(folder: Path) -> Path:
    return folder / "endpoints.json"


def listens(address: str) -> bool:
    """Whether something listens at the loopback address, host:port; asked for half a second at most."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), _LISTENS_S):
            return True
    except (OSError, ValueError):
        return False


def read_endpoints() -> Endpoints | None:
    """The endpoints of the local stack, or None where none is up."""
    try:
        return msgspec.json.decode(endpoints_file(stack_dir()).read_bytes(), type=Endpoints)
    except (FileNotFoundError, NotADirectoryError):
        return None
