"""A folder of any filesystem that Beam knows, by the scheme of its URL."""

import time
from collections.abc import Iterator
from typing import IO

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from transforms.io.archive.folder import TEMPORARY, temporary_name


def is_installed(root: str) -> bool:
    """Whether there is a filesystem for the URL; nothing is asked of it."""
    try:
        FileSystems.get_filesystem(root)
    except ValueError:
        return False
    return True


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
        temporary = f"{folder}/{temporary_name(name)}"
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
