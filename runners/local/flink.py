"""The servers of the local Flink cluster: how each is set up, started and asked whether it is ready."""

import os
import sys
import uuid
import zipfile
from pathlib import Path
from typing import Final

import grpc

from runners.flink.rest import FlinkRest
from runners.local.flink_conf import OPENED, FlinkPorts, FlinkShape, cluster_settings, conf_text
from runners.local.java import JAVA_SOURCES, fetch_jars, find_java
from runners.local.process import ServiceProcess
from runners.local.service import HOST
from transforms.io.faults import InfrastructureFault

_LAUNCHER: Final = JAVA_SOURCES / "flink" / "LoopbackFlink.java"
_ASK_S: Final = 2.0


class FlinkHome:
    """The cluster's folder: configuration, checkpoints, savepoints; and the jars that all its Java processes run from."""

    def __init__(self, folder: Path, jars: Path, ports: FlinkPorts, shape: FlinkShape) -> None:
        self.folder, self.ports, self.shape = folder, ports, shape
        self._jars = jars

    @property
    def conf(self) -> Path:
        return self.folder / "conf"

    def prepare(self) -> None:
        self.conf.mkdir(parents=True, exist_ok=True)
        (self.folder / "tmp").mkdir(exist_ok=True)
        (self.conf / "flink-conf.yaml").write_text(conf_text(cluster_settings(self.folder, self.ports, self.shape)))

    def java(self, *flags: str) -> list[str]:
        """The start of a command; what comes after is a main class or a source file, and its arguments."""
        jars = fetch_jars("flink", self._jars)
        jamm = next(jars.glob("jamm-*.jar"))
        return [
            find_java(),
            *flags,
            *(f"--add-opens={package}=ALL-UNNAMED" for package in OPENED),
            "--add-modules=jamm",
            f"--module-path={jamm}",
            "--add-opens=java.base/java.lang=jamm",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
            "-Dorg.slf4j.simpleLogger.showShortLogName=true",
            "-Dorg.slf4j.simpleLogger.log.org.apache.kafka=warn",
            "-cp",
            os.pathsep.join(str(one) for one in sorted(jars.glob("*.jar")) if one != jamm),
        ]

    def rest(self) -> FlinkRest:
        return FlinkRest(f"{HOST}:{self.ports.rest}", _ASK_S)


class JobManager:
    """Flink's coordinator, with its REST interface."""

    def __init__(self, home: FlinkHome) -> None:
        self.process = ServiceProcess("JobManager", home.folder / "jobmanager")
        self.ports = {"--rest_port": home.ports.rest, "--rpc_port": home.ports.rpc, "--blob_port": home.ports.blob}
        self._home = home

    def start(self) -> None:
        self._home.prepare()
        main = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
        self.process.start([*self._home.java("-Xmx512m"), main, "--configDir", str(self._home.conf)])

    def is_ready(self) -> bool:
        return _answers(self._home)


class TaskManager:
    """Where tasks run, the Java half of Beam's in its own JVM."""

    def __init__(self, home: FlinkHome) -> None:
        self.process = ServiceProcess("TaskManager", home.folder / "taskmanager")
        self.ports: dict[str, int] = {}
        self._home = home
        self._id = self.process.folder / "resource-id"

    def start(self) -> None:
        self._home.prepare()
        self.process.folder.mkdir(parents=True, exist_ok=True)
        # A name of its own for each start: the JobManager goes on counting one that was killed until it misses it.
        self._id.write_text(f"taskmanager-{uuid.uuid4().hex[:8]}")
        named = ["-D", f"taskmanager.resource-id={self._id.read_text()}"]
        java = self._home.java("-Xms896m", "-Xmx896m", "-XX:MaxDirectMemorySize=384m", "-XX:+ExitOnOutOfMemoryError")
        self.process.start([*java, str(_LAUNCHER), "taskmanager", "--configDir", str(self._home.conf), *named])

    def is_ready(self) -> bool:
        try:
            with self._home.rest() as rest:
                return self._id.read_text() in {one.id for one in rest.task_managers().taskmanagers}
        except (InfrastructureFault, FileNotFoundError):
            return False


class BeamServices:
    """What brings jobs onto Flink: job service, artifacts and the expansion of Kafka's read; in the small form Flink too."""

    def __init__(self, home: FlinkHome) -> None:
        small = home.shape.small
        ports = home.ports
        self.process = ServiceProcess("Flink and Beam" if small else "Beam services", home.folder / ("small" if small else "services"))
        flink = {"--rest_port": ports.rest, "--blob_port": ports.blob} if small else {}
        self.ports = flink | {
            "--job_port": ports.job_service,
            "--artifact_port": ports.artifacts,
            "--expansion_port": ports.expansion,
        }
        self._home = home

    def start(self) -> None:
        self._home.prepare()
        folder, ports = self.process.folder, self._home.ports
        folder.mkdir(parents=True, exist_ok=True)
        # As for the stack's connector: what is staged is needed nowhere, and an empty list means everything.
        empty = folder / "empty.jar"
        with zipfile.ZipFile(empty, "w") as jar:
            jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n\n")
        small = self._home.shape.small
        mode = ["small", str(self._home.conf)] if small else ["services"]
        self.process.start(
            [
                *self._home.java("-Xmx1536m" if small else "-Xmx512m", "-XX:+ExitOnOutOfMemoryError"),
                str(_LAUNCHER),
                *mode,
                str(ports.expansion),
                f"--flink-master={HOST}:{ports.rest}",
                f"--job-host={HOST}",
                f"--job-port={ports.job_service}",
                f"--artifact-port={ports.artifacts}",
                "--expansion-port=-1",
                f"--artifacts-dir={folder / 'artifacts'}",
                "--",
                "--experiments=use_deprecated_read",
                "--defaultEnvironmentType=EMBEDDED",
                f"--filesToStage={empty}",
            ]
        )

    def is_ready(self) -> bool:
        flink = not self._home.shape.small or _answers(self._home)
        return flink and all(_connects(port) for port in (self._home.ports.job_service, self._home.ports.expansion))


class PythonPool:
    """What starts Python workers for the TaskManager."""

    def __init__(self, home: FlinkHome) -> None:
        self.process = ServiceProcess("Python pool", home.folder / "pool")
        self.ports = {"--pool_port": home.ports.worker_pool}
        self._port = home.ports.worker_pool

    def start(self) -> None:
        self.process.start([sys.executable, "-m", "runners.flink.worker_pool", f"--port={self._port}"])

    def is_ready(self) -> bool:
        return _connects(self._port)


def _answers(home: FlinkHome) -> bool:
    try:
        with home.rest() as rest:
            return rest.overview().slots > 0 if home.shape.small else bool(rest.overview().version)
    except InfrastructureFault:
        return False


def _connects(port: int) -> bool:
    with grpc.insecure_channel(f"{HOST}:{port}") as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=1)
        except grpc.FutureTimeoutError:
            return False
    return True
