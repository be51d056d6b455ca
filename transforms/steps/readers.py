"""The two readers by name, for who chooses one without reading; `ReadRecords` says what each does."""

from typing import Final

BEAM: Final = "beam"
BOUNDED: Final = "bounded"
READERS: Final = (BEAM, BOUNDED)
# Offsets from which it matters that the bounded reader is faster: what takes more than one slice of the connector waits for the start of
# another pipeline each time.
MUCH: Final = 20_000
FASTER: Final = f"--kafka_reader={BOUNDED} reads them about twenty times as fast"
