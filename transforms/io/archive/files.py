"""The archive: raw records as Avro files by tenant, topic and hour."""

from collections.abc import Iterator

from transforms.io.archive.avro_files import AvroFile, AvroFiles
from transforms.records.archive_format.archived import Archived
from transforms.records.archive_format.record_blocks import ARCHIVE
from transforms.records.record import KafkaRecord


class Archive(AvroFiles[Archived]):
    """An archive. withheld: records that `read` left out, since their values are not here."""

    def __init__(self, root: str) -> None:
        super().__init__(root, ARCHIVE, "The archive")
        self.withheld = 0

    def read(self, file: AvroFile, *, skip_corrupt: bool = False) -> Iterator[list[KafkaRecord]]:
        """The records of a file, as `blocks` has them; what has no value here is left out and counted in `withheld`."""
        for block in self.blocks(file, skip_corrupt=skip_corrupt):
            whole = [one.record for one in block if one.withheld is None]
            self.withheld += len(block) - len(whole)
            if whole:
                yield whole
