"""One Python worker of a TaskManager: `python -m runners.flink.worker CONTROL_ADDRESS WORKER_ID`; the pool starts it.

It ends when its TaskManager does, however that ends. What steps log goes to its standard error, the pool's log.
"""

import logging
import sys
from typing import Final

from apache_beam.runners.worker.sdk_worker import SdkHarness

from runners.memory import tune_memory

# What a step puts out is sent when its bundle ends or a buffer is full, never by the clock.
_NEVER_MS: Final = -1


def main(control: str, worker_id: str) -> None:
    """Work until the TaskManager at this address closes the connection."""
    logging.basicConfig(level=logging.WARNING, format=f"%(asctime)s %(levelname)s worker {worker_id} %(name)s: %(message)s")
    tune_memory()
    SdkHarness(control, worker_id=worker_id, data_buffer_time_limit_ms=_NEVER_MS).run()


if __name__ == "__main__":
    main(*sys.argv[1:3])
