"""The options of all commands, the agent's included, which has neither Beam nor Neo4j."""

from typing import Annotated, Final

import typer

from pipelines.options.checks import completed, one_of, usage_error
from transforms.records.tenancy.tenant import ID_RULE, is_tenant_id

LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")

Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object on standard output.")]
LogLevel = Annotated[
    str, typer.Option("--log_level", envvar="LOG_LEVEL", autocompletion=completed(*LOG_LEVELS), help=" | ".join(LOG_LEVELS))
]
ClientId = Annotated[str, typer.Option("--client_id", help="This tenant alone.")]
KafkaCaFile = Annotated[str, typer.Option("--kafka_ssl_ca_file", envvar="KAFKA_SSL_CA_FILE", help="PEM file of the certificates to trust.")]
KafkaKeypairFile = Annotated[
    str,
    typer.Option("--kafka_ssl_keypair_file", envvar="KAFKA_SSL_KEYPAIR_FILE", help="PEM file of the client's private key and certificate."),
]


def log_level(level: str) -> str:
    """The level, checked."""
    return one_of("--log_level", level.upper(), LOG_LEVELS)


def tenant_id(client_id: str, flag: str = "--client_id") -> str:
    """The tenant that a flag names, checked; "" for all tenants."""
    if client_id and not is_tenant_id(client_id):
        raise usage_error(f"{flag} is {client_id!r}; a tenant id has {ID_RULE}.")
    return client_id
