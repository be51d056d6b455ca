"""How Neo4j is reached, by flag, else by environment variable, else from the running local stack."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from pipelines.options.servers import NEO4J, server_address, stack_or_none, warn_of_near_misses
from transforms.io.neo4j.target import Neo4jTarget
from transforms.io.secrets import Secret


@dataclass(frozen=True, slots=True)
class Neo4jOptions:
    """A Neo4j database."""

    CONNECTS: ClassVar[bool] = True

    neo4j_uri: Annotated[
        str, typer.Option("--neo4j_uri", envvar="NEO4J_URI", help="bolt://host:port or neo4j://host:port; +s for TLS.")
    ] = ""
    neo4j_user: Annotated[
        str, typer.Option("--neo4j_user", envvar="NEO4J_USER", help="The password comes from NEO4J_PASSWORD or a file.")
    ] = "neo4j"
    neo4j_password_file: Annotated[
        str, typer.Option("--neo4j_password_file", envvar="NEO4J_PASSWORD_FILE", help="File that holds the password.")
    ] = ""
    neo4j_database: Annotated[str, typer.Option("--neo4j_database", envvar="NEO4J_DATABASE", help="Database name.")] = "neo4j"
    neo4j_ca_file: Annotated[
        str,
        typer.Option(
            "--neo4j_ca_file",
            envvar="NEO4J_CA_FILE",
            help="PEM file of the certificates to trust; turns TLS on for a plain scheme.",
        ),
    ] = ""
    neo4j_retry_s: Annotated[
        float,
        typer.Option(
            "--neo4j_retry_s",
            envvar="NEO4J_RETRY_S",
            min=0,
            help="Seconds for which a transaction is tried again while the server is away.",
        ),
    ] = 30.0

    def target(self) -> Neo4jTarget:
        """The graph that the options name; with no URI, and no other server named either, the local stack's, password included."""
        local = None if self.neo4j_uri else stack_or_none(NEO4J)
        warn_of_near_misses()
        uri = server_address(NEO4J, self.neo4j_uri, local.neo4j_uri if local else "")
        user, password = self.neo4j_user, Secret("NEO4J_PASSWORD", self.neo4j_password_file)
        if local is not None:
            user, password = local.neo4j_user, Secret(file=local.neo4j_password_file)
        return Neo4jTarget(uri, user, password, self.neo4j_database, self.neo4j_ca_file, self.neo4j_retry_s)
