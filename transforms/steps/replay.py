"""Replay: the original records of dead letters, through the same flow; what is rejected again is counted, its old letter stands."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import apache_beam as beam
import structlog

from transforms.io.dead_letters.not_taken import NotTaken, RecordId, id_of_letter, id_of_record
from transforms.io.dead_letters.reader import DeadLetterReader
from transforms.io.kafka.range_reader import CHUNK_RECORDS
from transforms.io.kafka.target import KafkaTarget
from transforms.model.metrics import RESTORED, UNAVAILABLE
from transforms.planning.scheduling.slices import portions
from transforms.records.dead_letters.letters import Unavailable, Wanted
from transforms.records.dead_letters.selection import LetterPlace
from transforms.records.outcomes import NO_TENANT
from transforms.records.rejects import Reject
from transforms.steps.elements import RecordChunk
from transforms.steps.lines import LINES
from transforms.steps.metrics import count
from transforms.steps.reject import Rejections

_LOG = structlog.get_logger("replay")
_HELD_BYTES: Final = 8 * 1024 * 1024


class ReplayLetters(beam.PTransform):
    """The original records of the letters, exactly as they were read, in chunks as a reader would deliver them.

    Letters to which there is no original any more are counted. Only coordinates travel in the pipeline: values are read
    where they are worked on, so that what is withheld stays in this process's memory.
    """

    def __init__(self, target: KafkaTarget, place: LetterPlace, wanted: list[Wanted], not_taken: NotTaken) -> None:
        super().__init__()
        self._fn = RestoreRecordsFn(target, place, wanted, not_taken)

    def expand(self, begin: Any) -> beam.PCollection[RecordChunk]:
        return begin | "Letters" >> beam.Impulse() | "RestoreRecords" >> beam.ParDo(self._fn).with_output_types(RecordChunk)


class RestoreRecordsFn(beam.DoFn):
    def __init__(self, target: KafkaTarget, place: LetterPlace, wanted: list[Wanted], not_taken: NotTaken) -> None:
        self._not_taken = not_taken
        self._target = target
        self._place = place
        self._wanted = wanted
        self._reader: DeadLetterReader | None = None
        self._missing: Counter[tuple[str, Unavailable]] = Counter()

    def setup(self) -> None:
        self._reader = DeadLetterReader.open(self._target, self._place)

    def teardown(self) -> None:
        if self._reader is not None:
            self._reader.close()

    def start_bundle(self) -> None:
        self._missing = Counter()

    def process(self, _slice: bytes) -> Iterator[RecordChunk]:
        assert self._reader is not None
        for portion in portions(self._wanted, _HELD_BYTES, CHUNK_RECORDS):
            records, unavailable = self._reader.restore(portion)
            self._not_taken.add(id_of_letter(one) for one, _ in unavailable)
            for one, why in unavailable:
                self._tell(one, why)
            count(RESTORED, len(records))
            if records:
                yield RecordChunk(records)

    def _tell(self, one: Wanted, why: Unavailable) -> None:
        self._missing[one.client_id, why] += 1
        if LINES.has_room(NO_TENANT, str(why)):
            at = one.original
            _LOG.warning("unavailable", topic=at.topic, partition=at.partition, offset=at.offset, detail=why.sentence)

    def finish_bundle(self) -> None:
        for (client_id, why), number in self._missing.items():
            count(UNAVAILABLE, number, client_id, str(why))


class CountRejects(beam.PTransform):
    """Every reject counted, by tenant and reason; none becomes a letter. not_taken: learns which records they are."""

    def __init__(self, not_taken: NotTaken | None = None) -> None:
        super().__init__()
        self._fn = CountRejectsFn(not_taken)

    def expand(self, rejects: beam.PCollection[Reject]) -> beam.PCollection[None]:
        return rejects | beam.ParDo(self._fn)


class CountRejectsFn(beam.DoFn):
    def __init__(self, not_taken: NotTaken | None) -> None:
        self._not_taken = not_taken
        self._rejections = Rejections("rejected again")
        self._records: list[RecordId] = []

    def start_bundle(self) -> None:
        self._rejections = Rejections("rejected again")
        self._records = []

    def process(self, rejected: Reject) -> Iterator[None]:
        self._rejections.add(rejected)
        if self._not_taken is not None:
            self._records.append(id_of_record(rejected.record))
        yield from ()

    def finish_bundle(self) -> None:
        self._rejections.count()
        if self._not_taken is not None:
            self._not_taken.add(self._records)
