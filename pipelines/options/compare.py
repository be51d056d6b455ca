"""Which two graphs are compared, of which tenants, and how an older builder's graph is read."""

import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

import typer

from pipelines.options.checks import usage_error
from pipelines.options.flow import ClientId, tenant_id
from pipelines.options.neo4j import Neo4jOptions
from pipelines.options.settings_file import file_error, read_settings
from transforms.io.neo4j.target import SCHEMES, Neo4jTarget
from transforms.io.secrets import Secret

# Imported where they are needed: both take long, and an error of use needs neither.
# ruff: noqa: PLC0415
if TYPE_CHECKING:
    from transforms.io.graph_admin.compare import Pair
    from transforms.model.graph_mapping import GraphMapping

_DATABASE: Final = re.compile(r"[A-Za-z][A-Za-z0-9.-]{2,62}")
_FORMS: Final = "write bolt://host:port, bolt://host:port/database, or /database for one of the server that NEO4J_URI names"


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """The two graphs. A side's own user, password and certificates come before those of NEO4J_USER, NEO4J_PASSWORD and so on."""

    left: Annotated[
        str, typer.Option("--left", help="The one graph: bolt://host:port[/database], or /database of the server that is configured.")
    ]
    right: Annotated[str, typer.Option("--right", help="The other graph, likewise.")]
    client_id: ClientId = ""
    left_client_id: Annotated[
        str, typer.Option("--left_client_id", help="The tenant's name on the left, where it is called otherwise on the right.")
    ] = ""
    right_client_id: Annotated[str, typer.Option("--right_client_id", help="The same tenant's name on the right.")] = ""
    left_mapping: Annotated[
        str, typer.Option("--left_mapping", help="TOML file that tells an older builder's graph, on the left, in words of this one.")
    ] = ""
    left_user: Annotated[str, typer.Option("--left_user", envvar="NEO4J_LEFT_USER", help="User on the left.")] = ""
    left_password_file: Annotated[
        str,
        typer.Option("--left_password_file", envvar="NEO4J_LEFT_PASSWORD_FILE", help="File with its password; or set NEO4J_LEFT_PASSWORD."),
    ] = ""
    left_ca_file: Annotated[str, typer.Option("--left_ca_file", envvar="NEO4J_LEFT_CA_FILE", help="As --neo4j_ca_file.")] = ""
    right_user: Annotated[str, typer.Option("--right_user", envvar="NEO4J_RIGHT_USER", help="User on the right.")] = ""
    right_password_file: Annotated[
        str,
        typer.Option(
            "--right_password_file", envvar="NEO4J_RIGHT_PASSWORD_FILE", help="File with its password; or set NEO4J_RIGHT_PASSWORD."
        ),
    ] = ""
    right_ca_file: Annotated[str, typer.Option("--right_ca_file", envvar="NEO4J_RIGHT_CA_FILE", help="As --neo4j_ca_file.")] = ""
    limit: Annotated[
        int, typer.Option("--limit", min=0, help="Examples of a tenant: of each side and of differing nodes; relationships likewise.")
    ] = 20

    def targets(self, neo4j: Neo4jOptions) -> tuple[Neo4jTarget, Neo4jTarget]:
        """The databases on the left and on the right."""
        left = side_target("left", self.left, neo4j, self.left_user, self.left_password_file, self.left_ca_file)
        return left, side_target("right", self.right, neo4j, self.right_user, self.right_password_file, self.right_ca_file)

    def mapping(self) -> "GraphMapping | None":
        """How the left is read; None where this job wrote it."""
        if not self.left_mapping:
            return None
        from transforms.model.graph_mapping import BadMapping, parse_mapping

        try:
            return parse_mapping(read_settings("--left_mapping", self.left_mapping))
        except BadMapping as error:
            raise file_error("--left_mapping", self.left_mapping, str(error)) from None

    def pair(self, mapping: "GraphMapping | None") -> "Pair | None":
        """The tenant that is meant; None for all that either side has."""
        from transforms.io.graph_admin.compare import Pair

        one = tenant_id(self.client_id)
        left, right = tenant_id(self.left_client_id, "--left_client_id"), tenant_id(self.right_client_id, "--right_client_id")
        if one and (left or right):
            raise usage_error("--client_id names the tenant on both sides; leave it out beside --left_client_id and --right_client_id.")
        if mapping and not mapping.tenant:
            if left or not (one or right):
                raise usage_error(
                    f"{self.left_mapping} names no `tenant`, so all of the left is one tenant's; say whose with --client_id or "
                    "--right_client_id, and leave --left_client_id out."
                )
            return Pair("", one or right)
        if bool(left) != bool(right):
            raise usage_error("--left_client_id and --right_client_id go together; a tenant of one name is --client_id.")
        return Pair(one or left, one or right) if one or left else None


def side_target(side: str, text: str, neo4j: Neo4jOptions, user: str, password_file: str, ca_file: str) -> Neo4jTarget:
    """The database that a flag names; what is not said of it is as it is for the job."""
    variable = f"NEO4J_{side.upper()}_PASSWORD"
    has_own = bool(password_file or os.environ.get(variable))
    own = Secret(variable, password_file)
    uri, database = split_side(f"--{side}", text)
    if not uri:
        told = neo4j.target()
        password = own if has_own else told.password
        return replace(told, user=user or told.user, password=password, database=database, ca_file=ca_file or told.ca_file)
    password = own if has_own else Secret("NEO4J_PASSWORD", neo4j.neo4j_password_file)
    ca_file = ca_file or neo4j.neo4j_ca_file
    return Neo4jTarget(uri, user or neo4j.neo4j_user, password, database or neo4j.neo4j_database, ca_file, neo4j.neo4j_retry_s)


def split_side(flag: str, text: str) -> tuple[str, str]:
    """The URI, "" for the server that is configured, and the database, "" for the one that is.

    An error of use for any other form; a user or password within a URI is never repeated.
    """
    if text.startswith("/"):
        return "", _database(flag, text[1:])
    try:
        parts = urlsplit(text)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        raise usage_error(f"{flag} is no URI that can be used; {_FORMS}.") from None
    if "@" in text:
        raise usage_error(
            f"{flag} has a user or a password in it, where others can read them; leave them out, and set "
            f"NEO4J_{flag[2:].upper()}_USER and NEO4J_{flag[2:].upper()}_PASSWORD or NEO4J_{flag[2:].upper()}_PASSWORD_FILE."
        )
    if parts.scheme not in SCHEMES or not has_host or parts.query or parts.fragment:
        raise usage_error(f"{flag} is {text!r}; {_FORMS}.")
    path = parts.path.strip("/")
    return f"{parts.scheme}://{parts.netloc}", _database(flag, path) if path else ""


def _database(flag: str, name: str) -> str:
    if not _DATABASE.fullmatch(name):
        raise usage_error(f"{flag} names the database {name!r}; a name has 3 to 63 letters, digits, dots and dashes; {_FORMS}.")
    return name
