"""Say once where much is to be read that another reader is faster."""

from typing import Final

import structlog

from runners.loops.bounded import SliceReport
from transforms.io.kafka.offsets import Place
from transforms.steps.readers import FASTER, MUCH

_LOG: Final = structlog.get_logger("run")


class FasterReader:
    """Watches runs with Beam's connector; the first that has much to read says what the bounded reader would do."""

    def __init__(self) -> None:
        self._is_told = False

    def planned(self, lag: dict[Place, int]) -> None:
        offsets = sum(lag.values())
        if offsets >= MUCH and not self._is_told:
            self._is_told = True
            _LOG.info(
                "a faster reader is there",
                offsets=offsets,
                detail=f"{FASTER}; docs/performance.md has the figures",
            )

    def committed(self, slice_: SliceReport) -> None:
        """Nothing to say."""
