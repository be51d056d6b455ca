"""A pipeline run again where it set a tenant aside: then all of that tenant's records are rejected, none is half taken in."""

from collections.abc import Callable
from typing import Any

import structlog

from transforms.model.metrics import QUARANTINED
from transforms.steps.metrics import read_counts

_LOG = structlog.get_logger("run")


def run_settled(run: Callable[[], Any]) -> Any:
    """The result of the first run that sets nobody aside.

    What was written of the others meanwhile is there already, and is said again to no effect. It ends: a tenant that is set
    aside is not written any more, so that each run leaves fewer of them.
    """
    result = run()
    while set_aside := {client_id for client_id, _ in read_counts(result).of(QUARANTINED)}:
        _LOG.warning("slice is run again without the quarantined tenants", tenants=sorted(set_aside))
        result = run()
    return result
