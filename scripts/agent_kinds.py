"""The chart's table of kinds, generated from the declared ones: `python -m scripts.agent_kinds`. Its RBAC derives from it."""

import sys
from collections.abc import Iterator

from transforms.io.cluster.discovery import LEFT_OUT
from transforms.model.kinds import KINDS

# What the API calls a collection is not always the kind with an s.
_PLURALS = {"Endpoints": "endpoints", "Ingress": "ingresses", "NetworkPolicy": "networkpolicies", "StorageClass": "storageclasses"}
# Where a kind has moved; servers that a chart of today meets have it there alone.
_OLD_GROUPS = frozenset({"extensions"})


def document() -> Iterator[str]:
    """The lines of the table: by kind, its API groups and what the API calls its collection; `usual` are read where none is named."""
    yield "# `python -m scripts.agent_kinds` generates this file from the declared kinds; a test compares them."
    for kind in KINDS:
        groups = ", ".join(f'"{group}"' for group in kind.groups if group not in _OLD_GROUPS)
        plural = _PLURALS.get(kind.name, f"{kind.name.lower()}s")
        usual = str(kind.name not in LEFT_OUT).lower()
        yield f"{kind.name}: {{groups: [{groups}], resource: {plural}, usual: {usual}}}"


if __name__ == "__main__":
    sys.stdout.write("\n".join(document()) + "\n")
