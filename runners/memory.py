"""The memory of a process that runs slice after slice: what a slice has freed goes back to the system.

Nothing here changes what is computed. Where the C library is not glibc, only Python's own part is done.
"""

import ctypes
import gc
from functools import lru_cache
from typing import Any, Final

# What the flow makes in masses (records, mutations, rows) holds no cycles; looking for some in it, over and over, cost
# half of decoding and planning (measured). Beam's own cycles, a few thousand objects a slice, are still found.
_COLLECT_AFTER: Final = (100_000, 20, 20)
# Numbers of glibc's mallopt.
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
# A block of this size has a mapping of its own, which ends when it is freed. Unless told, glibc raises the limit up to 32 MiB, and Kafka's
# buffers leave holes in the heap: free memory that the process keeps, some 20 MB more with each large slice (measured).
_MAPPED_BYTES: Final = 256 * 1024
# Threads that share an arena wait for each other; of the many that Kafka's client and Beam have, few work at the same time.
_ARENAS: Final = 2


@lru_cache
def _glibc() -> Any:
    """The C library, None where it is not glibc."""
    found = ctypes.CDLL(None)
    return found if hasattr(found, "mallopt") and hasattr(found, "malloc_trim") else None


def tune_memory() -> None:
    """Have cyclic garbage looked for rarely, and large blocks given back when they are freed; call once, after imports."""
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    if library := _glibc():
        library.mallopt(_MMAP_THRESHOLD, _MAPPED_BYTES)
        library.mallopt(_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Return free memory to the system; takes milliseconds."""
    if library := _glibc():
        library.malloc_trim(0)
