"""A second broker beside the stack's, which can be killed: what it alone leads has no leader then."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from runners.local.java import find_java
from runners.local.process import ServiceProcess
from runners.local.service import HOST, free_ports
from runners.local.services import Kafka, run_tool
from scripts.faulting.round import await_that
from scripts.faulting.topics import admin

_NODE: Final = 2


class SecondBroker(Kafka):
    """Joins the cluster of a stack's broker as one that is no controller."""

    def __init__(self, folder: Path, first: Kafka) -> None:
        (port,) = free_ports(1)
        super().__init__(folder, first.jars, port, first.ports["--kafka_controller_port"])
        self.process = ServiceProcess("the second Kafka", folder / "kafka")
        self.ports = {"--kafka_port": port}
        self._first = first

    def start(self) -> None:
        folder = self.process.folder
        folder.mkdir(parents=True)
        conf = folder / "kafka.properties"
        conf.write_text(self._joining(folder / "data"))
        cluster = re.search(r"^cluster\.id=(.+)$", (self._first.process.folder / "data" / "meta.properties").read_text(), re.MULTILINE)
        assert cluster is not None
        run_tool([find_java(), "-cp", self.classpath(), "kafka.tools.StorageTool", "format", "-t", cluster[1], "-c", str(conf)], "format")
        self.process.start([find_java(), "-Xmx256m", "-cp", self.classpath(), "kafka.Kafka", str(conf)])

    def _joining(self, data: Path) -> str:
        (port,), controller = self.ports.values(), self._first.ports["--kafka_controller_port"]
        settings = {
            "process.roles": "broker",
            "node.id": str(_NODE),
            "controller.quorum.voters": f"1@{HOST}:{controller}",
            "listeners": f"PLAINTEXT://{HOST}:{port}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(data),
            "log.retention.ms": "-1",
        }
        return "".join(f"{key}={value}\n" for key, value in settings.items())

    def is_ready(self) -> bool:
        return len(admin(self._first.brokers).list_topics(timeout=2).brokers) > 1


@contextmanager
def second_broker(first: Kafka) -> Iterator[SecondBroker]:
    """It runs and has joined; at the end of the block nothing of it is left, the cluster's memory of it included."""
    with TemporaryDirectory(prefix="graph-broker-") as folder:
        broker = SecondBroker(Path(folder), first)
        try:
            broker.start()
            broker.process.await_ready(broker.is_ready, 60)
            yield broker
        finally:
            broker.process.stop()


def lead_by_second(client: AdminClient, topic: str, partitions: int, led: int) -> None:
    """Make a topic of which the second broker leads one partition, the first broker all others."""
    replicas = [[_NODE] if number == led else [1] for number in range(partitions)]
    client.create_topics([NewTopic(topic, partitions, replica_assignment=replicas)])[topic].result(30)
    await_that(lambda: _leaders(client, topic) == [one[0] for one in replicas], 30, f"leaders of {topic}")


def _leaders(client: AdminClient, topic: str) -> list[int]:
    try:
        known = client.list_topics(topic, timeout=5).topics[topic].partitions
    except KafkaException:
        # Asked of the broker that has just gone.
        return []
    return [known[number].leader for number in sorted(known)]


def await_leaderless(client: AdminClient, topic: str, partition: int) -> None:
    """Return when the cluster knows that nobody leads the partition."""
    await_that(lambda: _leaders(client, topic)[partition : partition + 1] == [-1], 60, f"{topic}[{partition}] without a leader")
