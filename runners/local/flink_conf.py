"""How the local Flink cluster is configured. Pure."""

from dataclasses import dataclass
from pathlib import Path

from runners.flink.settings import HEAP
from runners.local.service import HOST

# Java 17 opens these to Flink's serializers, RPC and memory only when told to.
OPENED = (
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.nio",
    "java.base/java.net",
    "java.base/java.io",
    "java.base/java.time",
    "java.base/sun.nio.ch",
)


@dataclass(frozen=True, slots=True)
class FlinkPorts:
    """The loopback ports of the local cluster; what a TaskManager opens for its workers besides is free to choose."""

    rest: int = 8081
    rpc: int = 18123
    blob: int = 18124
    job_service: int = 18099
    artifacts: int = 18098
    expansion: int = 18097
    worker_pool: int = 18050


@dataclass(frozen=True, slots=True)
class FlinkShape:
    """small: Flink and what Beam needs beside it in one JVM, for a laptop. slots: how many tasks run at once."""

    small: bool = False
    slots: int = 4
    state_backend: str = HEAP


def checkpoints(folder: Path) -> Path:
    return folder / "checkpoints"


def savepoints(folder: Path) -> Path:
    return folder / "savepoints"


def cluster_settings(folder: Path, ports: FlinkPorts, shape: FlinkShape) -> dict[str, str]:
    """Flink's own settings. Every address is loopback; checkpoints and savepoints lie under the folder."""
    return {
        "jobmanager.rpc.address": HOST,
        "jobmanager.bind-host": HOST,
        "jobmanager.rpc.port": str(ports.rpc),
        "jobmanager.memory.process.size": "1024m",
        "rest.address": HOST,
        "rest.bind-address": HOST,
        "rest.port": str(ports.rest),
        # Nobody needs to bring jars through the page that shows jobs.
        "web.submit.enable": "false",
        "blob.server.port": str(ports.blob),
        "taskmanager.host": HOST,
        "taskmanager.bind-host": HOST,
        "taskmanager.numberOfTaskSlots": str(shape.slots),
        # A TaskManager that is started without Flink's scripts must be told every size.
        "taskmanager.cpu.cores": str(float(shape.slots)),
        "taskmanager.memory.framework.heap.size": "128m",
        "taskmanager.memory.task.heap.size": "768m",
        "taskmanager.memory.framework.off-heap.size": "128m",
        "taskmanager.memory.task.off-heap.size": "128m",
        "taskmanager.memory.network.min": "128m",
        "taskmanager.memory.network.max": "128m",
        "taskmanager.memory.managed.size": "256m",
        "taskmanager.memory.jvm-metaspace.size": "256m",
        "taskmanager.memory.jvm-overhead.min": "192m",
        "taskmanager.memory.jvm-overhead.max": "192m",
        "state.backend.type": shape.state_backend,
        "state.checkpoints.dir": checkpoints(folder).as_uri(),
        "state.savepoints.dir": savepoints(folder).as_uri(),
        # For ever, ever more slowly: what Neo4j or Kafka being away breaks is resumed when they are back.
        "restart-strategy.type": "exponential-delay",
        "restart-strategy.exponential-delay.initial-backoff": "1 s",
        "restart-strategy.exponential-delay.max-backoff": "30 s",
        # A lost TaskManager is noticed in ten seconds, not in fifty.
        "heartbeat.interval": "2000",
        "heartbeat.timeout": "10000",
        # How old the metrics may be that are asked for.
        "metrics.fetcher.update-interval": "2000",
        "io.tmp.dirs": str(folder / "tmp"),
        # Jobs come without jars, so what is left of one holds no classes.
        "classloader.check-leaked-classloader": "false",
    }


def conf_text(settings: dict[str, str]) -> str:
    """As flink-conf.yaml."""
    return "".join(f"{name}: {value}\n" for name, value in settings.items())
