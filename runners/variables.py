"""Environment variables that look like misspelt ones of this project."""

from collections.abc import Mapping
from typing import Final

from runners.setting_names import GRAPH_VARIABLES

# Names that other tools, or habit, give to settings of this job.
_OTHER_NAMES: Final = {
    "KAFKA_BOOTSTRAP_SERVERS": "KAFKA_BROKERS",
    "KAFKA_BOOTSTRAP_SERVER": "KAFKA_BROKERS",
    "KAFKA_BROKER_LIST": "KAFKA_BROKERS",
    "KAFKA_GROUP_ID": "KAFKA_GROUP",
    "KAFKA_CONSUMER_GROUP": "KAFKA_GROUP",
    "KAFKA_USERNAME": "KAFKA_SASL_USERNAME",
    "KAFKA_PASSWORD": "KAFKA_SASL_PASSWORD",
    "NEO4J_URL": "NEO4J_URI",
    "NEO4J_HOST": "NEO4J_URI",
    "NEO4J_USERNAME": "NEO4J_USER",
    "NEO4J_PASS": "NEO4J_PASSWORD",
    "NEO4J_PWD": "NEO4J_PASSWORD",
    "NEO4J_AUTH": "NEO4J_USER and NEO4J_PASSWORD",
    "CLIENTID": "CLIENT_ID",
}
_OURS: Final = frozenset(
    {
        *(f"KAFKA_{name}" for name in ("BROKERS", "GROUP", "TOPICS", "EXPANSION_SERVICE", "SECURITY_PROTOCOL", "RETRY_S", "READER")),
        *(f"KAFKA_SASL_{name}" for name in ("MECHANISM", "USERNAME", "PASSWORD", "PASSWORD_FILE")),
        *(f"KAFKA_SSL_{name}" for name in ("CA_FILE", "KEYPAIR_FILE")),
        *(f"NEO4J_{name}" for name in ("URI", "USER", "PASSWORD", "PASSWORD_FILE", "DATABASE", "CA_FILE", "RETRY_S")),
        *(f"NEO4J_{side}_{name}" for side in ("LEFT", "RIGHT", "INTO") for name in ("USER", "PASSWORD", "PASSWORD_FILE", "CA_FILE")),
        *GRAPH_VARIABLES,
        *(f"SCHEMA_REGISTRY_{name}" for name in ("URL", "USER", "PASSWORD", "PASSWORD_FILE", "CA_FILE", "RETRY_S")),
    }
)
_PREFIXES: Final = ("KAFKA", "NEO4J", "SCHEMA_REGISTRY", "GRAPH")
_GRAPH: Final = "GRAPH_"
# Letters that may be wrong, missing, too many, or swapped with the next; fewer in a short name.
_SLIPS: Final = 2
_SHORT: Final = 11
_AND: Final = " and "
_OR: Final = " or "


def near_misses(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that are set, are none of this project's and look like one, each with the one that was probably meant.

    One that says the same as the right variable does no harm and is left out, and so is a login in one variable beside those of the job.
    """
    found = {name: _meant(name) for name in sorted(environment) if name not in _OURS and environment[name]}
    return {name: meant for name, meant in found.items() if meant and not _is_harmless(environment, name, meant)}


def remedy(name: str, meant: str, environment: Mapping[str, str]) -> str:
    """What to do about a variable that looks like the one that was meant."""
    parts = meant.replace(_AND, _OR).split(_OR)
    read = next((one for part in parts for one in (f"{part}_FILE", part) if environment.get(one)), "")
    return f"Unset {name}; {read} is read." if read else f"Set {meant}."


def _is_harmless(environment: Mapping[str, str], name: str, meant: str) -> bool:
    if _AND in meant:
        return any(environment.get(one) for one in meant.split(_AND))
    return environment[name] in (environment.get(one) for one in meant.split(_OR))


def _meant(name: str) -> str:
    if name in _OTHER_NAMES:
        return _OTHER_NAMES[name]
    if not name.startswith(_PREFIXES):
        return ""
    slips = {one: _distance(name, one) for one in _OURS}
    least = min(slips.values())
    near = [one for one in sorted(slips) if slips[one] == least <= _allowed(one)]
    return _OR.join(near[:2])


def _allowed(name: str) -> int:
    """How many letters may be wrong. What all names of one kind begin with tells nothing of which of them is meant."""
    return _SLIPS if len(name.removeprefix(_GRAPH)) >= _SHORT else 1


def _distance(one: str, other: str) -> int:
    """How many letters are to be changed, added, left out or swapped with the next one."""
    if abs(len(one) - len(other)) > _SLIPS:
        return _SLIPS + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, above, row = row, before, [i]
        for j, wanted in enumerate(other, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if above and i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                best = min(best, above[j - 2] + 1)
            row.append(best)
    return row[-1]
