"""As much of JSON Schema as the schemas here use; objects take no property that is not named."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


def violations(value: Any, schema: Mapping[str, Any], definitions: Mapping[str, Any], path: str = "$") -> Iterator[str]:
    """Each place that is not as the schema says, with what is wrong there."""
    schema = definitions[schema["$ref"]] if "$ref" in schema else schema
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path} is {value!r}, not one of {schema['enum']}"
    kind = schema.get("type")
    if kind and (not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
        yield f"{path} is {value!r}, not of the type {kind}"
    elif kind == "object":
        yield from _in_object(value, schema, definitions, path)
    elif kind == "array":
        for number, one in enumerate(value):
            yield from violations(one, schema.get("items", {}), definitions, f"{path}[{number}]")


def _in_object(value: Mapping[str, Any], schema: Mapping[str, Any], definitions: Mapping[str, Any], path: str) -> Iterator[str]:
    yield from (f"{path} lacks {name}" for name in schema.get("required", ()) if name not in value)
    named, others = schema.get("properties", {}), schema.get("additionalProperties")
    for name, one in value.items():
        if name in named or others is not None:
            yield from violations(one, named.get(name, others), definitions, f"{path}.{name}")
        else:
            yield f"{path} has {name}, which is not known"
