"""What people ask of an object, lifted out of its status and its spec as the model declares."""

from collections.abc import Iterator
from typing import Any

from transforms.model.kinds import EACH, Gather, Kind, StatusProperty
from transforms.records.specs.parts import Spec

Scalar = str | int | bool


def promoted(kind: Kind, status: dict[str, Any], spec: Spec | None) -> dict[str, Any]:
    """The declared properties of an object of the kind; None for one that it does not have.

    A status is not validated: what is no scalar there is no property.
    """
    found: dict[str, Any] = {one.name: _gathered(one, status) for one in kind.status}
    if spec is not None:
        found |= {name: _or_none(getattr(spec, name)) for name in kind.spec}
    return found


def _or_none(value: Any) -> Any:
    return None if value == [] else value


def _gathered(one: StatusProperty, status: dict[str, Any]) -> Scalar | None:
    values = list(_at(status, one.path))
    if one.gather is Gather.COUNT:
        return len(values) or None
    if one.gather is Gather.SUM:
        numbers = [value for value in values if isinstance(value, int)]
        return sum(numbers) if numbers else None
    return next((value for value in values if isinstance(value, Scalar)), None)


def _at(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """The values at the end of a path, those that are there."""
    for number, step in enumerate(path):
        if step == EACH:
            for member in value if isinstance(value, list) else ():
                yield from _at(member, path[number + 1 :])
            return
        value = value.get(step) if isinstance(value, dict) else None
    if value is not None:
        yield value
