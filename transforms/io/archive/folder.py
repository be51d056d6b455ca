"""A folder in which a file appears whole or not at all: what is asked of one, and one of this machine."""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, Protocol

# What a file is called until it is whole; no name of the archive begins so.
TEMPORARY: Final = "_writing-"


class Folder(Protocol):
    """Paths are relative to the root, with slashes; raises OSError where it cannot be used, Beam's own kinds too."""

    def files(self, under: str) -> Iterator[tuple[str, int]]:
        """Paths and sizes in bytes of all files at any depth; none where there is no such folder."""
        ...

    def folders(self, under: str) -> list[str]:
        """The names of the folders in a folder."""
        ...

    def open(self, path: str) -> IO[bytes]:
        """The file, for reading; FileNotFoundError where there is none."""
        ...

    def put(self, path: str, data: bytes) -> None:
        """Make the file, whole or not at all; what is called so already is replaced."""
        ...

    def delete(self, path: str) -> None:
        """Take the file away; one that is gone is no error."""
        ...

    def tidy(self, older_than_s: float) -> int:
        """Take away what writers left half written that were killed so long ago; how many files."""
        ...


def temporary_name(name: str) -> str:
    """What a file is called until it is whole."""
    return f"{TEMPORARY}{os.getpid()}-{name}"


class LocalFolder:
    """A folder of this machine. What `put` returned for survives the loss of power."""

    def __init__(self, root: str) -> None:
        self._root = Path(root)

    def files(self, under: str) -> Iterator[tuple[str, int]]:
        for folder, _, names in os.walk(self._root / under):
            for name in names:
                if not name.startswith(TEMPORARY):
                    path = Path(folder, name)
                    with suppress(FileNotFoundError):
                        yield path.relative_to(self._root).as_posix(), path.stat().st_size

    def folders(self, under: str) -> list[str]:
        try:
            return sorted(one.name for one in os.scandir(self._root / under) if one.is_dir())
        except FileNotFoundError:
            return []

    def open(self, path: str) -> IO[bytes]:
        return (self._root / path).open("rb")

    def put(self, path: str, data: bytes) -> None:
        final = self._root / path
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = final.parent / temporary_name(final.name)
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(final)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def delete(self, path: str) -> None:
        (self._root / path).unlink(missing_ok=True)

    def tidy(self, older_than_s: float) -> int:
        gone = 0
        for folder, _, names in os.walk(self._root):
            for name in names:
                path = Path(folder, name)
                with suppress(FileNotFoundError):
                    if name.startswith(TEMPORARY) and time.time() - path.stat().st_mtime > older_than_s:
                        path.unlink()
                        gone += 1
        return gone
