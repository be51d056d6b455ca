"""How the schema registry is reached, by flag, else by environment variable; there is none unless it is named."""

from dataclasses import dataclass
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

import typer

from pipelines.options.checks import usage_error
from transforms.io.kafka.registry_target import RegistryTarget
from transforms.io.secrets import Secret


@dataclass(frozen=True, slots=True)
class RegistryOptions:
    """A schema registry, for records in the Confluent wire format."""

    CONNECTS: ClassVar[bool] = True

    schema_registry_url: Annotated[
        str,
        typer.Option(
            "--schema_registry_url",
            envvar="SCHEMA_REGISTRY_URL",
            help="http(s)://host:port[/path] of a registry that speaks Confluent's API, for records in its wire format.",
        ),
    ] = ""
    schema_registry_user: Annotated[
        str,
        typer.Option(
            "--schema_registry_user",
            envvar="SCHEMA_REGISTRY_USER",
            help="The password comes from SCHEMA_REGISTRY_PASSWORD or a file.",
        ),
    ] = ""
    schema_registry_password_file: Annotated[
        str,
        typer.Option(
            "--schema_registry_password_file",
            envvar="SCHEMA_REGISTRY_PASSWORD_FILE",
            help="File that holds the password.",
        ),
    ] = ""
    schema_registry_ca_file: Annotated[
        str,
        typer.Option("--schema_registry_ca_file", envvar="SCHEMA_REGISTRY_CA_FILE", help="PEM file of the certificates to trust."),
    ] = ""
    schema_registry_retry_s: Annotated[
        float,
        typer.Option(
            "--schema_registry_retry_s",
            envvar="SCHEMA_REGISTRY_RETRY_S",
            min=0,
            help="Seconds for which a schema is asked for again while the registry is away.",
        ),
    ] = 30.0

    def target(self) -> RegistryTarget | None:
        """The registry that the options name; None where they name none, an error of use where it cannot be one."""
        if not self.schema_registry_url:
            return None
        parts = urlsplit(self.schema_registry_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise usage_error(f"--schema_registry_url is {self.schema_registry_url!r}; write it as http://host:port or https://host:port.")
        if parts.username or parts.password:
            raise usage_error("--schema_registry_url holds a login; give it with --schema_registry_user and SCHEMA_REGISTRY_PASSWORD.")
        return RegistryTarget(
            self.schema_registry_url,
            self.schema_registry_user,
            Secret("SCHEMA_REGISTRY_PASSWORD", self.schema_registry_password_file),
            self.schema_registry_ca_file,
            self.schema_registry_retry_s,
        )
