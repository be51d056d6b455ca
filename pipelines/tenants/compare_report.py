"""What a comparison of graphs found, as a table with examples or as one JSON object."""

from collections.abc import Iterator
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from pipelines.output.command import console
from pipelines.output.readable import printable
from transforms.io.graph_admin.compare import TenantComparison, compared_labels
from transforms.model.graph_mapping import GraphMapping
from transforms.planning.diff.comparison import Differences, NodeExample, RelationshipExample, Where
from transforms.planning.diff.value_diff import ShownValues

_WIDTH: Final = 160
_SAID: Final = {Where.LEFT: "only left", Where.RIGHT: "only right", Where.BOTH: "differs"}
_ALL: Final = "all"


def comparison_object(found: list[TenantComparison], mapping: GraphMapping | None) -> dict[str, Any]:
    """The object of `compare --json`."""
    return {"equal": all(one.is_equal for one in found), "compared": _compared(mapping), "tenants": [_tenant(one) for one in found]}


def _compared(mapping: GraphMapping | None) -> dict[str, Any]:
    """What was looked at: properties by label, and types; "all": everything that counts in the digest."""
    if mapping is None:
        return {"nodes": {node.label: _ALL for node in compared_labels(None)}, "relationships": _ALL}
    return {"nodes": {label: sorted(names) for label, names in mapping.properties.items()}, "relationships": sorted(mapping.relationships)}


def _tenant(one: TenantComparison) -> dict[str, Any]:
    sides = zip(("left", "right"), one.tenant, one.digests, strict=True)
    return {
        "equal": one.is_equal,
        **{
            side: {"client_id": name, "nodes": digest.nodes, "relationships": digest.relationships, "digest": digest.hexdigest()}
            for side, name, digest in sides
        },
        "written_meanwhile": list(one.written),
        "nodes": _counts(one.differences, Where, nodes=True),
        "relationships": _counts(one.differences, (Where.LEFT, Where.RIGHT), nodes=False),
        "node_examples": [_node(example) for example in one.differences.node_examples],
        "relationship_examples": [_relationship(example) for example in one.differences.relationship_examples],
    }


def _counts(differences: Differences, sides: Any, *, nodes: bool) -> dict[str, Any]:
    """The number of each side, and by label or type."""
    counted = differences.nodes if nodes else differences.relationships
    of = differences.of_nodes if nodes else differences.of_relationships
    names = sorted({name for name, _ in counted})
    return {side.value: of(side) for side in sides} | {"by": {name: {side.value: counted[name, side] for side in sides} for name in names}}


def _node(example: NodeExample) -> dict[str, Any]:
    told = {"where": example.where.value, "label": example.label, "key": example.key}
    return told | ({"properties": [one._asdict() for one in example.values]} if example.values else {})


def _relationship(example: RelationshipExample) -> dict[str, Any]:
    return {"where": example.where.value, "type": example.type, "from": example.source, "to": example.target}


def print_comparison(found: list[TenantComparison], mapping: GraphMapping | None) -> None:
    """Print a row for each tenant, examples of what differs, and the verdict."""
    out = console(_WIDTH)
    out.print(_table(found))
    for one in found:
        for line in _lines(one):
            # As Text: what a graph holds is no markup.
            out.print(Text(printable(line)))
    if mapping:
        out.print(Text(printable(_mapping_line(mapping))))
    different = sum(1 for one in found if not one.is_equal)
    tenants = f"{len(found):,} {'tenant' if len(found) == 1 else 'tenants'}"
    out.print(f"different: {different:,} of {tenants}" if different else f"equal: {tenants}", highlight=False)


def _table(found: list[TenantComparison]) -> Table:
    table = Table("tenant", title="left, right")
    for head in ("nodes", "relationships", "nodes only left", "only right", "differing", "relationships only left", "only right"):
        table.add_column(head, justify="right")
    table.add_column("digest")
    for one in found:
        left, right = one.digests
        counts = [one.differences.of_nodes(side) for side in Where]
        counts += [one.differences.of_relationships(side) for side in (Where.LEFT, Where.RIGHT)]
        sizes = (f"{left.nodes:,}, {right.nodes:,}", f"{left.relationships:,}, {right.relationships:,}")
        shown = left.hexdigest()[:12] if one.is_equal else "different"
        table.add_row(Text(printable(_name(one))), *sizes, *(f"{number:,}" for number in counts), shown)
    return table


def _name(one: TenantComparison) -> str:
    left, right = one.tenant
    return right if left in ("", right) else f"{left}, {right}"


def _lines(one: TenantComparison) -> Iterator[str]:
    name, differences = _name(one), one.differences
    for node in differences.node_examples:
        values = "; ".join(_values(value) for value in node.values)
        yield f"{name}: {_SAID[node.where]}: {node.label} {node.key}{f': {values}' if values else ''}"
    for other in differences.relationship_examples:
        yield f"{name}: {_SAID[other.where]}: {other.source} -{other.type}-> {other.target}"
    told = len(differences.node_examples) + len(differences.relationship_examples)
    left_out = differences.nodes.total() + differences.relationships.total() - told
    if left_out:
        yield f"{name}: and {left_out:,} more; --limit tells of more of them"
    if one.written and not one.is_equal:
        yield f"{name}: written meanwhile on the {' and the '.join(one.written)}: compare again once nothing is on its way"


def _values(values: ShownValues) -> str:
    if values.withheld:
        return f"{values.name} (withheld: it may be a secret)"
    return f"{values.name} {_quoted(values.left)}, {_quoted(values.right)}"


def _quoted(text: str | None) -> str:
    return "absent" if text is None else f"'{text}'"


def _mapping_line(mapping: GraphMapping) -> str:
    nodes = "; ".join(f"{label} by key and {', '.join(names) or 'nothing else'}" for label, names in mapping.properties.items())
    return f"compared by the mapping alone: {nodes}; relationships {', '.join(sorted(mapping.relationships)) or 'none'}"
