"""The job with a defect planted in each of its steps: `python -m scripts.faulting.buggy` takes the flags of the job.

A step fails for what holds `BUG` with the step's own name, and for that alone.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from pipelines.graph_build import app
from transforms.io.neo4j import store as neo4j_graph
from transforms.planning.merge.fold import fold as sound_fold
from transforms.steps import decode, fold, key_by_tenant, plan, resolve_tenants

BUG: Final = "graph-build-defect-in-"


def plant(place: Any, name: str, step: str) -> None:
    """Have a function fail where the step's own name for trouble is among what it is given."""
    sound: Callable[..., Any] = getattr(place, name)
    trouble = BUG + step

    @wraps(sound)
    def broken(*arguments: Any, **more: Any) -> Any:
        if trouble in repr(arguments):
            raise ZeroDivisionError(trouble)
        return sound(*arguments, **more)

    setattr(place, name, broken)


def _folding(*arguments: Any, **more: Any) -> Any:
    """Folding, of which what is folded can be seen before it is used up."""
    into, ones, *rest = arguments
    held = list(ones)
    if f"{BUG}fold" in repr(held):
        raise ZeroDivisionError(BUG)
    return sound_fold(into, held, *rest, **more)


def main() -> None:
    plant(decode, "decode_record", "decode")
    plant(resolve_tenants, "resolve", "resolve_tenant")
    plant(key_by_tenant, "interpret", "interpret")
    setattr(fold, "fold", _folding)  # noqa: B010 - what a module imports is not its own to the type checker
    plant(plan, "cut_batches", "plan")
    plant(neo4j_graph, "plan_batch", "write")
    app()


if __name__ == "__main__":
    main()
