"""The three servers of the local stack: how each is set up, started and asked whether it is ready."""

import os
import secrets
import subprocess
import time
import uuid
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import grpc
import neo4j
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from neo4j.exceptions import AuthError, DriverError, Neo4jError

from runners.local.faults import StackFault
from runners.local.java import JAVA_SOURCES, fetch_jars, find_java
from runners.local.process import ServiceProcess
from runners.local.service import HOST

NEO4J_USER: Final = "neo4j"
_LOADING_USERS_S: Final = 60.0


class Kafka:
    """One Kafka broker in KRaft mode; topics are made by those who own them, never by accident. more: settings beside."""

    def __init__(self, folder: Path, jars: Path, port: int, controller_port: int, more: Mapping[str, str] | None = None) -> None:
        self._more = more or {}
        self.process = ServiceProcess("Kafka", folder / "kafka")
        self.ports = {"--kafka_port": port, "--kafka_controller_port": controller_port}
        self.jars = jars
        self.brokers = f"{HOST}:{port}"

    def start(self) -> None:
        folder = self.process.folder
        folder.mkdir(parents=True, exist_ok=True)
        classpath = self.classpath()
        conf = folder / "kafka.properties"
        conf.write_text(self._conf(folder / "data"))
        if not (folder / "data" / "meta.properties").exists():
            cluster = uuid.uuid4().hex[:22]
            formatting = [find_java(), "-cp", classpath, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(conf)]
            run_tool(formatting, "Kafka's storage could not be formatted")
        self.process.start([find_java(), "-Xmx512m", "-cp", classpath, "kafka.Kafka", str(conf)])

    def classpath(self) -> str:
        """All of Kafka's jars."""
        return f"{fetch_jars('kafka', self.jars)}/*"

    def _conf(self, data: Path) -> str:
        port, controller = self.ports.values()
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@{HOST}:{controller}",
            "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(data),
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "group.initial.rebalance.delay.ms": "0",
            # Samples and replays carry timestamps of their own, years old some of them.
            "log.retention.ms": "-1",
            **self._more,
        }
        return "".join(f"{key}={value}\n" for key, value in settings.items())

    def is_ready(self) -> bool:
        quiet = {"bootstrap.servers": self.brokers, "log_level": 0, "error_cb": lambda _error: None}
        try:
            told = AdminClient(quiet).list_topics(timeout=2)
        except KafkaException:
            return False
        return bool(told.brokers) and told.cluster_id == self.cluster_id()

    def cluster_id(self) -> str:
        """The id that its storage was formatted with; "" where it was not."""
        try:
            lines = (self.process.folder / "data" / "meta.properties").read_text().splitlines()
        except FileNotFoundError:
            return ""
        return next((line.partition("=")[2] for line in lines if line.startswith("cluster.id=")), "")


class Neo4j:
    """Neo4j community with authentication; its password is made here and kept in a file only its owner can read.

    heap: how much memory Java begins with and takes at most; page_cache: what comes on top.
    settings: more of its configuration, to be given before it starts.
    """

    def __init__(self, folder: Path, jars: Path, port: int, heap: tuple[str, str] = ("512m", "1g"), page_cache: str = "512m") -> None:
        self.process = ServiceProcess("Neo4j", folder / "neo4j")
        self.ports = {"--neo4j_port": port}
        self._jars = jars
        self._heap, self._page_cache = heap, page_cache
        self.settings: dict[str, str] = {}
        self.uri = f"bolt://{HOST}:{port}"
        self.password_file = folder / "neo4j-password"

    def start(self) -> None:
        home = self.process.folder
        (home / "conf").mkdir(parents=True, exist_ok=True)
        classpath = f"{fetch_jars('neo4j', self._jars)}/*"
        (home / "conf" / "neo4j.conf").write_text(self._conf())
        if not self.password_file.exists():
            _write_private(self.password_file, secrets.token_hex(24))
        if not (home / "data" / "databases").exists():
            setting = [find_java(), "-cp", classpath, "org.neo4j.cli.AdminTool", "dbms", "set-initial-password"]
            environment = {"NEO4J_HOME": str(home), "NEO4J_CONF": str(home / "conf")}
            # A file of arguments: those of a process are everybody's to read, in /proc and by `ps`.
            run_tool([*setting, f"@{self.password_file}"], "Neo4j's password could not be set", environment)
        opens = ("java.base/java.nio", "java.base/java.io", "java.base/sun.nio.ch", "java.base/java.util.concurrent")
        self.process.start(
            [
                find_java(),
                f"-Xms{self._heap[0]}",
                f"-Xmx{self._heap[1]}",
                "-XX:+UseG1GC",
                "-XX:+ExitOnOutOfMemoryError",
                *(f"--add-opens={package}=ALL-UNNAMED" for package in opens),
                "--add-modules=jdk.incubator.vector",
                "-cp",
                classpath,
                "org.neo4j.server.CommunityEntryPoint",
                f"--home-dir={home}",
                f"--config-dir={home / 'conf'}",
            ]
        )

    def _conf(self) -> str:
        settings = {
            "server.default_listen_address": HOST,
            "server.bolt.listen_address": f"{HOST}:{self.ports['--neo4j_port']}",
            "server.http.enabled": "false",
            "server.https.enabled": "false",
            "dbms.security.auth_enabled": "true",
            "server.memory.pagecache.size": self._page_cache,
            "db.tx_log.rotation.retention_policy": "256M size",
            "dbms.usage_report.enabled": "false",
            **self.settings,
        }
        return "".join(f"{key}={value}\n" for key, value in settings.items())

    def is_ready(self) -> bool:
        password = self.password_file.read_text()
        try:
            driver = neo4j.GraphDatabase.driver(self.uri, auth=(NEO4J_USER, password), connection_timeout=2)
            with driver, driver.session() as session:
                session.run("RETURN 1").consume()
        except AuthError as error:
            # While it starts, Neo4j refuses everybody for a moment: its users are loaded after its port is open.
            process = self.process.find()
            if process is None or time.time() - process.create_time() < _LOADING_USERS_S:
                return False
            raise StackFault(
                f"Neo4j at {self.uri} refuses the password in {self.password_file}: put back the file with which it was first started, "
                "or set the password to what the file holds."
            ) from error
        except (Neo4jError, DriverError):
            return False
        return True


class Connector:
    """The Java side of Beam's Kafka connector: expansion service and Java worker in one JVM.

    No list of classes for it to look up is given, so it expands Beam's registered transforms and nothing by a class's name.
    """

    def __init__(self, folder: Path, jars: Path, port: int) -> None:
        self.process = ServiceProcess("Beam's Kafka connector", folder / "connector")
        self.ports = {"--connector_port": port}
        self._jars = jars
        self.address = f"{HOST}:{port}"

    def start(self) -> None:
        folder = self.process.folder
        folder.mkdir(parents=True, exist_ok=True)
        jars = fetch_jars("beam-kafka", self._jars)
        jamm = next(jars.glob("jamm-*.jar"))
        port = self.ports["--connector_port"]
        # Beam stages the whole class path by default; the worker has it already, and staging one empty jar
        # instead cuts seconds off every pipeline. An empty list would fall back to everything.
        empty = folder / "empty.jar"
        with zipfile.ZipFile(empty, "w") as jar:
            jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n\n")
        self.process.start(
            [
                find_java(),
                "-Xmx1g",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-Dorg.slf4j.simpleLogger.showDateTime=true",
                "--add-modules=jamm",
                f"--module-path={jamm}",
                "--add-opens=java.base/java.lang=jamm",
                "-cp",
                os.pathsep.join(str(one) for one in sorted(jars.glob("*.jar")) if one != jamm),
                # Java compiles it at each start: a second or so, in which Neo4j is still starting anyway.
                str(JAVA_SOURCES / "beam-kafka" / "LoopbackConnector.java"),
                str(port),
                "--alsoStartLoopbackWorker",
                "--defaultEnvironmentType=EXTERNAL",
                f"--defaultEnvironmentConfig={self.address}",
                f"--filesToStage={empty}",
            ]
        )

    def is_ready(self) -> bool:
        with grpc.insecure_channel(self.address) as channel:
            try:
                grpc.channel_ready_future(channel).result(timeout=1)
            except grpc.FutureTimeoutError:
                return False
        return True


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def run_tool(command: list[str], failed: str, environment: dict[str, str] | None = None) -> None:
    """Run a server's own tool to its end; StackFault with `failed` where it does not go well."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **(environment or {})})
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[-300:]
        raise StackFault(f"{failed}: {said}; `scripts/stack reset` starts over.")
