"""Which servers a command uses: those that were named, or those of the local stack; never some of each.

A Kafka of one's own beside the local stack's Neo4j, or the other way round, is an error of use: it is what remains when one
variable was forgotten or misspelt, and the job would write one's records into a graph that nobody meant.
"""

import os
from typing import Final, NamedTuple

from pipelines.options.checks import usage_error
from pipelines.options.invocation import COMMAND, given_as
from pipelines.options.warn import warn
from runners.local.endpoints import Endpoints, read_endpoints, stack_dir
from runners.variables import near_misses, remedy


class Server(NamedTuple):
    """A server by the setting that names it, and the further settings that have a meaning only for a named one."""

    what: str
    setting: str
    details: tuple[str, ...]

    @property
    def flag(self) -> str:
        return f"--{self.setting}"

    @property
    def variable(self) -> str:
        return self.setting.upper()


KAFKA: Final = Server(
    "Kafka",
    "kafka_brokers",
    ("kafka_sasl_username", "kafka_sasl_password", "kafka_sasl_password_file", "kafka_ssl_ca_file", "kafka_ssl_keypair_file"),
)
NEO4J: Final = Server("Neo4j", "neo4j_uri", ("neo4j_user", "neo4j_password", "neo4j_password_file", "neo4j_ca_file"))
_SERVERS: Final = (KAFKA, NEO4J)


def stack_or_none(server: Server) -> Endpoints | None:
    """The running local stack, for a server that was not named; None where none runs.

    An error of use where the settings name another server, or tell more of this one, or where a variable seems to.
    """
    if given := _given_without(server):
        raise usage_error(
            f"{given} is set, but {server.variable} is not: name your own Kafka and Neo4j both, this one with {server.flag} or "
            f"{server.variable}, or neither, for the local stack.{hint()}"
        )
    _refuse_near_misses()
    return read_endpoints()


def server_address(server: Server, named: str, local: str) -> str:
    """The address that was named, else the local stack's, else an error of use that says how to get either."""
    found = named or local
    if not found:
        raise usage_error(
            f"No {server.what} is configured: start the local one with `scripts/stack up`, or name one with {server.flag} or "
            f"{server.variable}.{hint()}"
        )
    return found


def hint() -> str:
    """A sentence on variables that look misspelt, with a space before it; "" where there are none."""
    return "".join(f" {found} is set; did you mean {meant}?" for found, meant in near_misses(os.environ).items())


def _refuse_near_misses() -> None:
    """An error of use where a variable looks like one of a server's, misspelt: whoever set it means no local stack."""
    settings = {one.upper() for server in _SERVERS for one in (server.setting, *server.details)}
    for found, meant in near_misses(os.environ).items():
        if settings & set(meant.replace(" and ", " or ").split(" or ")):
            raise usage_error(
                f"{found} is set, but nothing reads it; did you mean {meant}? Name your own {_needed()}, or unset {found} for the local "
                "stack."
            )


def _needed() -> str:
    """The servers that the command that runs has flags for, in words."""
    context = COMMAND.get()
    flags = {one.name for one in context.command.params} if context else {one.setting for one in _SERVERS}
    found = [one.what for one in _SERVERS if one.setting in flags]
    return " and ".join(found) + (" both" if len(found) > 1 else "")


def are_named() -> bool:
    """Whether the servers are one's own, and not the local stack's."""
    return any(_given(server.setting) for server in _SERVERS)


def origin() -> str:
    """Where the servers' addresses come from, in words."""
    return "named" if are_named() else f"the local stack in {stack_dir()}"


_WARNED: set[str] = set()


def warn_of_near_misses() -> None:
    """Warn of each variable that looks like a misspelt one of the job's, once in a process."""
    for found, meant in near_misses(os.environ).items():
        if found not in _WARNED:
            _WARNED.add(found)
            warn("variable is not read", variable=found, did_you_mean=meant, remedy=remedy(found, meant, os.environ))


def _given_without(server: Server) -> str:
    """A setting that was given although the server was not named, as it was given; "" for none."""
    others = [one.setting for one in _SERVERS if one is not server]
    return next((told for setting in (*others, *server.details) if (told := _given(setting))), "")


def _given(setting: str) -> str:
    """The flag or the variable by which the setting was given; "" where it was not."""
    return given_as(setting) or (setting.upper() if os.environ.get(setting.upper()) else "")
