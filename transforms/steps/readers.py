"""The two readers by name, for who chooses one without reading; `ReadRecords` says what each does."""

from typing import Final

BEAM: Final = "beam"
BOUNDED: Final = "bounded"
READERS: Final = (BEAM, BOUNDED)
