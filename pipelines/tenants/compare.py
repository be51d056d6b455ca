"""`tenants compare`: whether two graphs are equal, tenant by tenant, and what differs where they are not."""

import sys
from contextlib import closing

from pipelines.options.compare import CompareOptions
from pipelines.options.neo4j import Neo4jOptions
from pipelines.output.command import exit_on_fault, print_json
from pipelines.output.progress import Count
from pipelines.tenants.compare_report import comparison_object, print_comparison
from transforms.io.faults import InfrastructureFault
from transforms.io.graph_admin.compare import Pair, Side, TenantComparison, compare_tenant
from transforms.io.graph_admin.compared_graphs import MappedSide, OwnSide
from transforms.io.neo4j.target import Neo4jTarget
from transforms.model.graph_mapping import GraphMapping


def compare(neo4j: Neo4jOptions, which: CompareOptions, json: bool) -> None:
    """Prove two graphs equal, tenant by tenant, or tell what differs. Exit code 0: equal; 1: they differ, or a fault."""
    mapping = which.mapping()
    pair, targets = which.pair(mapping), which.targets(neo4j)
    with exit_on_fault():
        found = compared(*targets, pair, mapping, which.limit)
    if json:
        print_json(comparison_object(found, mapping))
    else:
        print_comparison(found, mapping)
    sys.exit(0 if all(one.is_equal for one in found) else 1)


def compared(left: Neo4jTarget, right: Neo4jTarget, pair: Pair | None, mapping: GraphMapping | None, limit: int) -> list[TenantComparison]:
    """Each tenant's comparison, in order of tenant; pair: that tenant alone. InfrastructureFault where there is nothing to compare."""
    one = MappedSide("left", left, mapping) if mapping else OwnSide("left", left)
    with closing(one), closing(OwnSide("right", right, mapping)) as other, Count("nodes compared", None) as count:
        pairs = [pair] if pair else _pairs(one, other)
        found = [compare_tenant(one, other, each, mapping, limit, count.advance) for each in pairs]
    # Nothing is equal to nothing, and proves nothing: rather a name is mistyped, or a database the wrong one.
    if not any(digest.nodes for one_found in found for digest in one_found.digests):
        whom = f"a node of {' or '.join(sorted({*pair} - {''}))}" if pair else "a tenant"
        raise InfrastructureFault(f"Neither graph holds {whom}, so there is nothing to compare; check --left, --right and the tenant.")
    return found


def _pairs(left: Side, right: Side) -> list[Pair]:
    """Every tenant that either side knows, under one name."""
    return [Pair(tenant, tenant) for tenant in sorted({*left.tenants(), *right.tenants()})]
