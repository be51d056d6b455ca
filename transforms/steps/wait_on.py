"""What only waits for a step: where nothing comes out of it, its watermark says that it is done."""

from collections.abc import Iterator
from typing import Any

import apache_beam as beam


class WaitOnFn(beam.DoFn):
    """Gives nothing, whatever comes; declare the type that the other inputs of a Flatten have."""

    def process(self, _element: Any) -> Iterator[Any]:
        yield from ()
