"""Archive: the raw records of a bundle as files, redacted; the bundle ends only when the files hold them all."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Final

import apache_beam as beam

from transforms.io.archive_process import ArchiveProcess, Lane, archive_process
from transforms.planning.archiving import Archiving
from transforms.records.archived import Archived
from transforms.records.outcomes import NO_TENANT
from transforms.steps.decode import WireSettings, decoder, opened
from transforms.steps.elements import TakenChunk

# Of records that are held, encoded, before they are written; while they are, as many again may gather.
HELD_BYTES: Final = 32 * 1024 * 1024
# One per process and settings, so that a slice goes on with what the ones before have found.
_found: dict[tuple[str, WireSettings], Archiving] = {}


class ArchiveRecords(beam.PTransform):
    """Every record of the chunks in the archive at `root`, without its secrets; raises InfrastructureFault where that fails.

    client_id, wire: as records are decoded; what was redacted is held to mean the same to the graph.
    """

    def __init__(self, root: str, client_id: str, wire: WireSettings) -> None:
        super().__init__()
        self._fn = ArchiveRecordsFn(root, client_id, wire)

    def expand(self, chunks: beam.PCollection[TakenChunk]) -> beam.PCollection[None]:
        return chunks | beam.ParDo(self._fn)


class ArchiveRecordsFn(beam.DoFn):
    """Has them written when records of `HELD_BYTES` are held, while the next gather, so that memory stays flat."""

    def __init__(self, root: str, client_id: str, wire: WireSettings) -> None:
        self._root = root
        self._client_id = client_id
        self._wire = wire
        self._archived: Callable[..., Archived] | None = None
        self._process: ArchiveProcess | None = None
        self._lane: Lane | None = None
        self._writing: Future[list[str]] | None = None
        self._held_bytes = 0

    def setup(self) -> None:
        kept = _found.get((self._client_id, self._wire))
        if kept is None:
            codecs, schemas = opened(self._wire)
            kept = _found[self._client_id, self._wire] = Archiving(decoder(self._client_id, self._wire, codecs, schemas), schemas)
        self._archived = kept.archived
        self._process = archive_process(self._root)
        self._process.start()

    def start_bundle(self) -> None:
        assert self._process is not None
        if self._lane is not None:
            # Of a bundle that failed, if there was one.
            self._lane.forget()
        self._lane, self._writing, self._held_bytes = self._process.lane(), None, 0

    def process(self, chunk: TakenChunk) -> Iterator[None]:
        assert self._archived is not None
        assert self._lane is not None
        archived = self._archived
        taken = [archived("" if client_id == NO_TENANT else client_id, decoded) for client_id, decoded in chunk]
        self._held_bytes += self._lane.hold(taken)
        if self._held_bytes >= HELD_BYTES:
            self._write()
        yield from ()

    def _write(self) -> None:
        """Have what is held written, once what was held before is."""
        self._await()
        assert self._lane is not None
        self._writing, self._held_bytes = self._lane.write(), 0

    def _await(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def finish_bundle(self) -> None:
        if self._held_bytes:
            self._write()
        self._await()
        self._lane = None
