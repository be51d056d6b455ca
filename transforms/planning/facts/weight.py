"""What a mutation comes to in rows: slices, folds and transactions are bounded by that as well as by bytes."""

from typing import Any, Final

from transforms.planning.facts.implied import PROPERTY
from transforms.planning.facts.mutations import Mutation

# Relationships that an ordinary object implies; a Pod with its volumes has as many. They go with its row.
ORDINARY: Final = 16


def rows_of(mutation: Mutation) -> int:
    """One, and for an object that implies more relationships than an ordinary one, one for each of them."""
    props: dict[str, Any] | None = getattr(mutation, "props", None)
    implied = len(props.get(PROPERTY) or ()) if props else 0
    return 1 if implied <= ORDINARY else 1 + implied
