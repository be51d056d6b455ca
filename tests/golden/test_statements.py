"""Every statement as it is sent, compared whole with statements.cypher.

To accept a change: `python -m tests.golden.test_statements > tests/golden/statements.cypher`, and read the difference.
"""

import re
import sys
from itertools import chain
from pathlib import Path

from scripts.graph_model import document
from tests.support.places import CHECKOUT
from transforms.model import backfill, cypher, incident_cypher, purge, quarantine, reading, renaming, retention, schema_version, tenancy
from transforms.model.graph import NODES, RELATIONSHIPS
from transforms.model.kinds import KINDS

GOLDEN = Path(__file__).parent / "statements.cypher"
# What is asked of clusters themselves, all at once.
OF_ALL_TENANTS = (
    *("TENANTS", "READ_QUARANTINED", "READ_CLUSTERS", "READ_HEARD", "COUNT_STATES", "TENANTS_TO_SPELL"),
    # People look at the fleet.
    *("FLEET", "LIST_INCIDENTS", "SHOW_INCIDENT", "COUNT_INCIDENTS", "READ_RESTLESS"),
)


def statements() -> dict[str, str]:
    """Each statement under the name that the code has for it."""
    found = {f"schema {at}": statement for at, statement in enumerate(cypher.schema_statements())}
    modules = (cypher, retention, purge, quarantine, tenancy, backfill, renaming, schema_version, reading, incident_cypher)
    held = [vars(one).items() for one in modules]
    for name, value in chain.from_iterable(held):
        if name.isupper() and not name.startswith("_"):
            if isinstance(value, str) and " " in value:
                found[name] = value
            elif isinstance(value, dict):
                # Declarations of the model are imported there too; they are no statements.
                found |= {f"{name} {key or '(no label)'}": statement for key, statement in value.items() if isinstance(statement, str)}
    return found | {f"digest_page {node.label}": cypher.digest_page(node) for node in NODES if node.digest}


def rendered() -> str:
    return "\n".join(f"// {name}\n{statement};\n" for name, statement in statements().items())


def test_every_statement_is_as_it_was_accepted() -> None:
    assert rendered() == GOLDEN.read_text()


def test_every_statement_on_data_is_bound_to_one_tenant() -> None:
    for name, statement in statements().items():
        if not name.startswith(("schema", "AWAIT", "SERVER_TIME", *OF_ALL_TENANTS)):
            assert "$client_id" in statement or "client_id: row.client_id" in statement, name


def test_every_statement_of_the_write_path_binds_each_row_to_its_own_tenant() -> None:
    answers = [statement for name, statement in statements().items() if name.startswith("READ_") and "$rows" in statement]
    assert len(answers) > 25
    for statement in [*cypher.WRITE_ORDER, *answers, cypher.LOCK_TENANTS]:
        nodes = re.findall(r"\((\w*):\w+ ?(\{[^}]*\})?\)", statement)
        bound = [props for _, props in nodes if props.startswith("{client_id: row.client_id")]
        assert bound or ("[r:" in statement and "{client_id: row.client_id" in statement), statement
        assert "$client_id" not in statement, statement
        for part in statement.split("\nUNION\n"):
            if part in (one for answer in answers for one in answer.split("\nUNION\n")):
                assert "row.client_id AS client_id" in part, part


def test_what_is_written_has_one_place_in_the_order() -> None:
    assert list(cypher.WRITE_ORDER.values()) == list(range(len(cypher.WRITE_ORDER)))


def test_identifiers_come_from_the_model_alone() -> None:
    labels = {node.label for node in NODES} | {kind.name for kind in KINDS}
    types = {relationship.type for relationship in RELATIONSHIPS}
    for statement in statements().values():
        assert "`" not in re.sub("`fulltext[.][a-z_]+`", "", statement)
        for word in statement.replace("(", " ").replace(")", " ").replace("[", " ").replace("]", " ").replace(",", " ").split():
            name, colon, rest = word.partition(":")
            if colon and name in ("n", "a", "b", "c", "m", "r", "") and rest and rest[0].isupper():
                assert set(rest.split("|")) <= labels | types, (word, statement)


def test_the_documentation_is_what_the_model_says() -> None:
    assert (CHECKOUT / "docs" / "graph-model.md").read_text() == "\n".join(document()) + "\n"


if __name__ == "__main__":
    sys.stdout.write(rendered())
