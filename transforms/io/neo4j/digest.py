"""The graph digest: one hash per tenant, equal exactly when the live graphs are equal.

Definition (stable; a change is a new DIGEST_VERSION): every live node gives the line
`["node", label, key, {property: value}]` and every live relationship
`["rel", type, label, key, label, key]`, as JSON with sorted keys, strings in UTF-8, moments as UTC RFC 3339 with
microseconds. Left out are `client_id`, the key property (it is in the line), versions, hashes, tombstones,
clusters, and stubs without a relationship. The digest is the SHA-256 of `version, nodes, relationships, sum`,
where `sum` adds the SHA-256 of every line modulo 2**256: lines may come in any order, and none is ever held.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

import msgspec

from transforms.model.graph import TENANT_KEY, NodeLabel

DIGEST_VERSION: Final = 1
_MODULUS: Final = 2**256
_ENCODE: Final = msgspec.json.Encoder(order="sorted").encode


class GraphDigest:
    """Adds up the lines of one tenant's graph in constant memory."""

    def __init__(self) -> None:
        self.nodes = 0
        self.relationships = 0
        self._sum = 0

    def add_node(self, node: NodeLabel, key: str, props: dict[str, Any]) -> None:
        self.add_contract(node, key, contract_properties(node, props))

    def add_contract(self, node: NodeLabel, key: str, contract: dict[str, Any]) -> None:
        """Add a node by what `contract_properties` gave of it."""
        self._add(["node", node.label, key, contract])
        self.nodes += 1

    def add_relationship(self, kind: str, source_label: str, source: str, target_label: str, target: str) -> None:
        self._add(["rel", kind, source_label, source, target_label, target])
        self.relationships += 1

    def _add(self, line: list[Any]) -> None:
        self._sum = (self._sum + int.from_bytes(sha256(_ENCODE(line)).digest(), "big")) % _MODULUS

    def hexdigest(self) -> str:
        """64 hexadecimal digits."""
        return sha256(_ENCODE([DIGEST_VERSION, self.nodes, self.relationships, f"{self._sum:064x}"])).hexdigest()


def contract_properties(node: NodeLabel, props: dict[str, Any]) -> dict[str, Any]:
    """The properties that count in the digest, their values as it has them."""
    left_out = {TENANT_KEY, node.key, *node.bookkeeping}
    return {name: plain_value(value) for name, value in props.items() if name not in left_out}


def combined(digests: Mapping[str, object]) -> str:
    """One digest over several tenants' digests."""
    return sha256(_ENCODE(sorted(digests.items()))).hexdigest()


def plain_value(value: Any) -> Any:
    """The value with moments as text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    to_native = getattr(value, "to_native", None)
    return plain_value(to_native()) if to_native else value
