"""How a stream is windowed; apart from the step, so that naming it does not import Beam."""

from dataclasses import dataclass
from typing import Final

# Parts of a window, each what one bundle says of a tenant: a window that has so many is worked on at once.
EARLY_PARTS: Final = 32


@dataclass(frozen=True, slots=True)
class ArrivalWindow:
    """How long a streaming job gathers what arrives of a tenant before it is written.

    window_s: whole seconds from the first arrival. early_parts: so many parts end it earlier.
    """

    window_s: int = 2
    early_parts: int = EARLY_PARTS
