"""How Kafka is reached, by flag, else by environment variable, else from the running local stack."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

import typer

from pipelines.options.checks import check_brokers, completed, names, needed, one_of
from pipelines.options.common import KafkaCaFile, KafkaKeypairFile
from pipelines.options.invocation import given_as
from pipelines.options.letter_place import DEFAULT_DEADLETTER_TOPIC, DeadletterPath, DeadletterTopic, letter_place
from pipelines.options.servers import KAFKA, are_named, server_address, stack_or_none, warn_of_near_misses
from runners.local.endpoints import listens, read_endpoints
from transforms.io.kafka.target import SASL_MECHANISMS, SECURITY_PROTOCOLS, KafkaTarget
from transforms.io.secrets import Secret
from transforms.records.dead_letters.selection import LetterPlace
from transforms.records.topic_names import ALL_TOPICS

DEFAULT_TOPICS: Final = ",".join(ALL_TOPICS)


@dataclass(frozen=True, slots=True)
class KafkaOptions:
    """A Kafka cluster and the consumer group."""

    CONNECTS: ClassVar[bool] = True

    kafka_brokers: Annotated[str, typer.Option("--kafka_brokers", envvar="KAFKA_BROKERS", help="host:port, comma-separated.")] = ""
    kafka_group: Annotated[
        str,
        typer.Option("--kafka_group", envvar="KAFKA_GROUP", help="Consumer group whose committed offsets mark what is done."),
    ] = "graph-build"
    kafka_security_protocol: Annotated[
        str,
        typer.Option(
            "--kafka_security_protocol",
            envvar="KAFKA_SECURITY_PROTOCOL",
            autocompletion=completed(*SECURITY_PROTOCOLS),
            help=" | ".join(SECURITY_PROTOCOLS),
        ),
    ] = "PLAINTEXT"
    kafka_sasl_mechanism: Annotated[
        str,
        typer.Option(
            "--kafka_sasl_mechanism",
            envvar="KAFKA_SASL_MECHANISM",
            autocompletion=completed(*SASL_MECHANISMS),
            help=" | ".join(SASL_MECHANISMS),
        ),
    ] = "PLAIN"
    kafka_sasl_username: Annotated[
        str,
        typer.Option("--kafka_sasl_username", envvar="KAFKA_SASL_USERNAME", help="The password comes from KAFKA_SASL_PASSWORD or a file."),
    ] = ""
    kafka_sasl_password_file: Annotated[
        str,
        typer.Option(
            "--kafka_sasl_password_file",
            envvar="KAFKA_SASL_PASSWORD_FILE",
            help="File that holds the SASL password, readable for the Java side too.",
        ),
    ] = ""
    kafka_ssl_ca_file: KafkaCaFile = ""
    kafka_ssl_keypair_file: KafkaKeypairFile = ""
    kafka_retry_s: Annotated[
        float,
        typer.Option(
            "--kafka_retry_s", envvar="KAFKA_RETRY_S", min=0, help="Seconds for which a request is made again while Kafka is away."
        ),
    ] = 30.0

    def target_or_none(self) -> KafkaTarget | None:
        """The cluster that the options name, or the local stack's; None where there is neither."""
        return self.target() if self.kafka_brokers or read_endpoints() else None

    def target(self) -> KafkaTarget:
        """The cluster that the options name; with no brokers, and no other server named either, the local stack's."""
        check_brokers(given_as(KAFKA.setting) or KAFKA.flag, self.kafka_brokers)
        local = None if self.kafka_brokers else stack_or_none(KAFKA)
        warn_of_near_misses()
        return KafkaTarget(
            server_address(KAFKA, self.kafka_brokers, local.kafka_brokers if local else ""),
            self.kafka_group,
            one_of("--kafka_security_protocol", self.kafka_security_protocol, SECURITY_PROTOCOLS),
            one_of("--kafka_sasl_mechanism", self.kafka_sasl_mechanism, SASL_MECHANISMS),
            self.kafka_sasl_username,
            Secret("KAFKA_SASL_PASSWORD", self.kafka_sasl_password_file),
            self.kafka_ssl_ca_file,
            self.kafka_ssl_keypair_file,
            self.kafka_retry_s,
        )


@dataclass(frozen=True, slots=True)
class TopicOptions:
    """What is read, where rejects go, and the Java side of Beam's connector."""

    topics: Annotated[
        str,
        typer.Option(
            "--topics",
            envvar="KAFKA_TOPICS",
            help="Topics to read, comma-separated. Each one that you name must exist, or --follow waits for it.",
        ),
    ] = DEFAULT_TOPICS
    deadletter_topic: DeadletterTopic = DEFAULT_DEADLETTER_TOPIC
    deadletter_path: DeadletterPath = ""
    expansion_service: Annotated[
        str,
        typer.Option("--expansion_service", envvar="KAFKA_EXPANSION_SERVICE", help="host:port of the Java side of Beam's Kafka connector."),
    ] = ""

    @property
    def are_named(self) -> bool:
        """Whether the topics were named one by one, and are not all those of the contract."""
        return bool(given_as("topics")) or self.topics != DEFAULT_TOPICS

    def topic_names(self) -> tuple[str, ...]:
        return names(self.topics)

    def letters(self) -> LetterPlace:
        """Where rejects go."""
        return letter_place(self.deadletter_topic, self.deadletter_path)

    def java_side(self) -> str:
        """Where the Java side is, if it was named, or runs in the local stack and the servers are the local stack's; else ""."""
        if self.expansion_service:
            return self.expansion_service
        local = None if are_named() else read_endpoints()
        return local.expansion_service if local and listens(local.expansion_service) else ""

    def expansion_address(self) -> str:
        """Where the Java side is: as named, or the local stack's; an error of use where it is nowhere."""
        local = None if self.expansion_service else read_endpoints()
        what = "Java side of Beam's Kafka connector"
        local_address = local.expansion_service if local else None
        return needed(self.expansion_service, local_address, what, "--expansion_service", "KAFKA_EXPANSION_SERVICE")
