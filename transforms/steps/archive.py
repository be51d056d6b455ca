"""Archive: the raw records of a bundle as files, redacted; what ends the bundle, or follows it, ends only when files hold them all."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from typing import Any, Final

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.windowed_value import WindowedValue

from transforms.io.archive.process import ArchiveProcess, BundleStream, archive_process
from transforms.planning.archive.retained import Archiving, withheld_whole
from transforms.records.archive_format.runs import Gathering
from transforms.records.outcomes import NO_TENANT
from transforms.records.rejects import Step
from transforms.steps.decode import WireSettings, decoder, opened
from transforms.steps.elements import AcceptedChunk
from transforms.steps.net import caught
from transforms.steps.wait_on import WaitOnFn

# Of records that are held, encoded, before they are written; while they are, as many again may gather.
HELD_BYTES: Final = 32 * 1024 * 1024
# Handed over at once: as much as the pipe holds, so that nobody waits for the other.
_SENT_BYTES: Final = 768 * 1024
# Of what is being written: the process that does, and its number there.
Receipt = tuple[int, int]
# One per process and settings, so that a slice goes on with what the ones before have found.
_found: dict[tuple[str, WireSettings], Archiving] = {}


class ArchiveRecords(beam.PTransform):
    """Every record of the chunks in the archive at `root`, without its secrets; raises InfrastructureFault where that fails.

    client_id, wire: as records are decoded; what was redacted is held to mean the same to the graph.
    waits: a bundle ends only when files hold its records, and nothing comes out. Else what comes out are receipts, which
    `AwaitArchived` has to take.
    """

    def __init__(self, root: str, client_id: str, wire: WireSettings, *, waits: bool = True) -> None:
        super().__init__()
        self._fn = ArchiveRecordsFn(root, client_id, wire, waits=waits)

    def expand(self, chunks: beam.PCollection[AcceptedChunk]) -> beam.PCollection[Receipt]:
        return chunks | beam.ParDo(self._fn).with_output_types(Receipt)


class AwaitArchived(beam.PTransform):
    """Takes (receipts, after): ends when files hold what the receipts are for, which it asks for once `after` is done.

    So files are written while `after` is. Only for a runner that works in one process and forgets what it has done where it
    fails: a receipt is worth something to its own process alone.
    """

    def __init__(self, root: str) -> None:
        super().__init__()
        self._fn = AwaitArchivedFn(root)

    def expand(self, inputs: tuple[beam.PCollection[Receipt], beam.PCollection[Any]]) -> beam.PCollection[bytes]:
        receipts, after = inputs
        together = (receipts, after | "After" >> beam.ParDo(WaitOnFn()).with_output_types(Receipt)) | beam.Flatten()
        return together | "Both" >> beam.GroupByKey() | beam.ParDo(self._fn).with_output_types(bytes)


class AwaitArchivedFn(beam.DoFn):
    def __init__(self, root: str) -> None:
        self._root = root

    def process(self, receipts: tuple[int, Iterable[int]]) -> Iterator[bytes]:
        process_id, numbers = receipts
        if process_id != os.getpid():
            raise RuntimeError(f"receipts of process {process_id} came to process {os.getpid()}")
        for number in numbers:
            archive_process(self._root).settle(number)
        yield from ()


class ArchiveRecordsFn(beam.DoFn):
    """Has them written when records of `HELD_BYTES` are held, while the next gather, so that memory stays flat."""

    def __init__(self, root: str, client_id: str, wire: WireSettings, *, waits: bool = True) -> None:
        self._root = root
        self._waits = waits
        self._client_id = client_id
        self._wire = wire
        self._archiving: Archiving | None = None
        self._process: ArchiveProcess | None = None
        self._lane: BundleStream | None = None
        self._writing: Future[list[str]] | None = None
        self._held_bytes = 0
        self._gathering = Gathering()

    def setup(self) -> None:
        kept = _found.get((self._client_id, self._wire))
        if kept is None:
            topics, schemas = opened(self._wire)
            kept = _found[self._client_id, self._wire] = Archiving(decoder(self._client_id, self._wire, topics, schemas), schemas)
        self._archiving = kept
        self._process = archive_process(self._root)
        self._process.start()

    def start_bundle(self) -> None:
        assert self._process is not None
        self._lane, self._writing, self._held_bytes = self._process.lane(), None, 0
        self._gathering = Gathering()

    def process(self, chunk: AcceptedChunk) -> Iterator[WindowedValue]:
        assert self._archiving is not None
        is_plain, archived = self._archiving.is_plain, self._archiving.archived
        add_plain, add = self._gathering.add_plain, self._gathering.add
        for client_id, decoded in chunk:
            tenant = "" if client_id == NO_TENANT else client_id
            try:
                if is_plain(decoded):
                    add_plain(tenant, decoded.record)
                    continue
                one = archived(tenant, decoded)
            except Exception as error:  # noqa: BLE001 - the net: the graph has the record; here its value is withheld
                caught(error, Step.ARCHIVE, decoded.record, tenant)
                one = withheld_whole(decoded.record, tenant)
            add(one)
        if self._gathering.size_bytes >= min(_SENT_BYTES, HELD_BYTES):
            self._send()
            if self._held_bytes >= HELD_BYTES:
                self._write()
        yield from ()

    def _send(self) -> None:
        assert self._lane is not None
        if self._gathering.size_bytes:
            self._held_bytes += self._lane.hold(self._gathering.taken())

    def _write(self) -> None:
        """Have what is held written, once what was held before is."""
        self._await()
        assert self._lane is not None
        self._writing, self._held_bytes = self._lane.write(), 0

    def _await(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        self._send()
        if self._held_bytes:
            self._write()
        self._lane = None
        if self._waits:
            self._await()
        elif self._writing is not None:
            assert self._process is not None
            number, self._writing = self._process.leave(self._writing), None
            yield GlobalWindows.windowed_value((os.getpid(), number))
