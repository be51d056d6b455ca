"""What the flow comes to; apart from the entry point, whose classes would belong to `__main__`."""

from typing import Any, NamedTuple

import apache_beam as beam


class Taken(NamedTuple):
    """What the flow comes to. rejects: of all steps. done: what nothing comes out of; where their watermarks are, all is done."""

    rejects: beam.PCollection[Any]
    done: tuple[beam.PCollection[Any], ...]
