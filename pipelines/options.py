"""Settings, parsed once: by flag, else by environment variable, else from the running local stack."""

from dataclasses import dataclass
from typing import Annotated, Final

import typer

from runners.local.endpoints import Endpoints, read_endpoints
from transforms.io.kafka_target import SASL_MECHANISMS, SECURITY_PROTOCOLS, KafkaTarget
from transforms.io.neo4j_target import Neo4jTarget
from transforms.io.secrets import Secret
from transforms.records.codecs import CODECS
from transforms.records.tenant import is_tenant_id

_KAFKA: Final = "Kafka"
_NEO4J: Final = "Neo4j"
_TENANTS: Final = "Tenants"
_RUN: Final = "How it runs"

DEFAULT_TOPICS: Final = ",".join(codec.topic for codec in CODECS)

KafkaBrokers = Annotated[
    str, typer.Option("--kafka_brokers", envvar="KAFKA_BROKERS", rich_help_panel=_KAFKA, help="host:port, comma-separated.")
]
KafkaGroup = Annotated[
    str,
    typer.Option(
        "--kafka_group", envvar="KAFKA_GROUP", rich_help_panel=_KAFKA, help="Consumer group whose committed offsets mark what is done."
    ),
]
SecurityProtocol = Annotated[
    str,
    typer.Option(
        "--kafka_security_protocol", envvar="KAFKA_SECURITY_PROTOCOL", rich_help_panel=_KAFKA, help=" | ".join(SECURITY_PROTOCOLS)
    ),
]
SaslMechanism = Annotated[
    str, typer.Option("--kafka_sasl_mechanism", envvar="KAFKA_SASL_MECHANISM", rich_help_panel=_KAFKA, help=" | ".join(SASL_MECHANISMS))
]
SaslUsername = Annotated[
    str,
    typer.Option(
        "--kafka_sasl_username",
        envvar="KAFKA_SASL_USERNAME",
        rich_help_panel=_KAFKA,
        help="The password comes from KAFKA_SASL_PASSWORD or a file.",
    ),
]
SaslPasswordFile = Annotated[
    str,
    typer.Option(
        "--kafka_sasl_password_file",
        envvar="KAFKA_SASL_PASSWORD_FILE",
        rich_help_panel=_KAFKA,
        help="File that holds the SASL password, readable for the Java side too.",
    ),
]
KafkaCaFile = Annotated[
    str,
    typer.Option("--kafka_ssl_ca_file", envvar="KAFKA_SSL_CA_FILE", rich_help_panel=_KAFKA, help="PEM file of the certificates to trust."),
]
KafkaKeypairFile = Annotated[
    str,
    typer.Option(
        "--kafka_ssl_keypair_file",
        envvar="KAFKA_SSL_KEYPAIR_FILE",
        rich_help_panel=_KAFKA,
        help="PEM file of the client's private key and certificate.",
    ),
]
KafkaRetryS = Annotated[
    float,
    typer.Option(
        "--kafka_retry_s",
        envvar="KAFKA_RETRY_S",
        min=0,
        rich_help_panel=_KAFKA,
        help="Seconds for which a request is made again while Kafka is away.",
    ),
]
Topics = Annotated[
    str,
    typer.Option(
        "--topics",
        envvar="KAFKA_TOPICS",
        rich_help_panel=_KAFKA,
        help="Topics to read, comma-separated; those that do not exist yet are left out.",
    ),
]
DeadletterTopic = Annotated[
    str,
    typer.Option(
        "--deadletter_topic", envvar="DEADLETTER_TOPIC", rich_help_panel=_KAFKA, help="Where rejects go; made where it is missing."
    ),
]
LegacyTopics = Annotated[
    str,
    typer.Option(
        "--legacy_separator_topics",
        envvar="LEGACY_SEPARATOR_TOPICS",
        rich_help_panel=_TENANTS,
        help="Topics whose keys may also be split at a pipe sign.",
    ),
]
ExpansionService = Annotated[
    str,
    typer.Option(
        "--expansion_service",
        envvar="KAFKA_EXPANSION_SERVICE",
        rich_help_panel=_KAFKA,
        help="host:port of the Java side of Beam's Kafka connector.",
    ),
]
Neo4jUri = Annotated[
    str, typer.Option("--neo4j_uri", envvar="NEO4J_URI", rich_help_panel=_NEO4J, help="bolt://host:port or neo4j://host:port; +s for TLS.")
]
Neo4jUser = Annotated[
    str, typer.Option("--neo4j_user", envvar="NEO4J_USER", rich_help_panel=_NEO4J, help="The password comes from NEO4J_PASSWORD or a file.")
]
Neo4jPasswordFile = Annotated[
    str, typer.Option("--neo4j_password_file", envvar="NEO4J_PASSWORD_FILE", rich_help_panel=_NEO4J, help="File that holds the password.")
]
Neo4jDatabase = Annotated[str, typer.Option("--neo4j_database", envvar="NEO4J_DATABASE", rich_help_panel=_NEO4J, help="Database name.")]
Neo4jCaFile = Annotated[
    str,
    typer.Option(
        "--neo4j_ca_file",
        envvar="NEO4J_CA_FILE",
        rich_help_panel=_NEO4J,
        help="PEM file of the certificates to trust; turns TLS on for a plain scheme.",
    ),
]
Neo4jRetryS = Annotated[
    float,
    typer.Option(
        "--neo4j_retry_s",
        envvar="NEO4J_RETRY_S",
        min=0,
        rich_help_panel=_NEO4J,
        help="Seconds for which a transaction is tried again while the server is away.",
    ),
]
ClientId = Annotated[
    str,
    typer.Option(
        "--client_id",
        envvar="CLIENT_ID",
        rich_help_panel=_TENANTS,
        help="Single-tenant mode: stamps records that name no tenant, skips those of others.",
    ),
]
Runner = Annotated[str, typer.Option("--runner", rich_help_panel=_RUN, help="DirectRunner.")]
KafkaReader = Annotated[str, typer.Option("--kafka_reader", rich_help_panel=_RUN, help="auto | beam: how records are read.")]
SliceBytes = Annotated[
    int, typer.Option("--slice_bytes", min=65536, rich_help_panel=_RUN, help="Bytes of records between two commits of offsets.")
]
BatchRows = Annotated[int, typer.Option("--batch_rows", min=1, max=10000, rich_help_panel=_RUN, help="Rows per transaction.")]
BatchBytes = Annotated[int, typer.Option("--batch_bytes", min=65536, rich_help_panel=_RUN, help="Bytes of values per transaction.")]
Shards = Annotated[
    int, typer.Option("--shards", min=1, max=64, rich_help_panel=_RUN, help="Shards per tenant, for folding on several workers.")
]
Json = Annotated[bool, typer.Option("--json", rich_help_panel=_RUN, help="Print the result as one JSON object on standard output.")]
LogLevel = Annotated[str, typer.Option("--log_level", envvar="LOG_LEVEL", rich_help_panel=_RUN, help="DEBUG | INFO | WARNING | ERROR")]
LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a `graph_build` run."""

    kafka: KafkaTarget
    neo4j: Neo4jTarget
    topics: tuple[str, ...]
    deadletter_topic: str
    legacy_topics: frozenset[str]
    client_id: str
    expansion_service: str
    slice_bytes: int
    batch_rows: int
    batch_bytes: int
    shards: int


def usage_error(sentence: str) -> typer.BadParameter:
    """An error of use: printed in one sentence, exit code 2."""
    return typer.BadParameter(sentence)


def one_of(flag: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise usage_error(f"{flag} is {value!r}; it must be one of {', '.join(allowed)}.")
    return value


def _needed(value: str, local: str | None, what: str, flag: str, variable: str) -> str:
    found = value or local or ""
    if not found:
        raise usage_error(f"No {what} is configured: start the local one with `scripts/stack up`, or name one with {flag} or {variable}.")
    return found


def neo4j_target(uri: str, user: str, password_file: str, database: str, ca_file: str, retry_s: float) -> Neo4jTarget:
    """The graph that the settings name; with no URI, the local stack's, password included."""
    local = None if uri else read_endpoints()
    uri = _needed(uri, local.neo4j_uri if local else None, "Neo4j", "--neo4j_uri", "NEO4J_URI")
    if local is not None:
        return Neo4jTarget(uri, local.neo4j_user, Secret(file=local.neo4j_password_file), database, ca_file, retry_s)
    return Neo4jTarget(uri, user, Secret("NEO4J_PASSWORD", password_file), database, ca_file, retry_s)


def kafka_target(
    brokers: str,
    group: str,
    protocol: str,
    mechanism: str,
    username: str,
    password_file: str,
    ca_file: str,
    keypair_file: str,
    retry_s: float,
) -> KafkaTarget:
    """The Kafka cluster that the settings name, or the local stack's."""
    local = None if brokers else read_endpoints()
    brokers = _needed(brokers, local.kafka_brokers if local else None, "Kafka", "--kafka_brokers", "KAFKA_BROKERS")
    one_of("--kafka_security_protocol", protocol, SECURITY_PROTOCOLS)
    one_of("--kafka_sasl_mechanism", mechanism, SASL_MECHANISMS)
    password = Secret("KAFKA_SASL_PASSWORD", password_file)
    return KafkaTarget(brokers, group, protocol, mechanism, username, password, ca_file, keypair_file, retry_s)


def expansion_address(address: str) -> str:
    """Where the Java side is: as named, or the local stack's."""
    local: Endpoints | None = None if address else read_endpoints()
    what = "Java side of Beam's Kafka connector"
    return _needed(address, local.expansion_service if local else None, what, "--expansion_service", "KAFKA_EXPANSION_SERVICE")


def tenant_id(client_id: str) -> str:
    """The tenant of single-tenant mode, checked; "" for all tenants."""
    if client_id and not is_tenant_id(client_id):
        raise usage_error(
            f"--client_id is {client_id!r}; a tenant id has lower-case letters, digits, dots and dashes, at most 63, "
            "begins with a letter or digit and is not the name of a kind."
        )
    return client_id


def names(text: str) -> tuple[str, ...]:
    """A comma-separated list, without blanks and doubles, in its order."""
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
