"""Whether Neo4j can hold the graph: server, database, the right to write, constraints and indexes."""

from collections.abc import Iterable
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

from runners.doctor.verdict import Check, failed, ok, skipped, warning
from transforms.io.answers import ProbeError
from transforms.io.graph_admin.probe import DatabaseTold, Index, Server
from transforms.io.neo4j.target import Neo4jTarget
from transforms.model.schema import SchemaElement
from transforms.model.server_version import LEAST_TEXT, is_too_old, parsed
from transforms.records.redaction.url import redact_url

SERVER: Final = "Neo4j"
VERSION: Final = "Neo4j version"
DATABASE: Final = "database"
WRITING: Final = "writing"
SCHEMA: Final = "schema"
SIZES: Final = "graph size"
SUPPORTED_MAJOR: Final = 5
SCHEMES: Final = tuple(f"{scheme}{tls}" for scheme in ("bolt", "neo4j") for tls in ("", "+s", "+ssc"))

_REFUSED_LOGIN: Final = frozenset(
    {
        "Neo.ClientError.Security.Unauthorized",
        "Neo.ClientError.Security.AuthenticationRateLimit",
        "Neo.ClientError.Security.CredentialsExpired",
        "Neo.ClientError.Security.TokenExpired",
    }
)


def judge_uri(uri: str) -> Check | None:
    """failed where the URI is none that the driver speaks Bolt to; None where it may be."""
    if "@" in uri:
        return failed(SERVER, f"NEO4J_URI is {redact_url(uri)}, which holds a login", "Give it with NEO4J_USER and NEO4J_PASSWORD.")
    if urlsplit(uri).scheme in SCHEMES:
        return None
    return failed(SERVER, f"NEO4J_URI is {redact_url(uri)}, which is none of {', '.join(f'{one}://' for one in SCHEMES)}", "Fix NEO4J_URI.")


def judge_server(target: Neo4jTarget, told: Server | ProbeError) -> Check:
    """Whether it answers and lets the user in; the network, TLS and the login told apart."""
    if isinstance(told, Server):
        return ok(SERVER, f"{target.address} let the user {target.user} in")
    if told.code in _REFUSED_LOGIN:
        remedy = "Fix NEO4J_USER and NEO4J_PASSWORD or NEO4J_PASSWORD_FILE."
        if told.code.endswith("CredentialsExpired"):
            remedy = f"Change the first password of {target.user}: cypher-shell does it at the first login."
        return failed(SERVER, f"Neo4j at {target.address} refused the user {target.user} ({told.said})", remedy)
    said = f"Neo4j at {target.address} cannot be reached ({told.said})"
    if any(word in told.said for word in ("SSL", "TLS", "ertificate", "encrypt")):
        return failed(
            SERVER, said, "Fix TLS on one side: NEO4J_URI with +s where the server has it and without where not, or NEO4J_CA_FILE."
        )
    if any(word in told.said for word in ("handshake", "looks like HTTP")):
        return failed(SERVER, said, "Set NEO4J_URI to the server's Bolt port; with +s where it wants TLS.")
    return failed(SERVER, said, "Start it, or fix NEO4J_URI.")


def judge_version(server: Server) -> Check:
    """Whether it is new enough for the statements, and a Neo4j 5, which the job is tested with."""
    said = f"{server.version} {server.edition}".strip()
    version = parsed(server.version)
    if version is None:
        return warning(VERSION, f"the server calls itself {said!r}", "Use Neo4j 5, which the job is tested with.")
    if is_too_old(server.version):
        return failed(VERSION, f"{said}: the statements need Neo4j {LEAST_TEXT}", f"Upgrade it to Neo4j {LEAST_TEXT} or newer.")
    if version[0] == SUPPORTED_MAJOR:
        return ok(VERSION, said)
    return warning(VERSION, f"{said}: the job is tested with Neo4j 5", "Use Neo4j 5, or try this one where it may fail.")


def judge_database(name: str, told: list[DatabaseTold] | ProbeError) -> Check:
    """Whether the database is there, up, and open for writes somewhere."""
    if isinstance(told, ProbeError):
        return skipped(DATABASE, f"Neo4j does not tell this user ({told.said})")
    if not told:
        return failed(DATABASE, f"{name} does not exist, or this user may not know of it", "Make it, grant ACCESS, or fix NEO4J_DATABASE.")
    writers = [one for one in told if one.writer]
    best = (writers or told)[0]
    if best.status != "online":
        return failed(DATABASE, f"{name} is {best.status}", f"START DATABASE {name}, or see the server's log.")
    if not writers or best.access != "read-write":
        return failed(DATABASE, f"{name} is read-only", f"ALTER DATABASE {name} SET ACCESS READ WRITE, or name a server that takes writes.")
    return ok(DATABASE, f"{name} is online and takes writes")


def judge_writing(target: Neo4jTarget, told: ProbeError | None) -> Check:
    """Whether the user may write: tried in a transaction that was rolled back."""
    if told is None:
        return ok(WRITING, f"{target.user} may write, as a transaction that was rolled back shows")
    return failed(
        WRITING, f"{target.user} may not write to {target.database} ({told.said})", f"Grant the user write access to {target.database}."
    )


def judge_sizes(told: dict[str, int] | ProbeError) -> Check:
    """How much there is, all tenants together."""
    if isinstance(told, ProbeError):
        return skipped(SIZES, f"Neo4j did not tell ({told.said})")
    return ok(SIZES, ", ".join(f"{number:,} {name}" for name, number in told.items()))


class _State(Enum):
    PRESENT = ""
    MISSING = "missing"
    PENDING = "not online yet"
    BROKEN = "failed"
    BLOCKED = "in its way is an index, so it cannot be made"
    DISPLACED = "its name is taken by another, so it is passed over"


def judge_schema(wanted: Iterable[SchemaElement], told: list[Index] | ProbeError) -> Check:
    """Whether every constraint and index that the model declares is there and online.

    Failed where the job could not make it: Neo4j makes no constraint over what an index covers already.
    """
    if isinstance(told, ProbeError):
        return skipped(SCHEMA, f"Neo4j did not tell ({told.said})")
    states: dict[_State, list[str]] = {}
    remedies: list[str] = []
    for element in wanted:
        state, remedy = _state(element, told)
        states.setdefault(state, []).append(element.name)
        remedies += [remedy] if remedy and remedy not in remedies else []
    wrong = "; ".join(f"{state.value}: {', '.join(states[state])}" for state in _State if state in states and state is not _State.PRESENT)
    if not wrong:
        return ok(SCHEMA, f"all {len(states.get(_State.PRESENT, []))} constraints and indexes are online")
    if _State.BROKEN in states or _State.BLOCKED in states:
        return failed(SCHEMA, wrong, " ".join(remedies))
    return warning(SCHEMA, wrong, " ".join(remedies))


def _state(element: SchemaElement, there: list[Index]) -> tuple[_State, str]:
    wanted = "FULLTEXT" if element.is_text else "RANGE"
    same = [one for one in there if (one.of, one.properties) == (element.of, element.properties) and one.type == wanted]
    of_kind = [one for one in same if one.is_unique or not element.is_unique]
    if of_kind:
        return _online(of_kind[0])
    if same:
        return _State.BLOCKED, f"DROP INDEX {same[0].name}; the job makes the constraint."
    namesake = next((one for one in there if one.name == element.name), None)
    if namesake is None:
        return _State.MISSING, "The job makes what is missing when it starts."
    drop = f"DROP {'CONSTRAINT' if namesake.is_unique else 'INDEX'} {namesake.name}; the job makes its own."
    # `IF NOT EXISTS` passes over a namesake of the same sort, and fails at one of the other.
    return (_State.DISPLACED if namesake.is_unique == element.is_unique else _State.BLOCKED), drop


def _online(index: Index) -> tuple[_State, str]:
    if index.state == "ONLINE":
        return _State.PRESENT, ""
    if index.state == "FAILED":
        drop = f"DROP {'CONSTRAINT' if index.is_unique else 'INDEX'} {index.name}"
        return _State.BROKEN, f"See the server's log, then {drop}; the job makes it anew."
    return _State.PENDING, "Wait; the job waits for it when it starts."
