"""What a topology record means: an explicit relationship, or its end."""

from transforms.model.graph import TOPOLOGY_OF_TYPE
from transforms.model.identity import parse_rid
from transforms.planning.facts.mutation_template import MutationTemplate
from transforms.planning.facts.mutations import DeleteEdge, Mutation, UpsertEdge
from transforms.planning.facts.values import identity
from transforms.records.envelopes.types import Edge
from transforms.records.redaction.text import shown
from transforms.records.rejects import Fault, Reason


def edge_meaning(body: Edge) -> MutationTemplate:
    edge_id = identity("the edge's id", body.id)
    if body.op == "DELETE":
        return MutationTemplate(DeleteEdge, (edge_id,))
    if body.type not in TOPOLOGY_OF_TYPE:
        known = ", ".join(TOPOLOGY_OF_TYPE)
        raise Fault(Reason.BAD_VALUE, f"the edge type {shown(body.type)} is none of {known}")
    return MutationTemplate(UpsertEdge, (edge_id, body.type, _end("from", body.source), _end("to", body.target)))


def _end(field: str, text: str) -> str:
    rid = parse_rid(text)
    if rid is None or not is_kind_token(rid.kind):
        raise Fault(Reason.BAD_VALUE, f"`{field}` is {shown(text)}, not kind:ns:name, kind::name or kind:name")
    return identity(f"`{field}`", str(rid))


def is_kind_token(text: str) -> bool:
    return text.isascii() and text[:1].isalpha() and text.replace(".", "").replace("-", "").isalnum()


def edge_tombstone(client_id: str, ver: str, raw_key: str) -> tuple[Mutation, ...]:
    return (DeleteEdge(client_id, ver, identity("the key", raw_key)),)
