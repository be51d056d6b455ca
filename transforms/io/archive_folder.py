"""Where an archive lies: a folder of this machine, or one of any filesystem that Beam knows. A file appears whole or not at all."""

import os
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Final, Protocol

from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems

# What a file is called until it is whole; no name of the archive begins so.
TEMPORARY: Final = "_writing-"
_SCHEME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
# What a folder raises that cannot be used.
FOLDER_ERRORS: Final = (OSError, BeamIOError)


class Folder(Protocol):
    """Paths are relative to the root, with slashes; raises what `FOLDER_ERRORS` names."""

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


def folder_of(root: str) -> Folder:
    """The folder at a path, or at a URL of a filesystem that Beam knows."""
    return BeamFolder(root) if _SCHEME.match(root) else LocalFolder(root)


def is_reachable(root: str) -> bool:
    """Whether it is a path of this machine, or a URL whose filesystem is installed; nothing is asked of it."""
    if not _SCHEME.match(root):
        return True
    try:
        FileSystems.get_filesystem(root)
    except ValueError:
        return False
    return True


def _temporary(name: str) -> str:
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
        temporary = final.parent / _temporary(final.name)
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


class BeamFolder:
    """A folder of a filesystem that Beam knows by the scheme of its URLs."""

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/")

    def files(self, under: str) -> Iterator[tuple[str, int]]:
        for path, size, _ in self._all(under):
            if not path.rpartition("/")[2].startswith(TEMPORARY):
                yield path, size

    def _all(self, under: str) -> Iterator[tuple[str, int, float]]:
        (found,) = FileSystems.match([f"{self._root}/{under}/**" if under else f"{self._root}/**"])
        for one in found.metadata_list:
            yield one.path[len(self._root) + 1 :], one.size_in_bytes, one.last_updated_in_seconds

    def folders(self, under: str) -> list[str]:
        depth = len(under.split("/"))
        return sorted({parts[depth] for path, _ in self.files(under) if len(parts := path.split("/")) > depth + 1})

    def open(self, path: str) -> IO[bytes]:
        whole = f"{self._root}/{path}"
        if not FileSystems.exists(whole):
            raise FileNotFoundError(whole)
        file: IO[bytes] = FileSystems.open(whole, compression_type=CompressionTypes.UNCOMPRESSED)
        return file

    def put(self, path: str, data: bytes) -> None:
        final = f"{self._root}/{path}"
        folder, _, name = final.rpartition("/")
        temporary = f"{folder}/{_temporary(name)}"
        with FileSystems.create(temporary, compression_type=CompressionTypes.UNCOMPRESSED) as file:
            file.write(data)
        if FileSystems.exists(final):
            # Its name is its contents: whoever wrote it wrote the same.
            FileSystems.delete([temporary])
        else:
            FileSystems.rename([temporary], [final])

    def delete(self, path: str) -> None:
        whole = f"{self._root}/{path}"
        if FileSystems.exists(whole):
            FileSystems.delete([whole])

    def tidy(self, older_than_s: float) -> int:
        # A filesystem that does not tell when a file was written leaves them all.
        stale = [
            path
            for path, _, written_s in self._all("")
            if path.rpartition("/")[2].startswith(TEMPORARY) and written_s and time.time() - written_s > older_than_s
        ]
        for path in stale:
            self.delete(path)
        return len(stale)
