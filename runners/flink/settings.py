"""Where Flink and what Beam needs beside it are, and how a job runs there."""

from dataclasses import dataclass
from typing import Final

FLINK_VERSION: Final = "1.19"

HEAP: Final = "hashmap"
ROCKSDB: Final = "rocksdb"
STATE_BACKENDS: Final = (HEAP, ROCKSDB)


@dataclass(frozen=True, slots=True)
class FlinkAddresses:
    """host:port of each; by default where `scripts/flink up` serves them.

    master: the JobManager's REST. job_endpoint: Beam's job service. expansion: what expands Kafka's read for Flink, which is
    not the stack's connector. worker_pool: what starts Python workers, as the TaskManager sees it.
    """

    master: str = "127.0.0.1:8081"
    job_endpoint: str = "127.0.0.1:18099"
    expansion: str = "127.0.0.1:18097"
    worker_pool: str = "127.0.0.1:18050"


@dataclass(frozen=True, slots=True)
class FlinkSettings:
    """How a job runs on Flink. runners/flink/options.py says why each default is what it is.

    tell_master: the job service brings the job to `addresses.master`; otherwise to the cluster that it was started for.
    state_backend and checkpoint_dir: "" for the cluster's own. savepoint: where to resume from, "" for a new beginning.
    skip_lost_state: resume although the job no longer has a step that the savepoint has state of.
    """

    job_name: str
    addresses: FlinkAddresses = FlinkAddresses()
    tell_master: bool = True
    streaming: bool = True
    parallelism: int = 2
    checkpoint_ms: int = 10_000
    checkpoint_timeout_ms: int = 600_000
    checkpoint_dir: str = ""
    state_backend: str = ""
    savepoint: str = ""
    skip_lost_state: bool = False
    max_bundle_size: int = 5_000
    max_bundle_ms: int = 500
    python_workers: int = 1
